/** Generic records: any JSON object under an id, created or replaced as a whole, with an optional time to live. */
import type { SeenState } from '@tandem-clouds/replication/await-states';
import type { Json } from '@tandem-clouds/replication/json';
import {
  EXPIRES,
  expiresAtSeconds,
  idOf,
  plainValues,
  type StoredRecord,
} from '@tandem-clouds/replication/record';
import { NotFoundError, PreconditionFailedError } from '../errors.ts';
import {
  checkPrecondition,
  type Creation,
  deletion,
  type EntityPage,
  type WriteOptions,
} from './entity-service.ts';
import { ITEM } from './item.ts';
import type { ListOptions, Replica } from './replica.ts';
import { earlierRun, type KeyedRequest, remember } from './request-memory.ts';

export interface ItemInput {
  readonly id?: string;
  readonly data: Json;
  /** Seconds from now until it no longer exists, at every site. */
  readonly ttlSeconds?: number;
}

export interface ItemWriteOptions extends WriteOptions {
  /** Refuse to replace what is there. */
  readonly onlyIfAbsent?: boolean;
  /** Present when the client named its request: a retry, at any site, finds what the first one made. */
  readonly request?: KeyedRequest | undefined;
}

/** What a write answers: `created` when nothing was there before, in the first run of a keyed request. */
export interface ItemWritten extends Creation {
  readonly created: boolean;
}

export class ItemService {
  readonly #replica: Replica;

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  /**
   * Creates or replaces. A keyed request that was done before answers with the record as it is now.
   * @throws PreconditionFailedError @throws IdempotencyMismatchError @throws RequestForgottenError @throws GoneError
   */
  async write(
    input: ItemInput,
    { ifMatch, onlyIfAbsent, request, traceparent, seen }: ItemWriteOptions,
  ): Promise<ItemWritten> {
    const nowMs = this.#replica.now();
    const expires = input.ttlSeconds === undefined ? null : Math.ceil(nowMs / 1000) + input.ttlSeconds;
    let created = false;
    let replayed = false;
    const record = await this.#replica.write({
      key: `${ITEM}:${input.id ?? request?.id ?? this.#replica.newId()}`,
      expectNew: input.id === undefined,
      creates: { keepUnseenTombstone: request !== undefined && input.id === undefined },
      traceparent,
      seen,
      decide: (current, isLive) => {
        const earlier = earlierRun(current, request, isLive);
        replayed = earlier !== undefined;
        created = earlier?.created ?? false;
        if (replayed) return undefined;
        const live = isLive ? current : undefined;
        checkPrecondition(live, ifMatch);
        if (onlyIfAbsent === true && live !== undefined) {
          throw new PreconditionFailedError('the record exists already');
        }
        created = live === undefined;
        return {
          ...(live === undefined && { createdAt: new Date(nowMs).toISOString() }),
          data: input.data,
          ...remember(current, request, { created, nowMs }),
          // Also when it never expires: another site may have given this id an end that has not arrived yet.
          [EXPIRES]: expires,
        };
      },
    });
    return { record, created, replayed };
  }

  /** Not older than `seen`. @throws NotFoundError when it is absent or has expired. @throws NotYetHereError */
  async read(id: string, seen: readonly SeenState[] = []): Promise<StoredRecord> {
    const record = await this.#replica.read(`${ITEM}:${id}`, seen);
    return record ?? missing(id);
  }

  /** Live records in the order of their ids; not older than `seen`. @throws NotYetHereError */
  async list({ after, limit, seen = [] }: ListOptions): Promise<EntityPage> {
    const page = await this.#replica.list(ITEM, {
      after: after === undefined ? undefined : `${ITEM}:${after}`,
      limit,
      seen,
    });
    return {
      records: page.records,
      unreadable: page.unreadable.map(idOf),
      next: page.next === undefined ? undefined : idOf(page.next),
    };
  }

  /** @throws NotFoundError when it is absent or has expired. @throws PreconditionFailedError */
  remove(id: string, { ifMatch, traceparent, seen }: WriteOptions): Promise<StoredRecord> {
    return this.#replica.write({
      key: `${ITEM}:${id}`,
      traceparent,
      seen,
      decide: (current, isLive) => {
        if (current === undefined || !isLive) return missing(id);
        checkPrecondition(current, ifMatch);
        return deletion(current);
      },
    });
  }

  /** Whether every peer's durable queue has what a write answered. */
  isAccepted({ record, replayed }: Creation): Promise<boolean> {
    return this.#replica.isAccepted(record, !replayed);
  }

  view(record: StoredRecord): Record<string, Json> {
    const { data = {}, createdAt = null } = plainValues(record.state);
    const expires = expiresAtSeconds(record.state);
    return {
      id: idOf(record.key),
      data,
      createdAt,
      ...(expires !== undefined && { expiresAt: new Date(expires * 1000).toISOString() }),
    };
  }
}

function missing(id: string): never {
  throw new NotFoundError(`${ITEM} ${id} does not exist`);
}
