/** What can be done with any declared entity. Knows no HTTP. */
import type { SeenState } from '@tandem-clouds/replication/await-states';
import type { Json } from '@tandem-clouds/replication/json';
import { emptied } from '@tandem-clouds/replication/lives';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { own } from '@tandem-clouds/replication/own';
import { increment } from '@tandem-clouds/replication/policies/counter';
import { type FieldOperation, type FieldParts, fieldValue } from '@tandem-clouds/replication/policies/field';
import {
  isObject,
  memberChanges,
  memberField,
  mergePatch,
} from '@tandem-clouds/replication/policies/members';
import { write } from '@tandem-clouds/replication/policies/register';
import { change, replace, start } from '@tandem-clouds/replication/policies/set';
import {
  DELETED,
  idOf,
  membersOf,
  partsOf,
  plainValues,
  stateName,
  type StoredRecord,
  withParts,
} from '@tandem-clouds/replication/record';
import { MEMBERS } from '@tandem-clouds/replication/semantics';
import { stampSite } from '@tandem-clouds/replication/stamp';
import {
  ConflictError,
  type Failure,
  NotFoundError,
  OutOfBoundsError,
  PreconditionFailedError,
} from '../errors.ts';
import { type Entity, type MergePolicy, mergesByMember, policyOf } from './entity.ts';
import type { DeclaredIndex } from './indexes/declared-index.ts';
import type { ListQuery } from './indexes/list-query.ts';
import type { ListOptions, Replica } from './replica.ts';
import { earlierRun, type KeyedRequest, remember } from './request-memory.ts';

/** A condition on the state that the client saw: names of states, or any state at all. */
export type Precondition = { readonly anyOf: readonly string[] } | { readonly any: true };

export interface WriteOptions {
  readonly ifMatch?: Precondition | undefined;
  readonly traceparent?: string | undefined;
}

export interface CreateOptions extends Pick<WriteOptions, 'traceparent'> {
  /** Present when the client named its request: a retry, at any site, finds what the first one made. */
  readonly request?: KeyedRequest | undefined;
}

/** What a creation answers; `replayed` when an earlier run of the same request made it. */
export interface Creation {
  readonly record: StoredRecord;
  readonly replayed: boolean;
}

export interface EntityPage {
  readonly records: readonly StoredRecord[];
  /** Ids that are there and cannot be read at this site. */
  readonly unreadable: readonly string[];
  /** The last id that was looked at, or its place in an index, when there may be more. */
  readonly next: string | undefined;
}

/** Every rule that fields break, as they would be stored: field → value. */
export type FieldCheck = (fields: Readonly<Record<string, Json>>) => readonly Failure[];

export class EntityService {
  readonly #entity: Entity;
  readonly #replica: Replica;
  readonly #check: FieldCheck;

  /** @param check What is wrong with fields as they are stored, by the schemas of the entity. */
  constructor(entity: Entity, replica: Replica, check: FieldCheck) {
    this.#entity = entity;
    this.#replica = replica;
    this.#check = check;
  }

