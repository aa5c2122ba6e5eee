/**
 * What the owner of an escrow row may do to it. Pure: from the row to the next one, or the very same row when there is
 * nothing to do, or a refusal.
 *
 * Invariant: `available` never becomes negative, and units move between sites by cumulative quantities only: a
 * repeated, late or reordered request finds its effect already there. Nothing has to be remembered of an operation
 * that is over: receipts and transfers are totals, and a hold ends with its order, whose record is the memory.
 */
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { holdsLookMs, holdsMax } from '../../bounds.ts';
import { available, type EscrowRow, total, type Units } from './row.ts';

/** The book of what a count has found beyond the other books. */
const COUNTED = '$counted';

/**
 * Why not. `short`: not enough is available. `full`: too many holds for one record. `held`: more is held for orders than was
 * counted. `fenced`: the other site is cut off.
 */
export interface Refusal {
  readonly refused: 'short' | 'full' | 'held' | 'fenced' | 'not fenced everywhere' | 'counted before';
}

export function isRefusal(result: EscrowRow | Refusal): result is Refusal {
  return 'refused' in result;
}

/** The next version of the row. */
function next(row: EscrowRow, changes: Partial<EscrowRow>): EscrowRow {
  return { ...row, ...changes, sequence: row.sequence + 1 };
}

/** Goods came in: a book's total so far, from the books that this site alone keeps. A lower total is an old one. */
export function receive(row: EscrowRow, { book, total }: { book: string; total: number }): EscrowRow {
  if (total <= (row.receipts[book] ?? 0)) return row;
  return next(row, { receipts: { ...row.receipts, [book]: total } });
}

/**
 * What lies on the shelf of this site was counted: what waits for an order is among it, what was sold is not. What is
 * missing is written off, what is too much comes in by a book of its own.
 */
export function count(row: EscrowRow, { units }: { units: number }): EscrowRow | Refusal {
  const held = total(row.holds);
  if (units < held) return { refused: 'held' };
  const more = units - held - available(row);
  if (more === 0) return row;
  if (more < 0) return next(row, { writtenOff: row.writtenOff - more });
  return next(row, { receipts: { ...row.receipts, [COUNTED]: (row.receipts[COUNTED] ?? 0) + more } });
}

/** Gives a peer more than it has asked for: somebody moves the goods. */
export function move(row: EscrowRow, { to, units }: { to: SiteId; units: number }): EscrowRow | Refusal {
  if (row.fenced[to] !== undefined) return { refused: 'fenced' };
  if (units > available(row)) return { refused: 'short' };
  return next(row, { given: { ...row.given, [to]: (row.given[to] ?? 0) + units } });
}

/** Holds units for an order. The caller vouches that the order is not over: see `orders/reserve.ts`. */
export function reserve(
  row: EscrowRow,
  { orderId, units, nowMs }: { orderId: string; units: number; nowMs: number },
): EscrowRow | Refusal {
  if (row.holds[orderId] !== undefined) return row;
  if (available(row) < units) return { refused: 'short' };
  if (Object.keys(row.holds).length >= holdsMax) return { refused: 'full' };
  const lookMs = row.lookMs === 0 ? nowMs + holdsLookMs : row.lookMs;
  return next(row, { holds: { ...row.holds, [orderId]: units }, lookMs });
}

/** The order is paid from this stock. Without a hold it has been committed before. */
export function commit(row: EscrowRow, orderId: string): EscrowRow {
  const { [orderId]: units, ...holds } = row.holds;
  return units === undefined ? row : next(row, { ...left(row, holds), sold: row.sold + units });
}

/** The order ended without this stock. */
export function release(row: EscrowRow, orderId: string): EscrowRow {
  const { [orderId]: units, ...holds } = row.holds;
  return units === undefined ? row : next(row, left(row, holds));
}

function left({ lookMs }: EscrowRow, holds: Units): Pick<EscrowRow, 'holds' | 'lookMs'> {
  return { holds, lookMs: Object.keys(holds).length === 0 ? 0 : lookMs };
}

/** The holds have been looked through: those that are left wait for orders that are not over. */
export function looked(row: EscrowRow, nowMs: number): EscrowRow {
  return row.lookMs === 0 || row.lookMs > nowMs ? row : next(row, { lookMs: nowMs + holdsLookMs });
}

