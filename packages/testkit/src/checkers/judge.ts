/**
 * Judges a run by the clients' log and what the sites hold in the end: with the checkers of the simulator, and with
 * one of its own for what only a log can tell.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { Register } from '@tandem-clouds/replication/policies/field';
import { isDeleted, type RecordState, type StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import type { Vector } from '@tandem-clouds/replication/vector';
import { type Attempt, CLIENT_FIELDS, isWrite, lineOf, operationOf } from '../history/client-log.ts';
import { type Committed, committedWrites, keyOf, type TokenedWrite } from '../history/committed.ts';
import { type Finding, groupBy, type Snapshot, vectorHolds } from '../history/facts.ts';
import { checkConvergence } from './convergence.ts';
import { checkDeletes } from './deletes.ts';
import { checkFields } from './sessions.ts';
import { checkValues } from './values.ts';

/** A finding with what a person needs to understand it. */
export interface Violation extends Finding {
  /** What clients did to the key, the last ones first. */
  readonly log: readonly string[];
  /** Site → the record there. */
  readonly states: Readonly<Record<string, StoredRecord | 'absent'>>;
}

/** How far a stamp may be behind the clients' clock: the largest skew, and a little for the way. */
const BEHIND_MAX_MS = 32_000;
/** Later than every stamp: of a value whose stamp nobody knows. */
const UNKNOWN_STAMP = '~';
const EVIDENCE_LINES_MAX = 40;

/** Writes to an earlier life of their record than the one that stands. */
export interface Overruled {
  readonly keys: ReadonlySet<string>;
  /** By key and stamp. */
  readonly writes: ReadonlySet<string>;
}

const NONE: Overruled = { keys: new Set(), writes: new Set() };

/**
 * Everything that is wrong after healing. `snapshot` holds users' records only. What the conflict log names as overruled by
 * a later life need not stand; without a stamp it cannot be told from the rest of its key.
 */
export function judge(
  all: readonly Attempt[],
  snapshot: Snapshot,
  overruled: Overruled = NONE,
): readonly Finding[] {
  const reported = committedWrites(all, snapshot);
  const stands = ({ key, stamp }: { readonly key: string; readonly stamp: string }): boolean =>
    !overruled.writes.has(`${key} ${stamp}`);
  const isOneLife = (attempt: Attempt): boolean => !overruled.keys.has(keyOf(attempt) ?? '');
  const log = all.filter(isOneLife);
  const committed: Committed = {
    ...reported,
    writes: reported.writes.filter(stands),
    acknowledged: reported.acknowledged.filter(stands),
    unstamped: reported.unstamped.filter(isOneLife),
  };
  return [
    ...checkConvergence(snapshot),
    ...checkValues(clientsView(snapshot), clientsWrites(committed), committed.acknowledged),
    ...checkDeletes(snapshot, committed.writes, committed.creates),
    ...checkTokens(all, snapshot),
    ...checkUnstamped(committed.unstamped, snapshot, firstStarts(log)),
    ...checkReads(log, committed),
  ];
}

/** The records with those fields only that clients wrote. */
function clientsView(snapshot: Snapshot): Snapshot {
  const view = ({ state, ...rest }: StoredRecord): StoredRecord => ({
    ...rest,
    state: {
      fields: Object.fromEntries(Object.entries(state.fields).filter(([field]) => CLIENT_FIELDS.has(field))),
      vector: state.vector,
    },
  });
  return new Map(
    [...snapshot].map(([site, records]) => [
      site,
      new Map([...records].map(([key, record]) => [key, view(record)])),
    ]),
  );
}

/** The writes with the same fields: whether a record lives is another checker's. */
function clientsWrites({ writes }: Committed): Committed['writes'] {
  return writes.map((write) => ({
    ...write,
    fields: Object.fromEntries(Object.entries(write.fields).filter(([field]) => CLIENT_FIELDS.has(field))),
  }));
}

/** No acknowledged write is lost: every token that was given out for it is included at every site. */
export function checkTokens(log: readonly Attempt[], snapshot: Snapshot): Finding[] {
  return log.flatMap((attempt) => {
    if (attempt.result !== 'acknowledged' || attempt.token === undefined) return [];
    const { key, vector } = attempt.token;
    return [...snapshot]
      .filter(([, records]) => !covers(records.get(key)?.state.vector, vector))
      .map(([site]) => ({
        invariant: 'acknowledged writes',
        key,
        detail: `${site} does not include ${attempt.id}, acknowledged via ${attempt.via}`,
      }));
  });
}

function covers(held: Vector | undefined, seen: Vector): boolean {
  return Object.entries(seen).every(([site, stamp]) => vectorHolds(held, site, stamp));
}

/** Operation → the start of its first attempt, which may have been the one that took effect. */
function firstStarts(log: readonly Attempt[]): ReadonlyMap<string, number> {
  const starts = new Map<string, number>();
  for (const { id, startMs } of log) starts.set(id, Math.min(startMs, starts.get(id) ?? Infinity));
  return starts;
}

