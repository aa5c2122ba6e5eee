/** Waits until both sites are at rest, and reads everything that they hold. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EARLIER_LIFE, type LoggedWrite } from '@tandem-clouds/replication/conflict-log';
import type { Register } from '@tandem-clouds/replication/policies/field';
import { memberOf } from '@tandem-clouds/replication/policies/members';
import { membersOf, plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { CONFLICT, isOwnBusiness } from '@tandem-clouds/replication/reserved';
import { laterStamp } from '@tandem-clouds/replication/stamp';
import { ITEM } from '../../../../src/shared/domain/item.ts';
import { entities } from '../../../../src/shared/registry/entities.ts';
import { checkResponse, type Overruled } from '../checkers/judge.ts';
import { depths, redrive } from '../cluster/queues.ts';
import { type Endpoint, isSilence, type Request, send } from '../cluster/request.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import type { Attempt } from '../history/client-log.ts';
import { keyOf } from '../history/committed.ts';
import { canonical, type Finding, type Snapshot } from '../history/facts.ts';
import { recordPath } from '../load/record-path.ts';

const POLL_MS = 250;
const PROGRESS_EVERY_MS = 10_000;
const REDRIVE_EVERY_MS = 5_000;
const LIST_PAGE = 1_000;
const READERS = 16;
const ATTEMPTS_MAX = 8;

export interface Rest {
  /** Milliseconds until no marker remained and both stores held the same; undefined when it was not in time. */
  readonly convergedMs: number | undefined;
  /** Milliseconds until the last message was gone, too; undefined when it was not in time. */
  readonly restedMs: number | undefined;
  readonly redriven: number;
  /** What was still missing at the last look. */
  readonly missing: string;
}

export interface RestOptions {
  readonly convergedWithinMs: number;
  /** How long the last messages are waited for after that; 0 does not wait. */
  readonly quietWithinMs: number;
  readonly progress: (line: string) => void;
}

/**
 * Waits until everything is up, no marker remains and both sites hold the same, and then until no queue holds
 * anything. Dead letters are put back now and then, as an operator would.
 */
export async function untilAtRest(
  cluster: TestCluster,
  keys: readonly string[],
  { convergedWithinMs, quietWithinMs, progress }: RestOptions,
): Promise<Rest> {
  const beganMs = performance.now();
  const passedMs = (): number => performance.now() - beganMs;
  let reportedMs = 0;
  let redrivenMs = -Infinity;
  let redriven = 0;
  let convergedMs: number | undefined;
  for (;;) {
    const difference = await silenceOr(() => whatDiffers(cluster, keys));
    if (difference === undefined) convergedMs ??= passedMs();
    const missing = difference ?? (await silenceOr(() => whatMoves(cluster)));
    if (missing === undefined) return { convergedMs, restedMs: passedMs(), redriven, missing: '' };
    const boundMs = convergedMs === undefined ? convergedWithinMs : convergedMs + quietWithinMs;
    if (passedMs() > boundMs) return { convergedMs, restedMs: undefined, redriven, missing };
    if (passedMs() - reportedMs > PROGRESS_EVERY_MS) {
      reportedMs = passedMs();
      progress(`${Math.round(reportedMs / 1_000)} s after healing: ${missing}`);
    }
    if (passedMs() - redrivenMs > REDRIVE_EVERY_MS) {
      redrivenMs = passedMs();
      redriven += await redriveAll(cluster);
    }
    await sleep(POLL_MS);
  }
}

async function silenceOr(sample: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await sample();
  } catch (error) {
    if (isSilence(error)) return `an answer: ${String(error)}`;
    throw error;
  }
}

async function redriveAll(cluster: TestCluster): Promise<number> {
  let redriven = 0;
  for (const site of cluster.describe().sites) {
    try {
      if ((await depths(site)).dead > 0) redriven += await redrive(site);
    } catch {
      // Whatever is in the way, the next round tries again, and the time that all this may take is bounded.
    }
  }
  return redriven;
}

/** Undefined when all serve, no marker remains and both stores hold the same. */
async function whatDiffers(cluster: TestCluster, keys: readonly string[]): Promise<string | undefined> {
  if (!cluster.isUp()) return 'not every process serves';
  for (const site of cluster.sites) {
    const pending = await cluster.store(site).pending(Date.now() + 3_600_000, LIST_PAGE);
    // Heartbeats come and go.
    const ours = pending.filter(({ key }) => !isOwnBusiness(key));
    if (ours.length > 0) return `${site} has ${ours.length} markers, as on ${ours[0]?.key ?? ''}`;
  }
  const [a, b] = cluster.sites;
  const [here, there] = [await everyRecordAt(cluster, a, keys), await everyRecordAt(cluster, b, keys)];
  const different = keys.filter(
    (key) => canonical(here.get(key)?.state) !== canonical(there.get(key)?.state),
  );
  return different.length === 0 ? undefined : `${different.length} keys differ, as ${different[0] ?? ''}`;
}

async function whatMoves(cluster: TestCluster): Promise<string | undefined> {
  for (const { site } of cluster.describe().sites) {
    const moves = await whatMovesAt(cluster, site);
    if (moves !== undefined) return moves;
  }
  return undefined;
}

