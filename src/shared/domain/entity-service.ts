/** What can be done with any declared entity. Knows no HTTP. */
import { ConflictError, NotFoundError, PreconditionFailedError } from '../errors.ts';
import {
  idOf,
  DELETED,
  REQUESTS,
  plainValues,
  stateName,
  type Json,
  type StoredRecord,
} from '../replication/record.ts';
import type { ListOptions, Replica } from '../replica.ts';
import type { SeenState } from '../replication/await-states.ts';
import type { Entity } from './entity.ts';
import { earlierRun, remember, type KeyedRequest } from './request-memory.ts';

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
  /** The last id that was looked at, when there may be more. */
  readonly next: string | undefined;
}

export class EntityService {
  readonly #entity: Entity;
  readonly #replica: Replica;

  constructor(entity: Entity, replica: Replica) {
    this.#entity = entity;
    this.#replica = replica;
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
      traceparent,
      decide: (current) => {
        replayed = earlierRun(current, request, (found) => this.#replica.isLive(found)) !== undefined;
        if (replayed) return undefined;
        if (current !== undefined && this.#replica.isLive(current)) {
          throw new ConflictError(`${this.#entity.name} ${id} exists already`);
        }
        return {
          ...cleared(current, { keepUnseenTombstone: request !== undefined && chosen === undefined }),
          ...this.#blank(),
          ...values,
          createdAt,
          ...remember(current, request, true),
        };
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
    return { records: page.records, next: page.next === undefined ? undefined : idOf(page.next) };
  }

  /** Sets the given fields; null removes one. @throws NotFoundError @throws PreconditionFailedError */
  change(
    id: string,
    values: Readonly<Record<string, Json>>,
    { ifMatch, traceparent }: WriteOptions,
  ): Promise<StoredRecord> {
    return this.#replica.write({
      key: this.#key(id),
      traceparent,
      decide: (current) => {
        checkPrecondition(this.#live(current, id), ifMatch);
        return values;
      },
    });
  }

  /** @throws NotFoundError @throws PreconditionFailedError */
  remove(id: string, { ifMatch, traceparent }: WriteOptions): Promise<StoredRecord> {
    return this.#replica.write({
      key: this.#key(id),
      traceparent,
      decide: (current) => {
        checkPrecondition(this.#live(current, id), ifMatch);
        return { [DELETED]: true };
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
      const value = values[field];
      if (value !== undefined) view[field] = value;
    }
    return view;
  }

  /** Every field, so that what another site holds of an earlier life of the id cannot show through either. */
  #blank(): Record<string, Json> {
    return Object.fromEntries(Object.keys(this.#entity.fields).map((field) => [field, null]));
  }

  #key(id: string): string {
    return `${this.#entity.name}:${id}`;
  }

  #live(current: StoredRecord | undefined, id: string): StoredRecord {
    return current !== undefined && this.#replica.isLive(current) ? current : this.#missing(id);
  }

  #missing(id: string): never {
    throw new NotFoundError(`${this.#entity.name} ${id} does not exist`);
  }
}

/**
 * What must be set so that nothing of an earlier life of the key shows. The tombstone is lifted even where there
 * is none: another site may have deleted the key already and its message may still be on the way. Not so for an id
 * that derives from the request: nothing but this very creation can have been deleted under it, and a retry must
 * not bring it back. The requests of an earlier life stay known.
 */
export function cleared(
  current: StoredRecord | undefined,
  { keepUnseenTombstone = false }: { readonly keepUnseenTombstone?: boolean } = {},
): Record<string, Json> {
  const reset: Record<string, Json> = {};
  for (const [field, [, value]] of Object.entries(current?.state.fields ?? {})) {
    reset[field] = field === REQUESTS ? value : null;
  }
  if (!keepUnseenTombstone || current !== undefined) reset[DELETED] = false;
  return reset;
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
