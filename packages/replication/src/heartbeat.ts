/**
 * Heartbeats: one record per site, written at every third sweep, that crosses to the peers like any other.
 *
 * What a peer's heartbeat proves: something that the peer wrote at `at` has been applied here. It does not prove
 * that everything from before `at` has been, because queues do not keep the order.
 *
 * The name of the entity is reserved: heartbeats hold no data of users, so they are in no list of the API and are
 * left out of what counts as exposed.
 */
import { verificationKey } from './anti-entropy/verification.ts';
import { clockAheadMaxMs, heartbeatMs, refusedKeysMax, sweepGraceMs, sweepTickMs } from './bounds.ts';
import { canonicalJson } from './canonical-json.ts';
import { BEATEN_AT, heartbeatKey, SEMANTICS_FIELD, understoodBy } from './heartbeat-record.ts';
import { readKeys } from './isolate.ts';
import type { Json } from './json.ts';
import { knownPlaces, knownSinceMs } from './known-places.ts';
import { localWrite } from './local-write.ts';
import { pauseKey } from './paused-peers.ts';
import { isConfined, openName } from './placement.ts';
import type { PendingEntry } from './ports/store.ts';
import type { Protocol, Site } from './protocol.ts';
import { newestStamp, type StoredRecord } from './record.ts';
import { SEMANTICS } from './semantics.ts';
import { type SiteId, stampMs } from './stamp.ts';
import type { RefusedKeys } from './sweep.ts';

const SWEPT_TO = 'sweptTo';
const SILENT = 'silent';
const REFUSED = 'refused';
const RECOVERY = 'recovery';
/** Errors of vendors can be long, and the start says what it is. */
const CAUSE_CHARACTERS_MAX = 200;

/**
 * Writes the site's heartbeat when it is due, and returns it as it is. Ticks are never quite regular: half of one early
 * is not too early. A new release says at once what it understands, and where records are kept.
 * @throws what `localWrite` throws.
 */
export function* beat(site: Site): Protocol<StoredRecord> {
  const at = site.now();
  const found = { ahead: false };
  const heartbeat = yield* localWrite(site, {
    key: heartbeatKey(site.site),
    operationId: `beat-${at}`,
    decide: (held) => {
      found.ahead = held !== undefined && isAhead(held, at);
      const isKnown = site.keptAt === undefined || knownSinceMs(site, held) !== undefined;
      if (understoodBy(held) === SEMANTICS && isKnown && isYoung(held, at)) return undefined;
      return { [BEATEN_AT]: at, [SEMANTICS_FIELD]: SEMANTICS, ...knownPlaces(site, held, at) };
    },
  });
  if (found.ahead) yield* renewReports(site);
  return heartbeat;
}

/** Peers have dropped what this site said about itself by a clock that was ahead: it says it again. */
function* renewReports(site: Site): Protocol<void> {
  const results = site.peers.map((to) => verificationKey({ from: site.site, to }));
  const { held } = yield* readKeys([pauseKey(site.site), ...results]);
  for (const { record } of held.values()) {
    if (!isAhead(record, site.now())) continue;
    const operationId = `renew-${site.now()}`;
    yield* localWrite(site, { key: record.key, operationId, decide: () => ({}) });
  }
}

function isAhead({ state }: StoredRecord, nowMs: number): boolean {
  return stampMs(newestStamp(state) ?? '') - nowMs > clockAheadMaxMs;
}

function isYoung(heartbeat: StoredRecord | undefined, nowMs: number): boolean {
  const at = heartbeat?.state.fields[BEATEN_AT]?.[1];
  return typeof at === 'number' && Math.abs(nowMs - at) < heartbeatMs - sweepTickMs / 2;
}

/** Where the sweeper's last run stopped, by the site's own heartbeat; undefined: at the end. */
export function sweptTo(heartbeat: StoredRecord): PendingEntry | undefined {
  const value = heartbeat.state.fields[SWEPT_TO]?.[1];
  if (!Array.isArray(value)) return undefined;
  const [sinceMs, key] = value as Json[];
  return typeof sinceMs === 'number' && typeof key === 'string' ? { sinceMs, key } : undefined;
}