/** Gives a peer what it asked for, as far as there is. */
export function give(row: EscrowRow, { to, target }: { to: SiteId; target: number }): EscrowRow {
  if (row.fenced[to] !== undefined) return row;
  const given = row.given[to] ?? 0;
  const units = Math.min(target - given, available(row));
  return units <= 0 ? row : next(row, { given: { ...row.given, [to]: given + units } });
}

/** Takes what a peer has given, as its row says. An older copy of that row adds nothing. */
export function take(row: EscrowRow, peer: EscrowRow): EscrowRow {
  if (row.fenced[peer.site] !== undefined) return row;
  const given = peer.given[row.site] ?? 0;
  if (given <= (row.taken[peer.site] ?? 0)) return row;
  return next(row, { taken: { ...row.taken, [peer.site]: given } });
}

/** Asks a peer for more than it has given so far by its row. */
export function query(row: EscrowRow, peer: EscrowRow, units: number): EscrowRow {
  const target = (peer.given[row.site] ?? 0) + units;
  if (units <= 0 || target <= (row.asked[peer.site] ?? 0)) return row;
  return next(row, { asked: { ...row.asked, [peer.site]: target } });
}

/** Asks no more for what a peer has not got: it would be given away there long after, from under an order that waits for it. */
function retract(row: EscrowRow, peer: EscrowRow): EscrowRow {
  const given = peer.given[row.site] ?? 0;
  if ((row.asked[peer.site] ?? 0) <= given || available(peer) > 0) return row;
  return next(row, { asked: { ...row.asked, [peer.site]: given } });
}

/**
 * Cuts off a site that is lost for good: what it has given and was not yet taken stays where the count will find it.
 * The first heir stays, so that two sites can never both enter the count.
 */
export function fence(row: EscrowRow, { lost, heir }: { lost: SiteId; heir: SiteId }): EscrowRow {
  if (row.fenced[lost] !== undefined) return row;
  return next(row, { fenced: { ...row.fenced, [lost]: heir } });
}

/**
 * Enters what people counted of a lost site's share: all that is there, less what was paid for from it. Only once,
 * only at the heir, and only when every survivor's row says that it is cut off; what a survivor takes later would
 * count twice.
 */
export function recover(
  row: EscrowRow,
  { lost, units, survivors }: { lost: SiteId; units: number; survivors: readonly (EscrowRow | undefined)[] },
): EscrowRow | Refusal {
  if (![row, ...survivors].every((each) => each?.fenced[lost] === row.site))
    return { refused: 'not fenced everywhere' };
  const before = row.recovered[lost];
  if (before === undefined) return next(row, { recovered: { ...row.recovered, [lost]: units } });
  return before === units ? row : { refused: 'counted before' };
}

/** When a site asks for more, and for how much at most. */
export interface Restocking {
  readonly belowUnits: number;
  readonly unitsMax: number;
  /** What an order waits for: asked for even where it is more than half. */
  readonly neededUnits?: number;
}

/** Takes what was given, gives what was asked for, and asks the peer that seems to have most when little is left: it alone, anew. */
export function rebalance(row: EscrowRow, peers: readonly EscrowRow[], restocking: Restocking): EscrowRow {
  let result = row;
  for (const peer of peers) result = take(result, peer);
  // What was taken from one may be what another waits for.
  for (const peer of peers) result = give(result, { to: peer.site, target: peer.asked[row.site] ?? 0 });
  for (const peer of peers) result = retract(result, peer);
  const left = available(result);
  const { belowUnits, unitsMax, neededUnits = 0 } = restocking;
  if (left >= Math.max(belowUnits, neededUnits)) return result;
  const open = peers.filter((peer) => result.fenced[peer.site] === undefined);
  const richest = open.reduce<EscrowRow | undefined>(
    (best, peer) => (best === undefined || available(peer) > available(best) ? peer : best),
    undefined,
  );
  if (richest === undefined) return result;
  // Half the difference, and nothing that makes the other one short: what is little moves for an order alone, or two sites
  // that are both short would send the same unit to and fro, away from the order that waits for it.
  const there = available(richest);
  const spare = Math.min(Math.floor((there - left) / 2), there - belowUnits);
  return query(result, richest, Math.min(unitsMax, there, Math.max(spare, neededUnits - left)));
}
