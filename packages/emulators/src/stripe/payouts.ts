/** Payouts to the bank. @see https://docs.stripe.com/api/payouts/create */
import { type Account, newId } from './account.ts';
import { refused } from './errors.ts';
import type { Payout } from './model.ts';
import { currencyOf, positive } from './money.ts';
import type { Params } from './params.ts';

export function createPayout(account: Account, params: Params): () => Payout {
  const currency = currencyOf(params);
  const amount = positive(params.integer('amount') ?? Number(params.needed('amount')), 'amount');
  const metadata = params.metadata();
  const description = params.text('description') ?? null;
  return () => {
    if (amount > account.balance(currency))
      throw refused(
        'You have insufficient funds in your Stripe account for this transfer.',
        'balance_insufficient',
      );
    const id = newId('po');
    const moved = account.move({
      amount: -amount,
      currency,
      fee: 0,
      source: id,
      type: 'payout',
      reporting_category: 'payout',
    });
    const payout = account.put<Payout>({
      id,
      object: 'payout',
      amount,
      arrival_date: account.seconds,
      automatic: false,
      balance_transaction: moved.id,
      created: account.seconds,
      currency,
      description,
      livemode: false,
      metadata,
      method: 'standard',
      status: 'paid',
      type: 'bank_account',
    });
    account.emit('payout.created', payout);
    account.emit('payout.paid', payout);
    return payout;
  };
}
