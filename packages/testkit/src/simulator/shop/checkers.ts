/** What must hold of a shop once all has come to rest: invariants 5, 6 and 7 over everything that happened. */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { type Finding, groupBy, isOwnReport, type MessageFact, type Snapshot } from '../../history/facts.ts';
import { free, orderFact, OVER, PAID, rowFact, sum, underWay, unitsOf } from './facts.ts';
import { type Ledger, orderIdOf } from './ledger.ts';
import type { PaymentObject } from './provider.ts';

export interface ShopAtRest {
  /** What the surviving sites hold. */
  readonly snapshot: Snapshot;
  readonly ledger: Ledger;
  readonly payments: readonly PaymentObject[];
  readonly lost: string | undefined;
}

/** Every order ends, everywhere alike, and as its payment says; every paid one is sold exactly once, or owed. */
export function checkOrders({ snapshot, ledger, payments, lost }: ShopAtRest): Finding[] {
  const findings: Finding[] = [];
  const paymentsOf = groupBy(payments, orderIdOf);
  const find = (invariant: string, orderId: string, detail: string): void =>
    void findings.push({ invariant, key: `order:${orderId}`, detail });
  for (const { orderId, lines } of ledger.ordered.values()) {
    const charged = (paymentsOf.get(orderId) ?? []).filter(({ status }) => status === 'charged');
    const claim = charged[0]?.claim;
    let known = false;
    for (const [site, records] of snapshot) {
      const order = orderFact(records.get(`order:${orderId}`));
      if (order === undefined) continue;
      known = true;
      const { status, paidFrom } = order;
      if (!OVER.has(status)) find('7 orders', orderId, `never ends: ${status} at ${site}`);
      if (PAID.has(status) && (charged.length !== 1 || claim !== paidFrom))
        find('6 payment', orderId, `${status} at ${site} from ${paidFrom}, charged ${charged.length} times`);
      if (OVER.has(status) && !PAID.has(status) && charged.length > 0)
        find('6 payment', orderId, `${status} at ${site}, and charged`);
      findings.push(...checkRefunds(site, order, { payment: charged[0], lost }));
    }
    if (!known) continue;
    const owed = claim === undefined || claim === lost ? 0 : 1;
    for (const sku of unitsOf(lines).keys()) {
      const sites = ledger.sales.get(`${sku} ${orderId}`) ?? [];
      if (sites.filter((site) => site !== lost).length !== owed)
        find('6 payment', orderId, `charged to ${claim}, its ${sku} sold at ${sites.join() || 'no site'}`);
    }
  }
  return findings;
}

/** What was asked back is paid back once, or refused; and an order is called refunded when all of it is. */
function checkRefunds(
  site: string,
  order: NonNullable<ReturnType<typeof orderFact>>,
  { payment, lost }: { readonly payment: PaymentObject | undefined; readonly lost: string | undefined },
): Finding[] {
  const find = (detail: string): Finding => ({
    invariant: '6 payment',
    key: `order:${order.orderId}`,
    detail: `${site}: ${detail}`,
  });
  const made = [...(payment?.refunds ?? [])];
  const back = made.reduce((total, [, { amountMinor }]) => total + amountMinor, 0);
  const findings: Finding[] = [];
  if (payment !== undefined && back > payment.amountMinor) findings.push(find(`${back} were paid back`));
  for (const [id, amountMinor] of Object.entries(order.refunds)) {
    const known = made.filter(([key]) => key.endsWith(`-${id}`));
    const isTooMuch = payment === undefined || back + amountMinor > payment.amountMinor;
    if (known.length > 1) findings.push(find(`refund ${id} was made ${known.length} times`));
    if (known.length === 0 && !isTooMuch) findings.push(find(`refund ${id} was never made`));
    if (known[0] !== undefined && known[0][1].amountMinor !== amountMinor)
      findings.push(find(`refund ${id} of ${amountMinor} was made as ${known[0][1].amountMinor}`));
  }
  // What a lost site was asked for, and made, before it told anybody.
  const unknown = made.filter(([key]) => !Object.keys(order.refunds).some((id) => key.endsWith(`-${id}`)));
  if (unknown.length > 0 && lost === undefined)
    findings.push(find(`${unknown.length} refunds were made that nobody has asked for`));
  const isAll = back === payment?.amountMinor;
  if (order.status === 'refunded' ? !isAll : isAll && unknown.length === 0)
    findings.push(find(`${back} of ${payment?.amountMinor} are paid back, and it is ${order.status}`));
  return findings;
}

