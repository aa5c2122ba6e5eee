/** What must hold of a shop once all has come to rest: invariants 5, 6 and 7 over everything that happened. */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { type Finding, groupBy, type MessageFact, type Snapshot } from '../../history/facts.ts';
import { free, type Ledger, orderFact, orderIdOf, rowFact, sum } from './ledger.ts';
import type { PaymentObject } from './provider.ts';
import type { ReportedOrder } from './shop.ts';

export interface ShopAtRest {
  /** What the surviving sites hold. */
  readonly snapshot: Snapshot;
  readonly ledger: Ledger;
  readonly payments: readonly PaymentObject[];
  readonly reported: readonly ReportedOrder[];
  readonly lost: string | undefined;
}

/** Every order ends, everywhere alike, and as its payment says; every paid one is sold exactly once, or owed. */
export function checkOrders({ snapshot, ledger, payments, reported, lost }: ShopAtRest): Finding[] {
  const findings: Finding[] = [];
  const paymentsOf = groupBy(payments, orderIdOf);
  const find = (invariant: string, orderId: string, detail: string): void =>
    void findings.push({ invariant, key: `order:${orderId}`, detail });
  for (const { orderId } of ledger.ordered.values()) {
    const charged = (paymentsOf.get(orderId) ?? []).filter(({ status }) => status === 'charged');
    const sites = ledger.sales.get(orderId) ?? [];
    let known = false;
    for (const [site, records] of snapshot) {
      const order = orderFact(records.get(`order:${orderId}`));
      if (order === undefined) continue;
      known = true;
      if (order.state !== 'paid' && order.state !== 'cancelled')
        find('7 ownership', orderId, `never ends: ${order.state} at ${site}, owned by ${order.owner}`);
      if (order.state === 'paid' && (charged.length !== 1 || charged[0]?.claim !== order.stockSite))
        find(
          '6 payment',
          orderId,
          `paid at ${site} from ${order.stockSite}, charged ${charged.length} times`,
        );
      if (order.state === 'cancelled' && charged.length > 0)
        find('6 payment', orderId, `cancelled at ${site}, and charged`);
    }
    const claim = charged[0]?.claim;
    const owed = claim === undefined || claim === lost ? 0 : 1;
    if (known && sites.filter((site) => site !== lost).length !== owed)
      find('6 payment', orderId, `charged to ${claim}, sold at ${sites.join() || 'no site'}`);
  }
  for (const { orderId, site, state } of reported) {
    if (state !== 'paid' && state !== 'cancelled') continue;
    const charges = (paymentsOf.get(orderId) ?? []).filter(({ status }) => status === 'charged').length;
    if (charges !== (state === 'paid' ? 1 : 0))
      find('6 payment', orderId, `${site} told a client ${state}; charged ${charges} times`);
  }
  return findings;
}

/** Nothing is held for ever and nothing got lost: what came in is there, on its way, or was paid for. */
export function checkStock({ snapshot, ledger, lost }: ShopAtRest, skus: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  for (const sku of skus) {
    let there = lost === undefined ? 0 : ledger.chargedTo(sku, lost);
    let entered = sum((lost === undefined ? undefined : ledger.ownRow(sku, lost))?.receipts ?? {});
    for (const site of snapshot.keys()) {
      const key = `stock:${sku}~${site}`;
      const row = rowFact(snapshot.get(site)?.get(key));
      if (row === undefined) continue;
      const held = Object.keys(row.holds);
      if (held.length > 0) findings.push({ invariant: '5 stock', key, detail: `still holds ${held.join()}` });
      there += free(row) + row.sold + sum(row.holds);
      for (const to of snapshot.keys())
        there +=
          (row.given[to] ?? 0) - (rowFact(snapshot.get(to)?.get(`stock:${sku}~${to}`))?.taken[site] ?? 0);
      entered += sum(row.receipts);
      const brought = ledger.delivered.get(`${sku} ${site}`) ?? 0;
      if (sum(row.receipts) !== brought)
        findings.push({ invariant: '5 stock', key, detail: `${brought} came, ${sum(row.receipts)} entered` });
      if (lost !== undefined && row.fenced[lost] === undefined)
        findings.push({ invariant: '5 stock', key, detail: `${lost} was never cut off` });
    }
    if (there !== entered)
      findings.push({
        invariant: '5 stock',
        detail: `${entered} of ${sku} were entered, ${there} are accounted for`,
      });
  }
  return findings;
}

/** What the survivors must agree on: all but their markers for a lost site. */
export function comparable(snapshot: Snapshot, lost: string | undefined): Snapshot {
  if (lost === undefined) return snapshot;
  return new Map(
    [...snapshot].map(([site, records]) => [
      site,
      new Map([...records].map(([key, record]) => [key, withoutMarker(record, lost)])),
    ]),
  );
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
