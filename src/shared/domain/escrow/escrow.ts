/** Reading and changing a site's own escrow rows. */
import { readKeys } from '@tandem-clouds/replication/isolate';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { restockBelowUnits, restockUnitsMax } from '../../bounds.ts';
import { ConflictError } from '../../errors.ts';
import { available, emptyRow, type EscrowRow, rowChange, rowOf, stockKey, unitsOfAll } from './row.ts';
import { count, fence, isRefusal, move, rebalance, receive, recover, type Refusal } from './transitions.ts';

/** The site's own row; an empty one when there is none yet. */
export function* ownRow(site: Site, sku: string): Protocol<EscrowRow> {
  return rowOf((yield* get(stockKey(sku, site.site)))?.record) ?? emptyRow(sku, site.site);
}

/** The rows of the peers, as they have arrived here; one that cannot be read counts as one that has not. */
function* peerRows(site: Site, sku: string): Protocol<readonly (EscrowRow | undefined)[]> {
  const keys = site.peers.map((peer) => stockKey(sku, peer));
  const { held } = yield* readKeys(keys);
  return keys.map((key) => rowOf(held.get(key)?.record));
}

/**
 * Changes the site's own row.
 * @param seen The row that `name` was decided on: with it, the name is the identity of the change.
 * @throws what `change` throws, which may be called several times, and what `localWrite` throws.
 */
export function* changeRow(
  site: Site,
  seen: EscrowRow,
  name: string,
  change: (row: EscrowRow) => EscrowRow,
): Protocol<EscrowRow> {
  if (change(seen) === seen) return seen;
  const record = yield* localWrite(site, {
    key: stockKey(seen.sku, site.site),
    operationId: `${name}/${seen.sequence}`,
    decide: (current) => {
      const row = rowOf(current) ?? emptyRow(seen.sku, site.site);
      const changed = change(row);
      if (changed === row) return undefined;
      const createdAt = row.sequence === 0 && { createdAt: new Date(site.now()).toISOString() };
      return { ...rowChange(row, changed), ...createdAt };
    },
  });
  return rowOf(record) ?? seen;
}

/** The rows of all sites that have one, as far as they have arrived here. */
export function* readStock(site: Site, sku: string): Protocol<readonly EscrowRow[]> {
  return (yield* readStockOf(site, [sku])).get(sku) ?? [];
}

/** The shares of several products, in one read; of those that there are. */
export function* readStockOf(
  site: Site,
  skus: readonly string[],
): Protocol<ReadonlyMap<string, readonly EscrowRow[]>> {
  const sites = [site.site, ...site.peers, ...(site.retired ?? [])];
  const { held } = yield* readKeys(skus.flatMap((sku) => sites.map((each) => stockKey(sku, each))));
  const rows = [...held.values()].flatMap(({ record }) => rowOf(record) ?? []);
  return Map.groupBy(rows, ({ sku }) => sku);
}

/** Enters a count of the shelf of this site; or says why not. @throws what `localWrite` throws. */
export function* countStock(
  site: Site,
  sku: string,
  counted: { units: number },
): Protocol<Refusal['refused'] | undefined> {
  const row = yield* ownRow(site, sku);
  return yield* changeOrRefuse(site, row, `count/${counted.units}`, (current) => count(current, counted));
}

/** Gives a peer units of this site; or says why not. @param moved.moveId Names the move. @throws what `localWrite` throws. */
export function* moveStock(
  site: Site,
  sku: string,
  { moveId, ...moved }: { to: SiteId; units: number; moveId: string },
): Protocol<Refusal['refused'] | undefined> {
  const row = yield* ownRow(site, sku);
  return yield* changeOrRefuse(site, row, `move/${moveId}`, (current) => move(current, moved));
}

function* changeOrRefuse(
  site: Site,
  seen: EscrowRow,
  name: string,
  change: (row: EscrowRow) => EscrowRow | Refusal,
): Protocol<Refusal['refused'] | undefined> {
  let refused: Refusal['refused'] | undefined;
  yield* changeRow(site, seen, name, (current) => {
    const changed = change(current);
    refused = isRefusal(changed) ? changed.refused : undefined;
    return isRefusal(changed) ? current : changed;
  });
  return refused;
}