  /**
   * A keyed request that was done before answers with the record as it is now.
   * @throws ConflictError when the id is taken. @throws IdempotencyMismatchError @throws GoneError
   */
  async create(
    input: Readonly<Record<string, Json>>,
    { request, traceparent }: CreateOptions,
  ): Promise<Creation> {
    const { [this.#entity.idField]: chosen, ...values } = input;
    const id = typeof chosen === 'string' ? chosen : (request?.id ?? this.#replica.newId());
    const createdAt = new Date(this.#replica.now()).toISOString();
    let replayed = false;
    const record = await this.#replica.write({
      key: this.#key(id),
      expectNew: true,
      creates: { keepUnseenTombstone: request !== undefined && chosen === undefined },
      traceparent,
      decide: (current, isLive) => {
        replayed = earlierRun(current, request, isLive) !== undefined;
        if (replayed) return undefined;
        if (isLive) {
          throw new ConflictError(`${this.#entity.name} ${id} exists already`);
        }
        return { ...this.#initial(values), createdAt, ...remember(current, request, true) };
      },
    });
    return { record, replayed };
  }

  /** Not older than `seen`. @throws NotFoundError @throws NotYetHereError */
  async read(id: string, seen: readonly SeenState[] = []): Promise<StoredRecord> {
    return (await this.#replica.read(this.#key(id), seen)) ?? this.#missing(id);
  }

  /** The indexes that serve lists of this entity. */
  get indexes(): readonly DeclaredIndex[] {
    return this.#replica.indexesOf(this.#entity.name);
  }

  /** By one of `indexes`, after a place in it; not older than `seen`. @throws IndexIncompleteError @throws NotYetHereError */
  async listBy(query: ListQuery, options: ListOptions): Promise<EntityPage> {
    const page = await this.#replica.listBy(query, options);
    return { ...page, unreadable: page.unreadable.map(idOf) };
  }

  /** Not older than `seen`. @throws NotYetHereError */
  async list({ after, limit, seen = [] }: ListOptions): Promise<EntityPage> {
    const page = await this.#replica.list(this.#entity.name, {
      after: after === undefined ? undefined : this.#key(after),
      limit,
      seen,
    });
    return {
      records: page.records,
      unreadable: page.unreadable.map(idOf),
      next: page.next === undefined ? undefined : idOf(page.next),
    };
  }

  /**
   * Changes the given fields as their policies say; null removes one. A keyed request that was done before answers
   * with the record as it is now.
   * @throws NotFoundError @throws PreconditionFailedError @throws IdempotencyMismatchError
   * @throws OutOfBoundsError when what is there and the change together break a rule of the entity
   */
  async change(
    id: string,
    values: Readonly<Record<string, Json>>,
    { ifMatch, request, traceparent }: WriteOptions & CreateOptions,
  ): Promise<Creation> {
    let replayed = false;
    const isPatched = ([field, value]: [string, Json]): boolean =>
      mergesByMember(this.#entity, field) && isObject(value);
    const byMember = Object.entries(values).some(isPatched) && (await this.#replica.isUnderstood(MEMBERS));
    const record = await this.#replica.write({
      key: this.#key(id),
      traceparent,
      decide: (current, isLive) => {
        const live = this.#live(isLive ? current : undefined, id);
        replayed = earlierRun(live, request, true) !== undefined;
        if (replayed) return undefined;
        checkPrecondition(live, ifMatch);
        const changes = this.#changes(live, values, byMember);
        this.#checkResult(live, changes, Object.keys(values));
        return { ...changes, ...remember(live, request, false) };
      },
    });
    return { record, replayed };
  }

  /** @throws NotFoundError @throws PreconditionFailedError */
  remove(id: string, { ifMatch, traceparent }: WriteOptions): Promise<StoredRecord> {
    return this.#replica.write({
      key: this.#key(id),
      traceparent,
      decide: (current, isLive) => {
        const live = this.#live(isLive ? current : undefined, id);
        checkPrecondition(live, ifMatch);
        return deletion(live);
      },
    });
  }

  /** Whether every peer's durable queue has what a write answered. */
  isAccepted({ record, replayed }: Creation): Promise<boolean> {
    return this.#replica.isAccepted(record, !replayed);
  }

