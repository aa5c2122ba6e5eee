/**
 * Sweep: send again what has been pending for too long, as it is now.
 *
 * Invariant: whatever became of the message of a write, its marker is found here and the state crosses. The
 * sweeper sends to the peers itself, so a run is bounded by what it sends and no queue fills up with repeats. A run
 * that ends before the last key says where the next one goes on, so that every key has its turn, whoever is silent. A key
 * that fails for good, at this site's store or at a peer's queue, is named and passed over.
 */
import { sweepGraceMs, sweepKeysMax, sweepLooksMax, sweepPageSize } from '../bounds.ts';
import { isPermanent, isRetryable } from '../errors.ts';
import type { ExposurePage, PendingEntry } from '../ports/store.ts';
import { eventOf } from './event.ts';
import { cross, type Crossing } from './forward.ts';
import { byAge } from './index-attributes.ts';
import { readKeys } from './isolate.ts';
import { messageOf } from './message.ts';
import { pending, type Protocol, type Site } from './protocol.ts';
import type { SiteId } from './stamp.ts';

/** Peer → key of a record that can never be sent to it as it is, or whose marker can never be removed → why. */
export type RefusedKeys = Readonly<Record<SiteId, Readonly<Record<string, string>>>>;

export interface SweepReport {
  /** Keys that were due. */
  readonly looked: number;
  /** Keys whose state was sent again to at least one peer. */
  readonly resent: number;
  /** Peer that did not take it → why. */
  readonly silent: Readonly<Record<SiteId, string>>;
  /** What cannot be read, no longer fits a message, or a peer's queue can never take: a person must look. */
  readonly refused: RefusedKeys;
  /** Age of the oldest marker that was looked at, at the start of the run; 0 when nothing was due. */
  readonly oldestMs: number;
  /** The last entry that was looked at, when there may be more; the next run takes it as `after`. */
  readonly resume?: PendingEntry;
}

export interface SweepOptions {
  /** Where the run before stopped; undefined begins with the oldest key. */
  readonly after?: PendingEntry | undefined;
  /** A younger marker is left to the ordinary path. */
  readonly graceMs?: number;
  /** Keys that are sent before the run ends, give or take a page. */
  readonly keysMax?: number;
}

/**
 * One run: pages of due keys until the last one, from there on with the oldest when it did not begin with that; or
 * until every peer is silent, or until a bound is reached.
 * A peer that refuses one page is left out of the rest of the run.
 */
export function* sweep(site: Site, options: SweepOptions = {}): Protocol<SweepReport> {
  const { after, graceMs = sweepGraceMs, keysMax = sweepKeysMax } = options;
  const startMs = site.now();
  const silent: Record<SiteId, string> = {};
  const refused: Record<SiteId, Record<string, string>> = {};
  let [looked, resent, oldestMs] = [0, 0, 0];
  let resume = after;
  let fromStart = after === undefined;
  while (looked < sweepLooksMax && resent < keysMax && !isEverySilent(site, silent)) {
    const due = yield* duePage({ nowMs: startMs, graceMs }, resume);
    resume = due.at(-1);
    if (resume === undefined) {
      if (fromStart) break;
      fromStart = true;
      continue;
    }
    looked += due.length;
    oldestMs = Math.max(oldestMs, startMs - (due[0]?.sinceMs ?? startMs));
    const crossings = yield* stillPending(
      site,
      due.map(({ key }) => key),
      silent,
      refused,
    );
    const outcomes = yield* cross(crossings);
    outcomes.forEach(({ failed, uncleared }, index) => {
      const { key = '', markers = {} } = crossings[index] ?? {};
      for (const [peer, error] of Object.entries(failed)) {
        if (isRetryable(error)) silent[peer] = error.message;
        else refuse(refused, [peer], key, error);
      }
      const took = Object.keys(markers).filter((peer) => !Object.hasOwn(failed, peer));
      if (took.length > 0) resent += 1;
      if (uncleared !== undefined) refuse(refused, took, key, uncleared);
    });
  }
  return { looked, resent, silent, refused, oldestMs, ...(resume !== undefined && { resume }) };
}

/**
 * Whether a run would find anything, by a look at all that is pending: most of the time there is nothing, and looking
 * once costs a third of a run.
 */
export function isAnyDue({ entries, cutAtMs }: ExposurePage, nowMs: number, graceMs = sweepGraceMs): boolean {
  const isDue = ({ sinceMs }: PendingEntry): boolean => Math.abs(nowMs - sinceMs) >= graceMs;
  return cutAtMs !== undefined || entries.some(isDue);
}

function isEverySilent({ peers }: Site, silent: Readonly<Record<SiteId, string>>): boolean {
  return peers.every((peer) => Object.hasOwn(silent, peer));
}

/**
 * What is due after `after`: first all that is older than the grace, then what claims to be from the future. Such a
 * time was taken from a clock that was ahead; waiting for it could take as long as the clock was wrong.
 */
function* duePage(
  { nowMs, graceMs }: { nowMs: number; graceMs: number },
  after: PendingEntry | undefined,
): Protocol<readonly PendingEntry[]> {
  const page = yield* pending(nowMs - graceMs, sweepPageSize, after);
  if (page.length > 0) return page;
  const young: PendingEntry = { sinceMs: nowMs + graceMs, key: '' };
  const ahead = after === undefined || byAge(after, young) < 0 ? young : after;
  return yield* pending(Number.MAX_SAFE_INTEGER, sweepPageSize, ahead);
}

/**
 * The index may lag: only what the record itself still marks is sent, and only to peers that answer. Just the markers
 * that were read go with it.
 */
function* stillPending(
  site: Site,
  keys: readonly string[],
  silent: Readonly<Record<SiteId, string>>,
  refused: Record<SiteId, Record<string, string>>,
): Protocol<readonly Crossing[]> {
  const { held, failed } = yield* readKeys(keys);
  for (const [key, error] of failed) refuse(refused, site.peers, key, error);
  return [...held.values()].flatMap(({ record }) => {
    const markers = Object.fromEntries(
      Object.entries(record.pending).filter(
        ([peer]) => site.peers.includes(peer) && !Object.hasOwn(silent, peer),
      ),
    );
    if (Object.keys(markers).length === 0 || record.version === undefined) return [];
    try {
      const message = messageOf(eventOf(record, { source: site.site, nowMs: site.now() }));
      return [{ key: record.key, message, markers }];
    } catch (error) {
      if (!isPermanent(error)) throw error;
      refuse(refused, Object.keys(markers), record.key, error);
      return [];
    }
  });
}

function refuse(
  refused: Record<SiteId, Record<string, string>>,
  peers: readonly SiteId[],
  key: string,
  { message }: Error,
): void {
  for (const peer of peers) refused[peer] = { ...refused[peer], [key]: message };
}