/** Peer that did not take what the last sweep sent → why, by the site's own heartbeat. */
export function silentPeers(heartbeat: StoredRecord | undefined): Readonly<Record<SiteId, string>> {
  const value = heartbeat?.state.fields[SILENT]?.[1];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Records that the last sweeps found to be refused for good, by the site's own heartbeat: `refusedKeysMax` at most. */
export function refusedKeys(heartbeat: StoredRecord | undefined): RefusedKeys {
  const value = heartbeat?.state.fields[REFUSED]?.[1];
  const refused: Record<SiteId, Record<string, string>> = {};
  for (const entry of Array.isArray(value) ? (value as Json[]) : []) {
    const [peer, key, why] = Array.isArray(entry) ? (entry as Json[]) : [];
    if (typeof peer === 'string' && typeof key === 'string' && typeof why === 'string')
      refused[peer] = { ...refused[peer], [key]: why };
  }
  return refused;
}

interface SweptRun {
  readonly refused: RefusedKeys;
  readonly resume: PendingEntry | undefined;
}

/**
 * What is known to be refused after a run: what it has found, and when it did not come to the last key also what the
 * runs before it had found.
 */
export function refusedAfter(heartbeat: StoredRecord | undefined, run: SweptRun): RefusedKeys {
  return refusedWith(refusedKeys(heartbeat), run);
}

/** The same, from what is known without a heartbeat. */
export function refusedWith(known: RefusedKeys, { refused, resume }: SweptRun): RefusedKeys {
  if (resume === undefined) return refused;
  const peers = [...new Set([...Object.keys(known), ...Object.keys(refused)])];
  return Object.fromEntries(peers.map((peer) => [peer, { ...known[peer], ...refused[peer] }]));
}

/** How far the sweeps have come through a backlog, since they began with its oldest key. */
export interface Recovery {
  /** Epoch milliseconds when they began. */
  readonly beganAtMs: number;
  /** How long its oldest key had been pending, as epoch milliseconds. */
  readonly fromMs: number;
  /** Keys that were sent since. */
  readonly sent: number;
}

/** By the site's own heartbeat; undefined when the last sweep came to the end. */
export function recoveryOf(heartbeat: StoredRecord | undefined): Recovery | undefined {
  const value = heartbeat?.state.fields[RECOVERY]?.[1];
  if (!Array.isArray(value)) return undefined;
  const [beganAtMs, fromMs, sent] = value as Json[];
  return typeof beganAtMs === 'number' && typeof fromMs === 'number' && typeof sent === 'number'
    ? { beganAtMs, fromMs, sent }
    : undefined;
}

/**
 * What is known after a run that began at `startMs` and stopped before the last key. One that has begun anew with the
 * oldest key begins a new count.
 */
export function recoveryAfter(
  heartbeat: StoredRecord | undefined,
  run: {
    readonly startMs: number;
    readonly oldestMs: number;
    readonly resent: number;
    readonly resume: PendingEntry | undefined;
  },
): Recovery | undefined {
  const { startMs, oldestMs, resent, resume } = run;
  if (resume === undefined) return undefined;
  const before = heartbeat === undefined ? undefined : sweptTo(heartbeat);
  const known = recoveryOf(heartbeat);
  return known !== undefined && before !== undefined && resume.sinceMs >= before.sinceMs
    ? { ...known, sent: known.sent + resent }
    : { beganAtMs: startMs, fromMs: startMs - oldestMs, sent: resent };
}

/** How fast a backlog is sent, and when it will have been, if it goes on so: undefined where nothing can be said yet. */
export function outlook(
  heartbeat: StoredRecord | undefined,
  nowMs: number,
): { readonly keysPerSecond: number; readonly doneAtMs: number | undefined } | undefined {
  const recovery = recoveryOf(heartbeat);
  const to = heartbeat === undefined ? undefined : sweptTo(heartbeat);
  if (recovery === undefined || to === undefined) return undefined;
  const { beganAtMs, fromMs, sent } = recovery;
  const tookMs = Math.max(1, nowMs - beganAtMs);
  // By how much of the time in which the backlog was written has been dealt with.
  const share = (to.sinceMs - fromMs) / Math.max(1, nowMs - sweepGraceMs - fromMs);
  const leftMs = share > 0 ? tookMs * Math.max(0, 1 / share - 1) : undefined;
  return {
    keysPerSecond: Math.round((sent * 1_000) / tookMs),
    doneAtMs: leftMs === undefined ? undefined : Math.round(nowMs + leftMs),
  };
}

/** What one sweep leaves to be known: where it stopped, who did not take what it sent, and what nobody will take. */
export interface SweepNotes {
  /** Absent as at the end. */
  readonly recovery?: Recovery | undefined;
  readonly sweptTo: PendingEntry | undefined;
  readonly silent: Readonly<Record<SiteId, string>>;
  readonly refused: RefusedKeys;
}

/** Those of a sweep that has nothing to do. */
export const NO_NOTES: SweepNotes = { sweptTo: undefined, silent: {}, refused: {} };

/** Whether the site's own heartbeat says anything but `NO_NOTES`. */
export function hasNotes(heartbeat: StoredRecord): boolean {
  const noted = { ...silentPeers(heartbeat), ...refusedKeys(heartbeat) };
  return sweptTo(heartbeat) !== undefined || Object.keys(noted).length > 0;
}

/** Writes the notes of a sweep, unless they are those of the last one. @throws what `localWrite` throws. */
export function* leaveNotes(
  site: Site,
  { sweptTo: entry, silent, refused, recovery }: SweepNotes,
): Protocol<StoredRecord> {
  const causes = Object.entries(silent).map(([peer, why]) => [peer, causeOf(why)]);
  const rejects = Object.entries(refused).flatMap(([peer, keys]) =>
    [...openCauses(site, keys)].map(([key, why]) => [peer, key, causeOf(why)]),
  );
  const notes = {
    [SWEPT_TO]: entry === undefined ? null : [entry.sinceMs, placeOf(site, entry.key)],
    [RECOVERY]: recovery === undefined ? null : [recovery.beganAtMs, recovery.fromMs, recovery.sent],
    [SILENT]: causes.length === 0 ? null : (Object.fromEntries(causes) as Record<string, string>),
    [REFUSED]: rejects.length === 0 ? null : rejects.slice(0, refusedKeysMax),
  };
  return yield* localWrite(site, {
    key: heartbeatKey(site.site),
    operationId: `swept-${site.now()}`,
    decide: (held) => {
      const isKnown = ([field, value]: [string, Json]): boolean =>
        canonicalJson(held?.state.fields[field]?.[1] ?? null) === canonicalJson(value);
      return held !== undefined && Object.entries(notes).every(isKnown) ? undefined : notes;
    },
  });
}

/** A heartbeat is kept everywhere: of what is confined it names the entity, and the log of the sweep the key. */
function openCauses(site: Site, keys: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(keys).map(([key, why]) =>
      isConfined(site, { key })
        ? [openName(site, key), 'of records that are kept at some sites only: the log of the sweep names it']
        : [key, why],
    ),
  );
}

/** Where the next run goes on: not to name what is confined, it begins with that millisecond anew. */
function placeOf(site: Site, key: string): string {
  return isConfined(site, { key }) ? '' : key;
}

function causeOf(why: string): string {
  return why.slice(0, CAUSE_CHARACTERS_MAX).toWellFormed();
}

/**
 * Milliseconds since the peer wrote the newest heartbeat that has arrived here; null when none has.
 * An upper bound of how old our view of that peer is, give or take the difference of the two clocks: between two
 * heartbeats it grows to `heartbeatMs` although everything arrives at once.
 */
export function heardMsAgo(heartbeat: StoredRecord | undefined, nowMs: number): number | null {
  const at = heartbeat?.state.fields[BEATEN_AT]?.[1];
  return typeof at === 'number' ? Math.max(0, nowMs - at) : null;
}
