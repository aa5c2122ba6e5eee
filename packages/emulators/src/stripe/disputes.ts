/**
 * Disputes: the bank takes the money back, and a fee with it; a dispute that is won gives the money back.
 * @see https://docs.stripe.com/disputes/how-disputes-work
 */
import { type Account, newId } from './account.ts';
import { refused } from './errors.ts';
import type { BalanceTransaction, Charge, Dispute } from './model.ts';
import { DISPUTE_FEE } from './money.ts';

export function openDispute(account: Account, charge: Charge, reason = 'fraudulent'): Dispute {
  if (!charge.captured || charge.disputed) throw refused(`Charge ${charge.id} cannot be disputed`);
  const id = newId('du');
  const amount = charge.amount_captured - charge.amount_refunded;
  const withdrawn = adjust(account, { id, currency: charge.currency, amount: -amount, fee: DISPUTE_FEE });
  account.put<Charge>({ ...charge, disputed: true });
  const dispute = account.put<Dispute>({
    id,
    object: 'dispute',
    amount,
    balance_transactions: [withdrawn],
    charge: charge.id,
    created: account.seconds,
    currency: charge.currency,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason,
    status: 'needs_response',
  });
  account.emit('charge.dispute.created', dispute);
  account.emit('charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

export function closeDispute(account: Account, id: string, status: 'won' | 'lost'): Dispute {
  const before = account.get<Dispute>('dispute', id);
  if (before.status !== 'needs_response' && before.status !== 'under_review') return before;
  const { amount, currency } = before;
  const back = status === 'won' ? [adjust(account, { id, currency, amount, fee: 0 })] : [];
  const dispute = account.put<Dispute>({
    ...before,
    balance_transactions: [...before.balance_transactions, ...back],
    status,
  });
  account.emit('charge.dispute.closed', dispute);
  if (status === 'won') account.emit('charge.dispute.funds_reinstated', dispute);
  return dispute;
}

function adjust(
  account: Account,
  { id, amount, currency, fee }: { id: string; amount: number; currency: string; fee: number },
): BalanceTransaction {
  const category = amount < 0 ? 'dispute' : 'dispute_reversal';
  return account.move({
    amount,
    currency,
    fee,
    source: id,
    type: 'adjustment',
    reporting_category: category,
  });
}
