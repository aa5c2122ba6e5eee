/** What can be done with any declared entity. Knows no HTTP. */
import type { SeenState } from '@tandem-clouds/replication/await-states';
import type { Json } from '@tandem-clouds/replication/json';
import { emptied } from '@tandem-clouds/replication/lives';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { isObject } from '@tandem-clouds/replication/policies/members';
import { DELETED, idOf, stateName, type StoredRecord } from '@tandem-clouds/replication/record';
import { MEMBERS } from '@tandem-clouds/replication/semantics';
import { ConflictError, NotFoundError, PreconditionFailedError } from '../errors.ts';
import { type Entity, mergesByMember } from './entity.ts';
import { fieldChanges, initialChanges, valuesOf } from './field-changes.ts';
import type { FieldCheck } from './field-check.ts';
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
  /** The last id that was looked at, when there may be more. */
  readonly next: string | undefined;
}

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
        return { ...initialChanges(this.#entity, values), createdAt, ...remember(current, request, true) };
      },
    });
    return { record, replayed };
  }

  /** Not older than `seen`. @throws NotFoundError @throws NotYetHereError */
  async read(id: string, seen: readonly SeenState[] = []): Promise<StoredRecord> {
    return (await this.#replica.read(this.#key(id), seen)) ?? this.#missing(id);
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
        const writing = { writer: 'client', byMember, check: this.#check } as const;
        const changes = fieldChanges(this.#entity, live, values, writing);
        return unlessEmpty({ ...changes, ...remember(live, request, false) });
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
    const { id, ...values } = valuesOf(this.#entity, record);
    return { id: id ?? '', [this.#entity.idField]: id ?? '', ...values };
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

/** What leaves a record as it is is no write. */
function unlessEmpty(changes: Changes): Changes | undefined {
  return Object.keys(changes).length === 0 ? undefined : changes;
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
