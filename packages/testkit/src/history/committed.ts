/**
 * Which writes took effect and under which stamps, as far as the clients' log and the final states can tell.
 *
 * Invariant: nothing is claimed that is not certain. The stamp of an acknowledged write is its token's entry of the
 * site that answered, unless another write of the same key can have come in between; whatever no answer told is taken
 * from the values that the stores hold, because every value names its operation.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { DELETED } from '@tandem-clouds/replication/record';
import { stampSite } from '@tandem-clouds/replication/stamp';
import type { Vector } from '@tandem-clouds/replication/vector';
import { type Attempt, CLIENT_FIELDS, isWrite, MARK_FIELDS, operationOf } from './client-log.ts';
import type { AcknowledgedWrite, CommittedWrite, Snapshot } from './facts.ts';

/** How long a request whose client has given up may still take effect. */
const LINGERS_MS = 60_000;
const CREATED_AT = 'createdAt';

export interface Committed {
  readonly writes: readonly CommittedWrite[];
  /** The acknowledged ones of them. */
  readonly acknowledged: readonly TokenedWrite[];
  /** Acknowledged, but nobody can say under which stamp they took effect. */
  readonly unstamped: readonly Attempt[];
  /** Operations that begin a life of their key. */
  readonly creates: ReadonlySet<string>;
}

/** An acknowledged write and the vector that its client was given. */
export interface TokenedWrite extends AcknowledgedWrite {
  readonly token: Vector;
}

export function committedWrites(log: readonly Attempt[], snapshot: Snapshot): Committed {
  const writes = log.filter(isWrite);
  const overlapping = overlapOf(writes);
  const found = new Map<string, CommittedWrite>();
  const add = (write: CommittedWrite): void => {
    const name = `${write.key} ${write.operationId} ${write.stamp}`;
    if (!found.has(name)) found.set(name, write);
  };
  const acknowledged: TokenedWrite[] = [];
  const unstamped: Attempt[] = [];
  for (const attempt of writes) {
    if (attempt.result !== 'acknowledged') continue;
    const own = stampOf(attempt, overlapping(attempt));
    if (own === undefined) unstamped.push(attempt);
    else {
      add(committed(attempt, own.site, own.key, own.stamp));
      acknowledged.push({
        ...own,
        atMs: attempt.endMs,
        operationId: attempt.id,
        fields: clientFields(attempt),
      });
    }
  }
  for (const write of shownByStores(writes, snapshot)) add(write);
  for (const write of livesShownByStores(writes, snapshot, [...found.values()])) add(write);
  const creates = new Set(writes.filter(({ kind }) => kind === 'create').map(({ id }) => id));
  return { writes: [...found.values()], acknowledged, unstamped, creates };
}

type Stamped = Pick<TokenedWrite, 'key' | 'site' | 'stamp' | 'token'>;

/** The stamp of an acknowledged write, when it is certain. */
function stampOf(attempt: Attempt, others: Overlap): Stamped | undefined {
  const { token, site, shown, kind, replayed, id, attempts = 1 } = attempt;
  const stamp = site === undefined ? undefined : token?.vector[site];
  if (token === undefined || site === undefined || stamp === undefined || replayed) return undefined;
  // An attempt before the one that was answered may have taken effect, too.
  if (attempts > 1) return undefined;
  // A later write would have left its own mark; a delete leaves none, and shows none.
  const isOwn =
    kind === 'delete'
      ? !others.any
      : !others.deletes && MARK_FIELDS.some((field) => operationOf(shown?.[field]) === id);
  return isOwn ? { key: token.key, site, stamp, token: token.vector } : undefined;
}

interface Overlap {
  readonly any: boolean;
  readonly deletes: boolean;
}

