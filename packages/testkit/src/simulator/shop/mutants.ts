/**
 * Deliberate defects of the shop's rules. Each must be found by the checkers of the shop.
 *
 * Left out as equivalent, because a second rule catches it: refusing an old key at once (its age would end the charging
 * all the same). Left out as too rare for a few hundred schedules, and killed by the unit tests instead: taking from a
 * lost site after it was cut off, counting before all are cut off, and taking a payment that a lookup does not find
 * for one that never was.
 */
import { type Mutant, mutant } from '../mutated-source.ts';

const TRANSITIONS = 'src/shared/domain/escrow/transitions.ts';
const ROW = 'src/shared/domain/escrow/row.ts';
const RESERVE = 'src/shared/domain/orders/reserve.ts';
const ORDER = 'src/shared/domain/orders/order.ts';
const ORDER_TRANSITIONS = 'src/shared/domain/orders/transitions.ts';
const PAYMENT = 'src/shared/domain/orders/payment.ts';
const ORDERS = 'src/shared/domain/orders/orders.ts';

export const shopMutants: readonly Mutant[] = [
  mutant(
    'a site sells what it has not got',
    TRANSITIONS,
    "if (available(row) < units) return { refused: 'short' };",
    '',
  ),
  mutant(
    'a site gives what it has not got',
    TRANSITIONS,
    'const units = Math.min(target - given, available(row));',
    'const units = target - given;',
  ),
  mutant('holds do not count', ROW, ' - row.sold - total(row.holds)', ' - row.sold'),
  mutant(
    'what was given does not count',
    ROW,
    'incoming - total(row.given) - row.sold',
    'incoming - row.sold',
  ),
  mutant(
    'a transfer is asked for as an amount',
    TRANSITIONS,
    'return units <= 0 ? row : next(row, { given: { ...row.given, [to]: given + units } });',
    'return target <= 0 || available(row) < target ? row : next(row, { given: { ...row.given, [to]: given + target } });',
  ),
  mutant(
    'what a peer has given is added up',
    TRANSITIONS,
    'return next(row, { taken: { ...row.taken, [peer.site]: given } });',
    'return next(row, { taken: { ...row.taken, [peer.site]: (row.taken[peer.site] ?? 0) + given } });',
  ),
  mutant(
    'receipts are added up',
    TRANSITIONS,
    'return next(row, { receipts: { ...row.receipts, [book]: total } });',
    'return next(row, { receipts: { ...row.receipts, [book]: (row.receipts[book] ?? 0) + total } });',
  ),
  mutant(
    'a commit leaves the hold',
    TRANSITIONS,
    'next(row, { holds, sold: row.sold + units })',
    'next(row, { sold: row.sold + units })',
  ),
  mutant(
    'a release counts as a sale',
    TRANSITIONS,
    'return units === undefined ? row : next(row, { holds });',
    'return units === undefined ? row : next(row, { holds, sold: row.sold + units });',
  ),
  mutant(
    'a hold is made against any version of the row',
    RESERVE,
    'if (current.sequence !== row.sequence) throw new RowMoved();\n        return held;',
    'const again = reserve(current, order);\n        return isRefusal(again) ? current : again;',
  ),
  mutant(
    'holds end with an order that is being cancelled',
    RESERVE,
    'return order !== undefined && isOver(order) ? [order] : [];',
    "return order !== undefined && (isOver(order) || order.state === 'cancelling') ? [order] : [];",
  ),
  mutant(
    'a paid order is sold wherever it is held',
    RESERVE,
    "return state === 'paid' && stockSite === row.site ? commit",
    "return state === 'paid' && stockSite !== null ? commit",
  ),
  mutant('anybody advances an order', ORDER_TRANSITIONS, 'if (order.owner !== by) return order;', ''),
  mutant('a take-over keeps the epoch', ORDER_TRANSITIONS, 'epoch: order.epoch + 1,', 'epoch: order.epoch,'),
  mutant(
    'a take-over goes on charging',
    ORDER_TRANSITIONS,
    "    state: 'cancelling',\n    sinceMs: nowMs,\n    reason: 'taken over',",
    "    state: 'paying',\n    sinceMs: nowMs,\n    reason: 'taken over',",
  ),
  mutant(
    'a take-over takes what is over',
    ORDER_TRANSITIONS,
    'if (isOver(order) || order.owner === by) return order;',
    'if (order.owner === by) return order;',
  ),
  mutant('the epoch does not rank', ORDER, '${digits(order.epoch, EPOCH_DIGITS)}${digits', '${digits'),
  mutant(
    'a cancelled order is not voided',
    PAYMENT,
    'let payment: Payment | undefined;\n  if (mayCharge(site, order))',
    "let payment: Payment | undefined;\n  if (order.epoch === 0) return 'cancelled';\n  if (mayCharge(site, order))",
  ),
  mutant(
    'a void does not believe a charge',
    PAYMENT,
    "payment = yield* tryCall({ call: 'cancel', id: payment.id });\n  return payment?.status === 'charged' ||",
    "payment = yield* tryCall({ call: 'cancel', id: payment.id });\n  if (payment?.status === 'charged') return 'cancelled';\n  return payment?.status === 'charged' ||",
  ),
  mutant(
    'an answer that did not come is a charge',
    PAYMENT,
    "    case 'processing':\n    case undefined:\n      return undefined;",
    "    case 'processing':\n      return undefined;\n    case undefined:\n      return { verdict: { chargedTo: site.site } };",
  ),
  mutant(
    'a payment under way is a charge',
    PAYMENT,
    "    case 'processing':\n    case undefined:\n      return undefined;",
    "    case 'processing':\n      return { verdict: { chargedTo: site.site } };\n    case undefined:\n      return undefined;",
  ),
  mutant(
    'a site charges what another has claimed',
    PAYMENT,
    "payment?.status === 'open' && payment.claim === site.site && mayCharge",
    "payment?.status === 'open' && mayCharge",
  ),
  mutant(
    'a charge is always from the own stock',
    PAYMENT,
    "return status === 'charged' ? { chargedTo: claim } : 'cancelled';",
    "return status === 'charged' ? { chargedTo: claim.slice(0, 0) + 'aws-1' } : 'cancelled';",
  ),
  mutant(
    'every site pays under a key of its own',
    PAYMENT,
    'const request = { key: paymentKey(orderId), amountMinor',
    'const request = { key: `${paymentKey(orderId)}.${site.site}`, amountMinor',
  ),
  mutant(
    'an order may be charged for ever',
    PAYMENT,
    'return site.now() - bornMs < chargeWithinMs;',
    'return bornMs > 0 || chargeWithinMs > site.now();',
  ),
  mutant(
    'the age of an order begins anew where it is placed',
    ORDERS,
    'checkBirth(request.bornMs, site.now());\n    return place(request, {',
    'return place({ ...request, bornMs: site.now() }, {',
  ),
];