/** Nothing is held for ever and nothing got lost: what came in is there, on its way, or was paid for. */
export function checkStock({ snapshot, ledger, lost }: ShopAtRest, skus: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  for (const sku of skus) {
    const lostRow = lost === undefined ? undefined : ledger.ownRow(sku, lost);
    let there = lost === undefined ? 0 : ledger.chargedTo(sku, lost);
    let entered = lostRow === undefined ? 0 : sum(lostRow.receipts) - lostRow.writtenOff;
    const rows = [...snapshot].flatMap(
      ([site, records]) => rowFact(records.get(`stock:${sku}~${site}`)) ?? [],
    );
    for (const row of rows) {
      const { site } = row;
      const key = `stock:${sku}~${site}`;
      const find = (detail: string): void => void findings.push({ invariant: '5 stock', key, detail });
      const held = Object.keys(row.holds);
      if (held.length > 0) find(`still holds ${held.join()}`);
      there += free(row) + row.sold + sum(row.holds);
      for (const to of rows) {
        const under = underWay(row, to);
        there += under;
        if (under > 0) find(`${under} given to ${to.site}, which has not taken them`);
        if (to !== row && (to.asked[site] ?? 0) > (row.given[to.site] ?? 0) && free(row) > 0)
          find(`has ${free(row)}, and does not give what ${to.site} has asked for`);
      }
      entered += sum(row.receipts) - row.writtenOff;
      const { $counted: _, ...books } = row.receipts;
      const brought = ledger.delivered.get(`${sku} ${site}`) ?? 0;
      if (sum(books) !== brought) find(`${brought} came, ${sum(books)} entered`);
      if (lost !== undefined && row.fenced[lost] === undefined) find(`${lost} was never cut off`);
    }
    if (there !== entered)
      findings.push({
        invariant: '5 stock',
        detail: `${entered} of ${sku} were entered, ${there} are accounted for`,
      });
  }
  return findings;
}

/** Nothing is parked, and nothing is left to be done: an order does not wait for a person. */
export function checkParked({ snapshot }: ShopAtRest): Finding[] {
  return [...snapshot].flatMap(([site, records]) =>
    [...records.values()].flatMap(({ key, reactions = {} }) =>
      Object.entries(reactions).flatMap(([reaction, { parked, detail, attempts = 0, dueMs }]) => {
        if (parked === undefined && (dueMs === undefined || attempts < 3)) return [];
        const what = parked === undefined ? `${attempts} attempts` : parked.reason;
        return [{ invariant: '7 orders', key, detail: `${site}: ${reaction}: ${what}: ${detail ?? ''}` }];
      }),
    ),
  );
}

/** What the survivors must agree on: all but their markers for a lost site, and what that said of itself. */
export function comparable(snapshot: Snapshot, lost: string | undefined): Snapshot {
  if (lost === undefined) return snapshot;
  return new Map(
    [...snapshot].map(([site, records]) => [
      site,
      new Map(
        [...records].flatMap(([key, record]) =>
          isReportOf(lost, key) ? [] : [[key, withoutMarker(record, lost)] as const],
        ),
      ),
    ]),
  );
}

function isReportOf(site: string, key: string): boolean {
  return isOwnReport(key) && key.split(':')[1]?.split('.')[0] === site;
}

function withoutMarker(record: StoredRecord, lost: string): StoredRecord {
  const { pendingSince, ...rest } = record;
  const pending = Object.fromEntries(Object.entries(record.pending).filter(([peer]) => peer !== lost));
  return {
    ...rest,
    pending,
    ...(Object.keys(pending).length > 0 && pendingSince !== undefined && { pendingSince }),
  };
}

/** The messages whose end matters: not those in a lost site's queues, nor those that it had sent and nobody takes. */
export function survivingMessages(
  messages: readonly MessageFact[],
  lost: string | undefined,
): readonly MessageFact[] {
  if (lost === undefined) return messages;
  return messages.filter(
    ({ site, poison, reasons }) => site !== lost && (poison || reasons.at(-1) !== 'foreign'),
  );
}