/** Tells of a write whether others of its key may have taken effect between its start and its answer. */
function overlapOf(writes: readonly Attempt[]): (attempt: Attempt) => Overlap {
  const byKey = new Map<string, Attempt[]>();
  for (const write of writes) {
    const key = keyOf(write);
    if (key === undefined || write.result === 'refused') continue;
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [write]);
    else list.push(write);
  }
  return (attempt) => {
    const others = (byKey.get(keyOf(attempt) ?? '') ?? []).filter(
      (other) => other !== attempt && other.startMs <= attempt.endMs && lastMs(other) >= attempt.startMs,
    );
    return { any: others.length > 0, deletes: others.some(({ kind }) => kind === 'delete') };
  };
}

export function keyOf({ key, token }: Attempt): string | undefined {
  return key ?? token?.key;
}

function lastMs({ result, endMs }: Attempt): number {
  return result === 'unknown' ? endMs + LINGERS_MS : endMs;
}

/** A delete empties what clients can write. */
function clientFields({ kind, fields }: Attempt): Readonly<Record<string, Json>> {
  return kind === 'delete' ? { [DELETED]: true, name: null, email: null, metadata: null } : fields;
}

function committed(attempt: Attempt, site: string, key: string, stamp: string): CommittedWrite {
  return {
    atMs: attempt.endMs,
    site,
    key,
    operationId: attempt.id,
    stamp,
    fields: clientFields(attempt),
    life: 0,
    creates: attempt.kind === 'create',
    basis: undefined,
    replaced: undefined,
  };
}

/** Operations whose values are in a store, by the stamp that they have there. */
function shownByStores(writes: readonly Attempt[], snapshot: Snapshot): CommittedWrite[] {
  const byId = new Map(writes.map((write) => [write.id, write]));
  const shown: CommittedWrite[] = [];
  for (const { key, state } of recordsOf(snapshot)) {
    for (const [field, [stamp, value]] of Object.entries(state.fields)) {
      if (!CLIENT_FIELDS.has(field)) continue;
      const attempt = byId.get(operationOf(value) ?? '');
      const known = attempt && keyOf(attempt);
      if (attempt !== undefined && field in attempt.fields && (known ?? key) === key)
        shown.push(committed(attempt, stampSite(stamp), key, stamp));
    }
  }
  return shown;
}

/** Creates and deletes that nobody could date, by the stamps that the stores hold for the lives of a key. */
function livesShownByStores(
  writes: readonly Attempt[],
  snapshot: Snapshot,
  known: readonly CommittedWrite[],
): CommittedWrite[] {
  const turns = new Map<string, Attempt[]>();
  for (const write of writes) {
    const key = keyOf(write);
    if (key === undefined || (write.kind !== 'create' && write.kind !== 'delete')) continue;
    if (write.result === 'refused') continue;
    turns.set(key, [...(turns.get(key) ?? []), write]);
  }
  const dated = new Set(known.map(({ key, stamp }) => `${key} ${stamp}`));
  const named = new Set(known.map(({ key, operationId }) => `${key} ${operationId}`));
  const lives: CommittedWrite[] = [];
  for (const { key, state } of recordsOf(snapshot)) {
    const candidate = (kind: string): Attempt | undefined =>
      turns.get(key)?.find((write) => write.kind === kind && !named.has(`${key} ${write.id}`));
    // A delete empties this one, too.
    const [createdAt, created] = state.fields[CREATED_AT] ?? [];
    const [deletedAt, deleted] = state.fields[DELETED] ?? [];
    const entries = [
      ...(createdAt === undefined || created === null
        ? []
        : [{ stamp: createdAt, write: candidate('create') }]),
      ...(deletedAt === undefined || deleted !== true
        ? []
        : [{ stamp: deletedAt, write: candidate('delete') }]),
    ];
    for (const { stamp, write } of entries) {
      if (write !== undefined && !dated.has(`${key} ${stamp}`))
        lives.push(committed(write, stampSite(stamp), key, stamp));
    }
  }
  return lives;
}

function* recordsOf(snapshot: Snapshot) {
  for (const records of snapshot.values()) yield* records.values();
}
