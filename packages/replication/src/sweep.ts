/**
 * Sweep: send again what has been pending for too long, as it is now.
 *
 * Invariant: whatever became of the message of a write, its marker is found here and the state crosses. The
 * sweeper sends to the peers itself, so a run is bounded by what it sends and no queue fills up with repeats. A run
 * that ends before the last key says where the next one goes on, so that every key has its turn, whoever is silent. A key
 * that fails for good, at this site's store or at a peer's queue, is named and passed over. A marker for a peer that does
 * not keep the record, which a release before has set, is cleared and nothing is sent.
 *
 * A full page is a backlog: then pages are swept side by side, and their events cross in packs (`packs.ts`) to peers that
 * understand them. What has become due lately is swept first, a page of it each run: a write whose message is lost beside a
 * backlog does not wait for the end of that. Whoever throttles sets the pace: this site's store for the run, a peer's queue for that peer alone.
 */
import { ARCHIVE, isArchived, receivers, receiversOf } from './archive.ts';
import {
  sweepGainMin,
  sweepGraceMs,
  sweepKeysMax,
  sweepLatelyMs,
  sweepPageSize,
  sweepRestMaxMs,
  sweepRestShare,
  sweepRunMs,
  sweepScansMax,
  sweepThrottlesMax,
  sweepWidthMax,
  sweepWidthRounds,
} from './bounds.ts';
import { chunk } from './chunk.ts';
import { isPermanent, isRetryable, ThrottledError } from './errors.ts';
import { eventOf } from './event.ts';
import { cross, type Crossing, type CrossingResult } from './forward.ts';
import { byAge } from './index-attributes.ts';
import { readKeys } from './isolate.ts';
import { messageOf } from './message.ts';
import { sendPacked } from './packs.ts';
import { keeps } from './placement.ts';
import type { ExposurePage, PendingEntry } from './ports/store.ts';
import { all, clearPending, pending, type Protocol, send, type Site, sleep } from './protocol.ts';
import { entityOf, type StoredRecord } from './record.ts';
import { UNIQUE } from './reserved.ts';
import { areUnderstood, PACKS } from './semantics.ts';
import type { SiteId } from './stamp.ts';

/** Peer → key of a record that can never be sent to it as it is, or whose marker can never be removed → why. */
export type RefusedKeys = Readonly<Record<SiteId, Readonly<Record<string, string>>>>;

export interface SweepReport {
  /** Keys that were due. */
  readonly scanned: number;
  /** Keys whose state was sent again to at least one peer. */
  readonly resent: number;
  /** Peer that did not take it → why. */
  readonly silent: Readonly<Record<SiteId, string>>;
  /** Peer whose queue still throttled when the run ended → what it said. */
  readonly throttling: Readonly<Record<SiteId, string>>;
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
  /** How long the run goes on while there is a backlog, in milliseconds. */
  readonly runMs?: number;
  /** Entries of the index in one page. */
  readonly pageSize?: number;
  /** Whether what is swept may cross in packs: only a function that has the queues of comparisons sends any. */
  readonly packs?: boolean;
}

/**
 * One run: pages of due keys until the last one, from there on with the oldest when it did not begin with that; or
 * until every peer is silent, or until a bound is reached.
 * A peer that refuses one page is left out of the rest of the run; one that throttles, for as long as it asks for.
 */