/** A write whose stamp is not certain: what stands in its fields is its own, or not older than it can be. */
function checkUnstamped(
  unstamped: readonly Attempt[],
  snapshot: Snapshot,
  starts: ReadonlyMap<string, number>,
): Finding[] {
  return unstamped.flatMap((attempt) => {
    const key = keyOf(attempt) ?? '';
    const startMs = starts.get(attempt.id) ?? attempt.startMs;
    const oldest = encodeStamp(startMs - BEHIND_MAX_MS, 0, '');
    const fields = Object.keys(attempt.fields).filter((field) => CLIENT_FIELDS.has(field));
    return [...snapshot].flatMap(([site, records]) =>
      fields
        .filter((field) => !isOwnOrLater(records.get(key)?.state.fields[field], attempt, oldest))
        .map((field) => ({
          invariant: 'acknowledged writes',
          key,
          detail: `${field} at ${site} is older than ${attempt.id}, which was acknowledged`,
        })),
    );
  });
}

function isOwnOrLater(held: Register | undefined, { id }: Attempt, oldest: string): boolean {
  return held !== undefined && (operationOf(held[1]) === id || held[0] >= oldest);
}

/** Reads: what carried a token is not older than it, and what claims to include a write shows it or a newer one. */
function checkReads(log: readonly Attempt[], committed: Committed): Finding[] {
  const byKey = groupBy(committed.acknowledged, ({ key }) => key);
  // What was sent twice may have taken effect twice, and nobody knows under which stamps.
  const sent = groupBy(log, ({ id }) => id);
  const stamps = new Map(
    committed.writes
      .filter(({ operationId }) => isSentOnce(sent.get(operationId)))
      .map(({ key, operationId, stamp }) => [`${key} ${operationId}`, stamp]),
  );
  const deleted = new Set(
    log.filter(({ kind, result }) => kind === 'delete' && result !== 'refused').map(keyOf),
  );
  return log.flatMap((attempt) =>
    attempt.kind === 'read' && attempt.result === 'acknowledged'
      ? checkRead(attempt, { tokens: byKey.get(keyOf(attempt) ?? '') ?? [], stamps, deleted })
      : [],
  );
}

function isSentOnce(attempts: readonly Attempt[] = []): boolean {
  return attempts.length === 1 && (attempts[0]?.attempts ?? 1) === 1;
}

interface ReadFacts {
  readonly tokens: readonly TokenedWrite[];
  readonly stamps: ReadonlyMap<string, string>;
  readonly deleted: ReadonlySet<string | undefined>;
}

function checkRead(read: Attempt, { tokens, stamps, deleted }: ReadFacts): Finding[] {
  const key = keyOf(read) ?? '';
  const { token, carried, site = read.via, shown = {} } = read;
  const invariant = '9 sessions';
  if (token === undefined) {
    if (carried === undefined || deleted.has(key)) return [];
    return [{ invariant, key, detail: `${read.id}: ${site} answered ${read.status} to a token of a record` }];
  }
  const state: RecordState = { vector: token.vector, fields: registersOf(key, shown, stamps) };
  const writes = tokens.filter(({ fields }) =>
    Object.keys(fields).every((field) => CLIENT_FIELDS.has(field)),
  );
  const stale = carried !== undefined && !covers(token.vector, carried.vector);
  return [
    ...(stale ? [{ invariant, key, detail: `${read.id}: ${site} answered with less than the token` }] : []),
    ...writes
      .filter((write) => covers(token.vector, write.token))
      .flatMap(({ key: of, operationId, fields, stamp }) => {
        const reported = Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [name, [stamp, value] as const]),
        );
        return checkFields(site, state, { key: of, operationId, fields, reported }).map((finding) => ({
          ...finding,
          detail: `${read.id}: ${finding.detail}: ${JSON.stringify(shown)}`,
        }));
      }),
  ];
}

function registersOf(
  key: string,
  shown: Readonly<Record<string, Json>>,
  stamps: ReadonlyMap<string, string>,
): Record<string, Register> {
  const fields = Object.entries(shown).filter(([field]) => CLIENT_FIELDS.has(field));
  return Object.fromEntries(
    fields.map(([field, value]) => [
      field,
      [stamps.get(`${key} ${operationOf(value) ?? ''}`) ?? UNKNOWN_STAMP, value] as const,
    ]),
  );
}

/** What each site answers for a key, after healing: exactly what its store holds. */
export function checkResponse(
  site: string,
  record: StoredRecord | undefined,
  response: { readonly status: number; readonly shown: Readonly<Record<string, Json>> },
  key: string,
): Finding[] {
  const gone = record === undefined || isDeleted(record.state);
  const wrong = (detail: string): Finding[] => [{ invariant: 'answers', key, detail: `${site} ${detail}` }];
  if (gone) return response.status === 404 ? [] : wrong(`answers ${response.status} for what is not there`);
  if (response.status !== 200) return wrong(`answers ${response.status} for what is there`);
  const different = [...CLIENT_FIELDS].filter(
    (field) =>
      JSON.stringify(response.shown[field] ?? null) !==
      JSON.stringify(record.state.fields[field]?.[1] ?? null),
  );
  return different.length === 0 ? [] : wrong(`answers with another ${different.join(', ')} than it holds`);
}

/** Adds what a person needs to understand the findings. */
export function withEvidence(
  findings: readonly Finding[],
  log: readonly Attempt[],
  snapshot: Snapshot,
): readonly Violation[] {
  return findings.map((finding) => ({
    ...finding,
    log: log
      .filter((attempt) => finding.key !== undefined && keyOf(attempt) === finding.key && isWrite(attempt))
      .slice(-EVIDENCE_LINES_MAX)
      .reverse()
      .map(lineOf),
    states: Object.fromEntries(
      [...snapshot].map(([site, records]) => [site, records.get(finding.key ?? '') ?? ('absent' as const)]),
    ),
  }));
}