/** Books goods in: the total of a book so far. @throws what `localWrite` throws. */
export function* receiveStock(
  site: Site,
  sku: string,
  receipt: { book: string; total: number },
): Protocol<EscrowRow> {
  const row = yield* ownRow(site, sku);
  const name = `receive/${receipt.book}/${receipt.total}`;
  return yield* changeRow(site, row, name, (current) => receive(current, receipt));
}

/**
 * Takes and gives what is due, and asks for more where little is left. Run it when a peer's row has given or asked, and when
 * little is left.
 * @param neededUnits What somebody waits for. @throws what `localWrite` throws.
 */
export function* rebalanceStock(site: Site, sku: string, neededUnits = 0): Protocol<EscrowRow> {
  const row = yield* ownRow(site, sku);
  const balance = yield* balancing(site, sku, neededUnits);
  return yield* changeRow(site, row, `rebalance/${balance.name}`, balance.change);
}

/**
 * Changes the site's own row. What becomes available by that is given to whoever has asked for it, in the very same write: a
 * function may die before the next one.
 * @throws what `localWrite` throws.
 */
export function* changeAndShare(
  site: Site,
  sku: string,
  name: string,
  change: (row: EscrowRow) => EscrowRow,
): Protocol<EscrowRow> {
  const row = yield* ownRow(site, sku);
  const frees = (current: EscrowRow): boolean => available(change(current)) > available(current);
  if (!frees(row)) return yield* changeRow(site, row, name, change);
  const balance = yield* balancing(site, sku, 0);
  return yield* changeRow(site, row, `${name}/${balance.name}`, (current) =>
    frees(current) ? balance.change(change(current)) : change(current),
  );
}

interface Balancing {
  /** Who knows more of the peers makes another change, of the same version of the row too. */
  readonly name: string;
  readonly change: (row: EscrowRow) => EscrowRow;
}

function* balancing(site: Site, sku: string, neededUnits: number): Protocol<Balancing> {
  const peers = (yield* peerRows(site, sku)).filter((peer) => peer !== undefined);
  const restocking = { belowUnits: restockBelowUnits, unitsMax: restockUnitsMax, neededUnits };
  return {
    name: [...peers.map(({ sequence }) => sequence), neededUnits].join('.'),
    change: (row) => rebalance(row, peers, restocking),
  };
}

/** What peers seem to have and could give, and what is on its way between sites: from there it may come here. */
export function* unitsElsewhere(site: Site, sku: string): Protocol<number> {
  const row = yield* ownRow(site, sku);
  const peers = (yield* peerRows(site, sku)).filter((peer) => peer !== undefined);
  const others = peers.filter((peer) => row.fenced[peer.site] === undefined);
  return unitsOfAll([row, ...others]) - available(row);
}

/** Cuts a lost site off from this site's stock. @throws what `localWrite` throws. */
export function* fenceSite(
  site: Site,
  sku: string,
  cut: { lost: SiteId; heir: SiteId },
): Protocol<EscrowRow> {
  const row = yield* ownRow(site, sku);
  return yield* changeRow(site, row, `fence/${cut.lost}`, (current) => fence(current, cut));
}

/**
 * Enters the count of a lost site's share; the peers are the survivors.
 * @throws ConflictError when not every survivor's fence has arrived here, or another count was entered before.
 */
export function* recoverStock(
  site: Site,
  sku: string,
  count: { lost: SiteId; units: number },
): Protocol<EscrowRow> {
  const row = yield* ownRow(site, sku);
  const survivors = yield* peerRows(site, sku);
  return yield* changeRow(site, row, `recover/${count.lost}`, (current) =>
    accepted(recover(current, { ...count, survivors })),
  );
}

function accepted(result: EscrowRow | Refusal): EscrowRow {
  if (isRefusal(result)) throw new ConflictError(`the count cannot be entered: ${result.refused}`);
  return result;
}