  /** The record as clients see it: its id under both names, the declared fields, and when it was created. */
  view(record: StoredRecord): Record<string, Json> {
    const { idField, fields } = this.#entity;
    const id = idOf(record.key);
    const values = plainValues(record.state);
    const view: Record<string, Json> = { id, [idField]: id };
    for (const field of [...Object.keys(fields), 'createdAt']) {
      const value = values[field] ?? EMPTY[policyOf(this.#entity, field)];
      if (value !== undefined) view[field] = value;
    }
    return view;
  }

  /** Every field, so that what another site holds of an earlier life of the id cannot show through either. */
  #initial(values: Readonly<Record<string, Json>>): Changes {
    const changes: Record<string, Json | FieldOperation> = {};
    for (const field of Object.keys(this.#entity.fields)) {
      const policy = policyOf(this.#entity, field);
      const value = values[field] ?? EMPTY[policy] ?? null;
      changes[field] = policy === 'set' ? start(value as readonly Json[]) : value;
    }
    return changes;
  }

  /** @param byMember False while a peer runs a release that writes objects as a whole: then so does this one. */
  #changes({ state }: StoredRecord, values: Readonly<Record<string, Json>>, byMember: boolean): Changes {
    const changes: Record<string, Json | FieldOperation> = {};
    const shown = plainValues(state);
    const members = membersOf(state);
    for (const [field, value] of Object.entries(values)) {
      if (!mergesByMember(this.#entity, field)) {
        changes[field] = changeOf(field, policyOf(this.#entity, field), value);
      } else if (byMember && isObject(value)) {
        Object.assign(changes, memberChanges(field, shown[field], value));
      } else {
        const whole = isObject(value) ? mergePatch(shown[field], value) : value;
        changes[field] = whole;
        // With registers of the same write, a change of such a member elsewhere is a conflict that is logged.
        for (const member of members.get(field)?.keys() ?? [])
          changes[memberField(field, member)] = (isObject(whole) ? own(whole, member) : undefined) ?? null;
      }
    }
    return changes;
  }

  /**
   * The schema has accepted the change; that says nothing of what it makes of what is there.
   * @throws OutOfBoundsError when a field would break a rule of its schema
   */
  #checkResult({ state }: StoredRecord, changes: Changes, touched: readonly string[]): void {
    const parts: Record<string, FieldParts> = {};
    for (const [name, change] of Object.entries(changes)) {
      const operation = typeof change === 'function' ? change : write(change);
      parts[name] = operation(partsOf(state, name), { stamp: LATEST, site: stampSite(LATEST) });
    }
    const values = plainValues(withParts(state, parts, state.vector));
    const result = Object.fromEntries(
      touched.flatMap((field) => (values[field] === undefined ? [] : [[field, values[field]]])),
    );
    const failures = this.#check(result);
    if (failures.length === 0) return;
    const names = touched.join(', ');
    throw new OutOfBoundsError(`with what is there now, the change of ${names} breaks a rule`, failures);
  }

  #key(id: string): string {
    return `${this.#entity.name}:${id}`;
  }

  #live(current: StoredRecord | undefined, id: string): StoredRecord {
    return current ?? this.#missing(id);
  }

  #missing(id: string): never {
    throw new NotFoundError(`${this.#entity.name} ${id} does not exist`);
  }
}

/** Later than every stamp: of a change that is only tried. */
const LATEST = 'zzzzzzzzzzzzz.x';

/** What a field shows that holds nothing. */
const EMPTY: Readonly<Partial<Record<MergePolicy, Json>>> = { set: [], counter: 0 };

/** What a client's value, which its schema has accepted, does to a field. */
function changeOf(field: string, policy: MergePolicy, value: Json): Json | FieldOperation {
  switch (policy) {
    case 'set':
      if (value === null) return replace([]);
      return Array.isArray(value) ? replace(value) : change(value as { add?: Json[]; remove?: Json[] });
    case 'counter':
      return count(field, (value as { increment: number }).increment);
    case 'register':
    case 'states':
      return value;
  }
}

/** An increment of what is there. @throws ConflictError when the sum cannot be counted exactly. */
function count(field: string, by: number): FieldOperation {
  return (parts, at) => {
    try {
      const counted = increment(by)(parts, at);
      if (Number.isSafeInteger(fieldValue(counted))) return counted;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    throw new ConflictError(
      `${field} cannot be incremented by ${by}: the sum would be beyond ${Number.MAX_SAFE_INTEGER}, ` +
        'up to which numbers are exact',
    );
  };
}

/** What a delete sets: the tombstone, and no value of the record is kept beside the requests that made it. */
export function deletion({ state }: StoredRecord): Changes {
  return { ...emptied(state), [DELETED]: true };
}

/** @throws PreconditionFailedError when the state is none that the client named. */
export function checkPrecondition(
  current: StoredRecord | undefined,
  ifMatch: Precondition | undefined,
): void {
  if (ifMatch === undefined) return;
  const holds =
    current !== undefined && ('any' in ifMatch || ifMatch.anyOf.includes(stateName(current.state)));
  if (!holds) throw new PreconditionFailedError('the record is not in the state that If-Match names');
}