/** Undefined when no queue of a site holds a message. @throws NoAnswerError */
export async function whatMovesAt(cluster: TestCluster, site: string): Promise<string | undefined> {
  const { out, in: inbound, react, dead } = await depths(cluster.site(site));
  if (out + inbound + react + dead === 0) return undefined;
  return `${site} has ${out} out, ${inbound} in, ${react} to react, ${dead} dead letters`;
}

/** The record with each object as one register: as it is shown, under the newest stamp of it and its members. */
function asShown(record: StoredRecord): StoredRecord {
  const { state } = record;
  const shown = plainValues(state);
  const fields: Record<string, Register> = {};
  for (const [name, register] of Object.entries(state.fields)) {
    const at = memberOf(name);
    if (at === undefined && !membersOf(state).has(name)) fields[name] = register;
    if (at === undefined) continue;
    const newest = laterStamp(register[0], (fields[at.field] ?? state.fields[at.field])?.[0]) ?? '';
    fields[at.field] = [newest, shown[at.field] ?? null];
  }
  return { ...record, state: { ...state, fields } };
}

/** Every record of clients at every site: what clients know of, and what else is there. */
export async function takeSnapshot(cluster: TestCluster, known: readonly string[]): Promise<Snapshot> {
  const snapshot = new Map<string, ReadonlyMap<string, StoredRecord>>();
  for (const site of cluster.sites) {
    const listed = await listAll(cluster, site);
    const records = await everyRecordAt(cluster, site, [...new Set([...known, ...listed])]);
    snapshot.set(site, new Map([...records].map(([key, record]) => [key, asShown(record)])));
  }
  return snapshot;
}

/** The keys that clients know of. */
export function keysOf(log: readonly Attempt[]): string[] {
  return [...new Set(log.flatMap((attempt) => keyOf(attempt) ?? []))];
}

async function listAll(cluster: TestCluster, site: string): Promise<string[]> {
  const keys: string[] = [];
  for (const entity of [...entities.map(({ name }) => name), ITEM])
    keys.push(...(await listEntity(cluster, site, entity)));
  return keys;
}

/** Every key of an entity that a site lists. */
export async function listEntity(cluster: TestCluster, site: string, entity: string): Promise<string[]> {
  const keys: string[] = [];
  let after: string | undefined;
  for (;;) {
    const from = after;
    const page = await patiently(() => cluster.store(site).list(entity, { after: from, limit: LIST_PAGE }));
    keys.push(...page);
    after = page.at(-1);
    if (page.length === 0) return keys;
  }
}

/** As `recordsAt`, for when an answer must be had: page by page, and again when there is none. */
export async function everyRecordAt(
  cluster: TestCluster,
  site: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, StoredRecord>> {
  const all = new Map<string, StoredRecord>();
  for (let from = 0; from < keys.length; from += LIST_PAGE) {
    const page = await patiently(() => recordsAt(cluster, site, keys.slice(from, from + LIST_PAGE)));
    for (const [key, record] of page) all.set(key, record);
  }
  return all;
}

/** Asks a few times: a connection that was kept may break. @throws what the last attempt threw. */
async function patiently<T>(query: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await query();
    } catch (error) {
      if (!isSilence(error) || attempt >= ATTEMPTS_MAX) throw error;
      await sleep(POLL_MS * attempt);
    }
  }
}

/** Records of these keys, as one request sees them. @throws AppError when the store does not answer. */
export async function recordsAt(
  cluster: TestCluster,
  site: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, StoredRecord>> {
  const held = await cluster.store(site).getMany(keys);
  return new Map([...held].map(([key, { record }]) => [key, record]));
}

/** Asks every site for every record over HTTP, and compares the answers with what its store holds. */
export async function readEverything(cluster: TestCluster, snapshot: Snapshot): Promise<Finding[]> {
  const findings: Finding[] = [];
  const keys = new Set([...snapshot.values()].flatMap((records) => [...records.keys()]));
  for (const [site, records] of snapshot) {
    const { url } = cluster.site(site);
    const open = [...keys];
    const reader = async (): Promise<void> => {
      for (let key = open.pop(); key !== undefined; key = open.pop()) {
        const { status, shown = {} } = await readPatiently(key, { name: site, url });
        findings.push(...checkResponse(site, records.get(key), { status, shown }, key));
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }
  return findings;
}

/** A connection that was kept may break, and a busy store may ask to come later. */
async function readPatiently(key: string, endpoint: Endpoint): Promise<Attempt> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await send(readOf(key), endpoint);
    if (response.result !== 'unknown' || attempt >= ATTEMPTS_MAX) return response;
    await sleep(POLL_MS * attempt);
  }
}

function readOf(key: string): Request {
  return { id: 'final', kind: 'read', key, method: 'GET', path: recordPath(key), fields: {} };
}

/** What the conflict log of a site names as overruled by a later life of its record. */
export async function overruledWrites(cluster: TestCluster): Promise<Overruled> {
  const store = cluster.store(cluster.sites[0]);
  const [keys, writes] = [new Set<string>(), new Set<string>()];
  for (let after: string | undefined; ;) {
    const page = await store.list(CONFLICT, { after, limit: LIST_PAGE });
    for (const { record } of (await store.getMany(page)).values()) {
      const { record: key, loser, reason } = plainValues(record.state);
      if (reason !== EARLIER_LIFE || typeof key !== 'string') continue;
      keys.add(key);
      writes.add(`${key} ${(loser as unknown as LoggedWrite).stamp}`);
    }
    after = page.at(-1);
    if (page.length < LIST_PAGE) return { keys, writes };
  }
}
