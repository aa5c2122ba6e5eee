/** The second phase of an inventory (`inventory.ts`): all names of the storage, and which bytes no record uses. */
import {
  conflictKeptMs,
  inventoryAtOnce,
  inventoryHeardMs,
  inventoryNamesPage,
  inventorySettleMs,
  replacedKeptMs,
  uploadKeptMs,
} from '../bounds.ts';
import { heardMsAgo } from '../heartbeat.ts';
import { heartbeatKey } from '../heartbeat-record.ts';
import { readKeys } from '../isolate.ts';
import type { Protocol, Site } from '../protocol.ts';
import { isLive, partsOf, type RecordState, type StoredRecord } from '../record.ts';
import { type SiteId, stampMs, stampSite } from '../stamp.ts';
import { claim, CONTENT_PREFIX, type Held, HELD_BY, uploadOfName } from './content.ts';
import { type ListedObject, type ObjectProtocol, together } from './effects.ts';
import { Findings, type InventoryParts, type InventoryStep } from './inventory-step.ts';

/** By what an upload is kept in mind: 64 bits of it that nobody chooses. */
export function tailOf(upload: string): string {
  return upload.slice(-16);
}

/** Whether nothing is known to be under way that this site has not heard of: then it removes nothing. */
export function* areAllHeard({ peers, now, rebuilding }: Site): Protocol<boolean> {
  if (rebuilding === true) return false;
  const { held } = yield* readKeys(peers.map(heartbeatKey));
  return peers.every((peer) => {
    const ago = heardMsAgo(held.get(heartbeatKey(peer))?.record, now());
    return ago !== null && ago <= inventoryHeardMs;
  });
}

/** A name, the upload that it is of, and the record, as far as they are known. */
interface Named {
  readonly object: ListedObject;
  readonly key: string;
  readonly upload: string;
}

/** Goes on with the names; returns the same inventory as it then is. */
export function* readNames(
  site: Site,
  step: InventoryStep,
  parts: InventoryParts,
): ObjectProtocol<InventoryStep> {
  const findings = new Findings(step);
  let { cursor } = step;
  do {
    const page = (yield { op: 'objectList', prefix: CONTENT_PREFIX, limit: inventoryNamesPage, cursor }) as {
      readonly objects: readonly ListedObject[];
      readonly cursor?: string;
    };
    const unused = yield* unusedOf(site, page.objects, parts, findings);
    const removable = unused.filter((each) => mayGo(site, step, each));
    const doomed = removable.length > 0 && (yield* areAllHeard(site)) ? removable : [];
    for (let first = 0; first < doomed.length; first += inventoryAtOnce)
      yield* together(doomed.slice(first, first + inventoryAtOnce).map((each) => remove(each.object.name)));
    findings.count({ removed: doomed.length, removedBytes: bytesOf(doomed) });
    cursor = page.cursor;
  } while (cursor !== undefined && parts.goesOn());
  const { cursor: _, ...rest } = step;
  const ended = cursor === undefined ? { phase: 'ended' as const } : { cursor };
  return { ...rest, ...findings.found, ...ended };
}

function* remove(name: string): ObjectProtocol<void> {
  yield { op: 'objectDelete', name };
}

interface Unused extends Named {
  readonly record: StoredRecord;
  readonly held: Held | undefined;
}

/** What no record uses. Names of which nothing can be said are reported. */
function* unusedOf(
  site: Site,
  objects: readonly ListedObject[],
  { contents }: InventoryParts,
  findings: Findings,
): Protocol<readonly Unused[]> {
  const named = objects.flatMap((object): Named[] => {
    const of = uploadOfName(object.name);
    if (of !== undefined && contents.may(of.key)) return [{ object, ...of }];
    findings.count({ strange: 1 }, object.name);
    return [];
  });
  const { held: records, failed } = yield* readKeys([...new Set(named.map(({ key }) => key))]);
  const unused = named.flatMap((each): Unused[] => {
    const record = records.get(each.key)?.record;
    if (failed.has(each.key)) return [];
    if (record === undefined) {
      findings.count({ strange: 1 }, each.object.name);
      return [];
    }
    const held = contents.of(each.key, record.state, site.now());
    return held?.content.upload === each.upload ? [] : [{ ...each, record, held }];
  });
  findings.count({ unused: unused.length, unusedBytes: bytesOf(unused) });
  return unused;
}

function bytesOf(named: readonly Named[]): number {
  return named.reduce((sum, { object }) => sum + object.bytes, 0);
}

/** Whether an upload that no record uses has been so for long enough, and since before the records were read. */
function mayGo(site: Site, { atMs, conflicts }: InventoryStep, each: Unused): boolean {
  if (conflicts === undefined || conflicts.includes(tailOf(each.upload))) return false;
  const { sinceMs, keptMs } = unusedSince(site, each);
  const latestMs = Math.max(sinceMs, each.object.modifiedMs);
  return latestMs < atMs - inventorySettleMs && site.now() - latestMs > keptMs;
}

/**
 * Since when this site at least has known that an upload is not used, and how long it is kept after that. A stamp of another
 * site says nothing of when its write arrived here; what this site has written itself does.
 */
function unusedSince(
  { site, now }: Site,
  { upload, record, held, object }: Unused,
): { readonly sinceMs: number; readonly keptMs: number } {
  if (held === undefined)
    return isLive(record.state, now())
      ? { sinceMs: object.modifiedMs, keptMs: uploadKeptMs }
      : { sinceMs: record.goneSince ?? Infinity, keptMs: replacedKeptMs };
  const { content } = held;
  const claimedMs = claimedAtMs(record.state, claim(content.upload, site), site);
  // Where another site has written that claim, nobody knows: then no conflict about it can still be reviewed.
  const sinceMs = claimedMs ?? content.completedMs + conflictKeptMs;
  return { sinceMs, keptMs: announced(upload) > announced(content.upload) ? uploadKeptMs : replacedKeptMs };
}

/** When a site claimed an upload last, by its own write; undefined: it did not. */
function claimedAtMs(state: RecordState, mine: string, site: SiteId): number | undefined {
  const stamps = Object.values(partsOf(state, HELD_BY).set ?? {})
    .filter(([stamp, element]) => element === mine && stampSite(stamp) === site)
    .map(([stamp]) => stampMs(stamp));
  return stamps.length === 0 ? undefined : Math.max(...stamps);
}

/** Ids of uploads in the order in which they were announced. */
function announced(upload: string): string {
  return upload.slice(upload.lastIndexOf('.') + 1);
}