export function* sweep(site: Site, options: SweepOptions = {}): Protocol<SweepReport> {
  const {
    after,
    graceMs = sweepGraceMs,
    keysMax = sweepKeysMax,
    runMs = sweepRunMs,
    pageSize = sweepPageSize,
  } = options;
  const startMs = site.now();
  const run = new Run(site);
  let scanned = 0;
  let idle = 0;
  let oldestMs = 0;
  let resume = after;
  let fromStart = after === undefined;
  let lanes: readonly SiteId[] | undefined;
  if (after !== undefined) scanned += yield* run.lately(after, startMs - graceMs, pageSize);
  while (idle < sweepScansMax && run.resent < keysMax && site.now() - startMs < runMs) {
    const waitMs = run.waitMs();
    if (waitMs === undefined || site.now() + waitMs - startMs >= runMs) break;
    if (waitMs > 0) yield* sleep(waitMs);
    const limit = pageSize * run.width;
    const due = yield* run.patiently(duePage({ nowMs: startMs, graceMs, limit }, resume));
    if (due === undefined) continue;
    const last = due.at(-1);
    if (last === undefined) {
      resume = undefined;
      if (fromStart) break;
      fromStart = true;
      continue;
    }
    if (due.length >= pageSize && options.packs === true) lanes ??= yield* packTakers(site);
    const before = run.resent;
    const pageMs = site.now();
    oldestMs = Math.max(oldestMs, startMs - (due[0]?.sinceMs ?? startMs));
    const isSwept = yield* run.page(chunk(due, pageSize), due.length < pageSize ? [] : (lanes ?? []));
    scanned += due.length;
    idle = run.resent > before ? 0 : idle + due.length;
    // What was throttled has its turn again at once, unless somebody else would have to wait for it.
    if (isSwept) resume = last;
    if (isSwept && due.length >= pageSize)
      yield* sleep(Math.min(sweepRestMaxMs, Math.max(0, site.now() - pageMs) * sweepRestShare));
  }
  const { resent, silent, throttling, refused } = run;
  return { scanned, resent, silent, throttling, refused, oldestMs, ...(resume !== undefined && { resume }) };
}

/** What one run knows of its peers, and at which pace it goes. */
class Run {
  readonly #site: Site;
  readonly silent: Record<SiteId, string> = {};
  readonly refused: Record<SiteId, Record<string, string>> = {};
  /** Peer that throttles → when it wants to be asked again, by this site's clock. */
  readonly #busy = new Map<SiteId, number>();
  /** Peer → refusals in a row. */
  readonly #refusals = new Map<SiteId, number>();
  readonly throttling: Record<SiteId, string> = {};
  #storeRefusals = 0;
  /** Refusals of everybody, all together. */
  #throttles = 0;
  #storeWaitMs = 0;
  /** Keys a millisecond of the last round that was one page narrower. */
  #narrowerRate = 0;
  /** Rounds for which the width stays as it is. */
  #settledRounds = 0;
  resent = 0;
  width = 1;

  constructor(site: Site) {
    this.#site = site;
  }

  #answering(): readonly SiteId[] {
    return receivers(this.#site).filter((peer) => !Object.hasOwn(this.silent, peer));
  }

