/**
 * What is known of the latest inventory of a site: a record like any other, so every site can tell.
 *
 * Invariant: only the site whose inventory it is writes it. A step of an earlier inventory than the one that is noted changes
 * nothing, and is the last of it: so at one site one inventory goes on.
 */
import { inventoryAgainMs, inventoryEveryMs } from '../bounds.ts';
import type { Json } from '../json.ts';
import { localWrite } from '../local-write.ts';
import { isConfined, openName } from '../placement.ts';
import { get, type Protocol, type Site } from '../protocol.ts';
import type { StoredRecord } from '../record.ts';
import { VERIFICATION } from '../reserved.ts';
import type { SiteId } from '../stamp.ts';
import { uploadOfName } from './content.ts';
import { firstStep, type InventoryCounts, type InventoryStep, NO_COUNTS } from './inventory-step.ts';

/** The latest inventory of a site. */
export interface InventoryReport {
  readonly id: string;
  readonly read: boolean;
  /** Epoch milliseconds: when it began, when it was heard of last, and when it ended; absent: it goes on. */
  readonly atMs: number;
  readonly notedMs: number;
  readonly endedMs?: number;
  readonly phase: InventoryStep['phase'];
  readonly counts: InventoryCounts;
  readonly examples: readonly string[];
  /** The last account whose sum it has made; absent: there are none behind it. */
  readonly account?: string;
  /** The last one that has ended. */
  readonly before?: { readonly endedMs: number; readonly counts: InventoryCounts };
}

const FIELD = 'inventory';

/** What stands behind the dot is no name of a site; what stands before it, who writes the record (`belief.ts`). */
export function inventoryKey(site: SiteId): string {
  return `${VERIFICATION}:${site}.~content`;
}

/** The inventory that a record tells of; undefined when there was none, or the record holds none. */
export function inventoryOf(record: StoredRecord | undefined): InventoryReport | undefined {
  const value = record?.state.fields[FIELD]?.[1] as Partial<InventoryReport> | null | undefined;
  if (typeof value !== 'object' || value === null || typeof value.id !== 'string') return undefined;
  if (typeof value.atMs !== 'number' || typeof value.notedMs !== 'number') return undefined;
  // A release before counted less.
  return { ...(value as InventoryReport), counts: { ...NO_COUNTS, ...value.counts } };
}

/**
 * Begins an inventory and returns its first step; undefined: it is not yet time for one.
 * @param asked An operator wants one now; one that goes on ends then.
 */
export function* beginInventory(
  site: Site,
  {
    id,
    read = false,
    asked = false,
  }: { readonly id: string; readonly read?: boolean; readonly asked?: boolean },
): Protocol<InventoryStep | undefined> {
  if (site.rebuilding === true) return undefined;
  const known = inventoryOf((yield* get(inventoryKey(site.site)))?.record);
  if (!asked && known !== undefined && !isTime(known, site.now())) return undefined;
  const step = firstStep(site, { id, read, after: known?.account });
  yield* noteInventory(site, step);
  return step;
}

/** Clocks that were ahead count for nothing. */
function isTime({ endedMs, notedMs, atMs }: InventoryReport, nowMs: number): boolean {
  return endedMs === undefined
    ? Math.abs(nowMs - notedMs) > inventoryAgainMs
    : Math.abs(nowMs - atMs) >= inventoryEveryMs;
}

/** Notes how far an inventory has come. False when another has begun meanwhile. */
export function* noteInventory(site: Site, step: InventoryStep): Protocol<boolean> {
  let isLatest = true;
  yield* localWrite(site, {
    key: inventoryKey(site.site),
    operationId: `${step.id}.${step.steps}`,
    decide: (current) => {
      const known = inventoryOf(current);
      isLatest = step.steps === 0 || known?.id === step.id;
      if (!isLatest) return current === undefined ? {} : undefined;
      return { [FIELD]: reportOf(site, step, known) as unknown as Json };
    },
  });
  return isLatest;
}

function reportOf(site: Site, step: InventoryStep, known: InventoryReport | undefined): InventoryReport {
  const { id, read, atMs, phase, counts, examples, sums } = step;
  const nowMs = site.now();
  const before =
    known?.endedMs === undefined ? known?.before : { endedMs: known.endedMs, counts: known.counts };
  const last = sums.until === undefined ? undefined : Object.keys(sums.of).sort().at(-1);
  return {
    id,
    read,
    atMs,
    notedMs: nowMs,
    phase,
    counts,
    // It is kept everywhere: what is confined is not named in it.
    examples: [...new Set(examples.map((name) => openly(site, name)))],
    ...(phase === 'ended' && { endedMs: nowMs }),
    ...(last !== undefined && { account: last }),
    ...(before !== undefined && { before }),
  };
}

/** Of a name in the storage the record that it is of. */
function openly(site: Site, name: string): string {
  const key = uploadOfName(name)?.key;
  return key !== undefined && !isConfined(site, { key }) ? name : openName(site, key ?? name);
}