  /** How long nothing can be done; undefined when nothing can any more. */
  waitMs(): number | undefined {
    const open = this.#answering();
    if (open.length === 0) return undefined;
    if (this.#storeRefusals > sweepThrottlesMax) return undefined;
    const nowMs = this.#site.now();
    const untilMs = Math.min(...open.map((peer) => this.#busy.get(peer) ?? nowMs));
    const storeMs = this.#storeWaitMs;
    this.#storeWaitMs = 0;
    if (untilMs > nowMs) this.#busy.clear();
    return Math.max(storeMs, untilMs - nowMs);
  }

  /** Runs a protocol that reads; undefined when the store throttles it, which slows the run down. */
  *patiently<Result>(protocol: Protocol<Result>): Protocol<Result | undefined> {
    try {
      return yield* protocol;
    } catch (error) {
      if (!(error instanceof ThrottledError)) throw error;
      this.#storeThrottles(error);
      return undefined;
    }
  }

  #storeThrottles({ retryAfterMs }: ThrottledError): void {
    this.#throttles += 1;
    this.#storeRefusals += 1;
    this.#storeWaitMs = Math.max(this.#storeWaitMs, retryAfterMs);
    this.width = Math.max(1, Math.floor(this.width / 2));
  }

  /** Widens the sweep for as long as that gets more across: beyond it, it only stands in the way of live traffic. */
  #widen(keysPerMs: number): void {
    const gained = this.width === 1 || keysPerMs >= this.#narrowerRate * sweepGainMin;
    if (!gained) {
      this.width -= 1;
      this.#settledRounds = sweepWidthRounds;
    } else if (this.#settledRounds > 0) this.#settledRounds -= 1;
    else if (this.width < sweepWidthMax) {
      this.#narrowerRate = keysPerMs;
      this.width += 1;
    }
  }

  /**
   * A page of what has become due since about the run before, when this one goes on far behind it. These are live writes
   * whose messages were lost while there is a backlog: they need not wait for all of it. Returns how many there were.
   */
  *lately(after: PendingEntry, dueMs: number, limit: number): Protocol<number> {
    const since: PendingEntry = { sinceMs: dueMs - sweepLatelyMs, key: '' };
    if (byAge(after, since) >= 0) return 0;
    const due = (yield* this.patiently(pending(dueMs, limit, since))) ?? [];
    if (due.length > 0) yield* this.page([due], []);
    return due.length;
  }

  /** Sweeps parts of a page side by side. False when it is to be swept again: nobody takes anything at the moment. */
  *page(parts: readonly (readonly PendingEntry[])[], lanes: readonly SiteId[]): Protocol<boolean> {
    const refusalsBefore = this.#throttles;
    const startMs = this.#site.now();
    const sentBefore = this.resent;
    const swept = yield* all(parts.map((part) => this.#part(part, lanes)));
    if (swept.some((isRead) => !isRead)) return false;
    if (this.#throttles > refusalsBefore) return !this.#isEveryBusy();
    this.#storeRefusals = 0;
    if (lanes.length > 0) this.#widen((this.resent - sentBefore) / Math.max(1, this.#site.now() - startMs));
    return true;
  }

  /** False when the store did not let itself be read. */
  *#part(due: readonly PendingEntry[], lanes: readonly SiteId[]): Protocol<boolean> {
    const site = this.#site;
    const crossings = yield* this.patiently(this.#stillPending(due.map(({ key }) => key)));
    if (crossings === undefined) return false;
    const throttled = (error: ThrottledError): void => this.#storeThrottles(error);
    const single = crossings.filter(({ key }) => isWatched(site, key));
    const packed = crossings.filter(({ key }) => !isWatched(site, key));
    this.#note(single, yield* cross(single, { throttled }));
    const results = yield* cross(packed, {
      sendTo: (peer, messages) =>
        lanes.includes(peer) ? sendPacked(site, peer, messages) : send(peer, messages),
      throttled,
    });
    this.#note(packed, results);
    return true;
  }

  #note(crossings: readonly Crossing[], results: readonly CrossingResult[]): void {
    const accepting = new Set<SiteId>();
    const throttling = new Map<SiteId, ThrottledError>();
    results.forEach(({ failed, uncleared }, index) => {
      const { key = '', markers = {} } = crossings[index] ?? {};
      const took = Object.keys(markers).filter((peer) => !Object.hasOwn(failed, peer));
      for (const peer of took) accepting.add(peer);
      for (const [peer, error] of Object.entries(failed)) {
        if (error instanceof ThrottledError) throttling.set(peer, error);
        else if (isRetryable(error)) this.silent[peer] = error.message;
        else refuse(this.refused, [peer], key, error);
      }
      if (took.length > 0) this.resent += 1;
      if (uncleared !== undefined) refuse(this.refused, took, key, uncleared);
    });
    for (const peer of accepting) {
      this.#refusals.delete(peer);
      Reflect.deleteProperty(this.throttling, peer);
    }
    for (const [peer, error] of throttling) this.#peerThrottles(peer, error);
  }

  #peerThrottles(peer: SiteId, { message, retryAfterMs }: ThrottledError): void {
    this.#throttles += 1;
    const refusals = (this.#refusals.get(peer) ?? 0) + 1;
    this.#refusals.set(peer, refusals);
    this.throttling[peer] = message;
    if (refusals > sweepThrottlesMax) this.silent[peer] = message;
    this.#busy.set(peer, this.#site.now() + retryAfterMs);
    this.width = Math.max(1, Math.floor(this.width / 2));
  }

  #isEveryBusy(): boolean {
    const nowMs = this.#site.now();
    return this.#answering().every((peer) => (this.#busy.get(peer) ?? nowMs) > nowMs);
  }

  *#clearForeign(records: readonly StoredRecord[]): Protocol<void> {
    const requests = records.flatMap((record) => {
      const foreign = Object.entries(record.pending).filter(([peer]) => isForeign(this.#site, peer, record));
      return foreign.length === 0 ? [] : [{ key: record.key, accepted: Object.fromEntries(foreign) }];
    });
    if (requests.length > 0) yield* clearPending(requests);
  }

  /**
   * The index may lag: only what the record itself still marks is sent, and only to peers that answer. Just the markers
   * that were read go with it.
   */
  *#stillPending(keys: readonly string[]): Protocol<readonly Crossing[]> {
    const site = this.#site;
    const { held, failed } = yield* readKeys(keys);
    for (const [key, error] of failed) refuse(this.refused, receivers(site), key, error);
    const nowMs = site.now();
    yield* this.#clearForeign([...held.values()].map(({ record }) => record));
    const takes = (peer: SiteId, record: StoredRecord): boolean =>
      receiversOf(site, record).includes(peer) &&
      !Object.hasOwn(this.silent, peer) &&
      (this.#busy.get(peer) ?? nowMs) <= nowMs;
    return [...held.values()].flatMap(({ record }) => {
      const markers = Object.fromEntries(
        Object.entries(record.pending).filter(([peer]) => takes(peer, record)),
      );
      if (Object.keys(markers).length === 0 || record.version === undefined) return [];
      try {
        const message = messageOf(eventOf(record, { source: site.site, nowMs: site.now() }));
        return [{ key: record.key, message, markers }];
      } catch (error) {
        if (!isPermanent(error)) throw error;
        refuse(this.refused, Object.keys(markers), record.key, error);
        return [];
      }
    });
  }
}

/**
 * Whether it never crosses in a pack: whoever moves the right to write an entity looks at the inbound queue of the next site,
 * and there everything must be that this one has let go of.
 */
function isWatched({ declaredWriter }: Site, key: string): boolean {
  return declaredWriter !== undefined && (entityOf(key) === UNIQUE || declaredWriter(key) !== undefined);
}

/** Whether a receiver is not to have the record: a release before, or one with an archive, has set the marker. */
function isForeign(site: Site, peer: SiteId, record: StoredRecord): boolean {
  return peer === ARCHIVE ? !isArchived(site, record) : !keeps(site, peer, record);
}

/** Peers whose release understands packs, by their heartbeats. */
function* packTakers(site: Site): Protocol<readonly SiteId[]> {
  const takers: SiteId[] = [];
  for (const peer of site.peers)
    if (yield* areUnderstood({ ...site, peers: [peer] }, PACKS)) takers.push(peer);
  return takers;
}

/**
 * Whether a run would find anything, by a look at all that is pending: most of the time there is nothing, and looking
 * once costs a third of a run.
 */
export function isAnyDue({ entries, cutAtMs }: ExposurePage, nowMs: number, graceMs = sweepGraceMs): boolean {
  const isDue = ({ sinceMs }: PendingEntry): boolean => Math.abs(nowMs - sinceMs) >= graceMs;
  return cutAtMs !== undefined || entries.some(isDue);
}

/**
 * What is due after `after`: first all that is older than the grace, then what claims to be from the future. Such a
 * time was taken from a clock that was ahead; waiting for it could take as long as the clock was wrong.
 */
function* duePage(
  { nowMs, graceMs, limit }: { nowMs: number; graceMs: number; limit: number },
  after: PendingEntry | undefined,
): Protocol<readonly PendingEntry[]> {
  const page = yield* pending(nowMs - graceMs, limit, after);
  if (page.length > 0) return page;
  const young: PendingEntry = { sinceMs: nowMs + graceMs, key: '' };
  const ahead = after === undefined || byAge(after, young) < 0 ? young : after;
  return yield* pending(Number.MAX_SAFE_INTEGER, limit, ahead);
}

function refuse(
  refused: Record<SiteId, Record<string, string>>,
  peers: readonly SiteId[],
  key: string,
  { message }: Error,
): void {
  for (const peer of peers) refused[peer] = { ...refused[peer], [key]: message };
}
