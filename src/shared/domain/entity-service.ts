/** What can be done with any declared entity. Knows no HTTP. */
import type { SeenState } from '@tandem-clouds/replication/await-states';
import type { Json } from '@tandem-clouds/replication/json';
import { emptied } from '@tandem-clouds/replication/lives';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { own } from '@tandem-clouds/replication/own';
import { isObject } from '@tandem-clouds/replication/policies/members';
import { DELETED, stateName, type StoredRecord } from '@tandem-clouds/replication/record';
import { MEMBERS } from '@tandem-clouds/replication/semantics';
import { digest } from '../digest.ts';
import {
  ConflictError,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  PreconditionFailedError,
} from '../errors.ts';
import { checkBirth, keyMissing, requireBirth } from './birth.ts';
import { type Entity, isRemovable, mergesByMember, recordIdOf, type RuleCaller } from './entity.ts';
import { fieldChanges, hasMembers, initialChanges, valuesOf } from './field-changes.ts';
import type { FieldCheck } from './field-check.ts';
import type { DeclaredIndex } from './indexes/declared-index.ts';
import type { ListQuery } from './indexes/list-query.ts';
import { readableBy, type Reader } from './readable-by.ts';
import type { ListOptions, MayKnow, Replica } from './replica.ts';
import { earlierRun, type KeyedRequest, remember } from './request-memory.ts';
import { ruleOf } from './run-rule.ts';
import { Scope } from './scope.ts';

/** A condition on the state that the client saw: names of states, or any state at all. */
export type Precondition = { readonly anyOf: readonly string[] } | { readonly any: true };

export interface WriteOptions {
  readonly ifMatch?: Precondition | undefined;
  readonly traceparent?: string | undefined;
  /** States that the write must not be decided without. */
  readonly seen?: readonly SeenState[] | undefined;
}

export interface CreateOptions extends Pick<WriteOptions, 'seen' | 'traceparent'> {
  /** Present when the client named its request: a retry, at any site, finds what the first one made. */
  readonly request?: KeyedRequest | undefined;
}

export type ChangeOptions = WriteOptions & CreateOptions;

/** A keyed removal that was done before finds its tombstone, and is done; without a key what is gone is not found. */
export type RemoveOptions = WriteOptions & Pick<CreateOptions, 'request'>;

export interface ActionOptions extends ChangeOptions {
  readonly caller: RuleCaller;
}

/** What a creation answers; `replayed` when an earlier run of the same request made it. */
export interface Creation {
  readonly record: StoredRecord;
  readonly replayed: boolean;
}

/** What a read waits for. */
export interface RecordWait {
  readonly isAwaited: (record: StoredRecord) => boolean;
  /** Whether what is not there may still arrive from another site. */
  readonly mayArrive: boolean;
  readonly withinMs: () => number;
}

export interface EntityPage {
  readonly records: readonly StoredRecord[];
  /** Ids that are there and cannot be read at this site. */
  readonly unreadable: readonly string[];
  /** The last id that was looked at, or its place in an index, when there may be more. */
  readonly next: string | undefined;
}

export class EntityService {
  readonly #entity: Entity;
  readonly #replica: Replica;
  readonly #check: FieldCheck;
  #within: Scope | undefined;

  /** @param check What is wrong with fields as they are stored, by the schemas of the entity. */
  constructor(entity: Entity, replica: Replica, check: FieldCheck, scope?: Scope) {
    this.#entity = entity;
    this.#replica = replica;
    this.#check = check;
    this.#within = scope;
  }

  /** The same service for a request: what its caller may not know of does not exist. */
  within(scope: Scope): EntityService {
    return new EntityService(this.#entity, this.#replica, this.#check, scope);
  }

  /** Where nobody has said who asks, nothing that has owners or tenants is to be had. @throws ForbiddenError */
  get #scope(): Scope {
    return (this.#within ??= new Scope(this.#entity, undefined));
  }

  /**
   * A keyed request that was done before answers with the record as it is now, however old its key is.
   * @throws InvalidError when the entity asks for a key that says when it was made, and this one does not, or is too old.
   * @throws ConflictError when the id is taken. @throws IdempotencyMismatchError @throws RequestForgottenError @throws GoneError
   */
  async create(
    input: Readonly<Record<string, Json>>,
    { request, traceparent, seen }: CreateOptions,
  ): Promise<Creation> {
    const { [this.#entity.idField]: chosen, ...values } = input;
    const scope = this.#scope;
    if (chosen !== undefined && !scope.choosesIds) throw chosenId(this.#entity);
    const named = typeof chosen === 'string' ? chosen : this.#named(values);
    const id = named ?? request?.id ?? this.#replica.newId();
    const isKeyed = request !== undefined && named === undefined;
    const initial = initialChanges(this.#entity, { ...values, ...this.#owner() }, { isKeyed });
    const nowMs = this.#replica.now();
    const born = this.#birth(request, nowMs);
    let replayed = false;
    const record = await this.#replica.write({
      key: this.#key(id),
      // Whether what is refused as new is there already must be read.
      expectNew: !(born instanceof InvalidError),
      creates: { keepUnseenTombstone: isKeyed },
      traceparent,
      seen,
      mayKnow: this.#mayKnow,
      decide: (current, isLive) => {
        replayed = earlierRun(current, request, isLive) !== undefined;
        if (replayed) return undefined;
        if (isLive) {
          throw new ConflictError(`${this.#entity.name} ${id} exists already`);
        }
        if (born instanceof InvalidError) throw born;
        return {
          ...initial,
          createdAt: born.toISOString(),
          ...remember(current, request, { created: true, nowMs }),
        };
      },
    });
    return { record, replayed };
  }

  /** When what is created now was born, or why it is not: a repeat is answered all the same. @throws InvalidError without a key */
  #birth(request: KeyedRequest | undefined, nowMs: number): Date | InvalidError {
    const { ids } = this.#entity;
    if (ids === undefined) return new Date(nowMs);
    if (request === undefined) throw keyMissing();
    try {
      const bornMs = requireBirth(request.madeAtMs);
      checkBirth(bornMs, nowMs, ids.withinMs);
      return new Date(bornMs);
    } catch (error) {
      if (error instanceof InvalidError) return error;
      throw error;
    }
  }

  /** Not older than `seen`. @throws NotFoundError @throws NotYetHereError */
  async read(id: string, seen: readonly SeenState[] = []): Promise<StoredRecord> {
    return (await this.find(id, seen)) ?? this.#missing(id);
  }

  /**
   * The record once it is as it is waited for, or as it is when the time is over.
   * @param wait.withinMs Asked when the first look was not enough: what a session waits for takes its time, too.
   * @throws NotFoundError also when it goes meanwhile @throws NotYetHereError
   */
  async readUntil(
    id: string,
    seen: readonly SeenState[],
    { isAwaited, mayArrive, withinMs }: RecordWait,
  ): Promise<StoredRecord> {
    // A cache would tell of a change later than the store.
    let record = await this.find(id, seen, true);
    if (record === undefined && !mayArrive) return this.#missing(id);
    if (record !== undefined && isAwaited(record)) return record;
    const pause = this.#replica.pausing(withinMs());
    // A site never goes back: what was seen is in whatever is read from now on, and what has gone has gone.
    while ((record === undefined || !isAwaited(record)) && (await pause()))
      record = (await this.find(id, [], true)) ?? (record === undefined ? undefined : this.#missing(id));
    return record ?? this.#missing(id);
  }

  /** Undefined when there is none. @throws NotYetHereError */
  find(id: string, seen: readonly SeenState[] = [], isFresh = false): Promise<StoredRecord | undefined> {
    return this.#replica.read(this.#key(id), seen, this.#mayKnow, isFresh);
  }

  /** Undefined where everybody may know of everything that a key leads to. */
  get #mayKnow(): MayKnow | undefined {
    const scope = this.#scope;
    return scope.owner === undefined ? undefined : (record) => scope.holds(record);
  }

  /** What begins the keys of all records within the scope. */
  get prefix(): string {
    return this.#scope.prefix;
  }

  /** The indexes that serve lists within the scope: of one owner's records, those by their owner. */
  get indexes(): readonly DeclaredIndex[] {
    const indexes = this.#replica.indexesOf(this.#entity.name);
    if (this.#scope.owner === undefined) return indexes;
    return indexes.filter(({ on }) => on === this.#entity.access.owner);
  }

  /** By one of `indexes`, after a place in it; not older than `seen`. @throws IndexIncompleteError @throws NotYetHereError */
  async listBy(query: ListQuery, options: ListOptions): Promise<EntityPage> {
    const { prefix } = this.#scope;
    const page = await this.#replica.listBy(query, { ...options, prefix, mayKnow: this.#mayKnow });
    return { ...page, unreadable: page.unreadable.map((key) => this.#scope.idOf(key)) };
  }

  /** Not older than `seen`. @throws NotYetHereError */
  async list({ after, limit, seen = [] }: ListOptions): Promise<EntityPage> {
    if (this.#scope.owner !== undefined)
      throw new TypeError(`what one owner has of ${this.#entity.collection} is listed by its index`);
    const page = await this.#replica.list(this.#entity.name, {
      after: after === undefined ? undefined : this.#key(after),
      limit,
      seen,
      prefix: this.#scope.prefix,
    });
    return {
      records: page.records,
      unreadable: page.unreadable.map((key) => this.#scope.idOf(key)),
      next: page.next === undefined ? undefined : this.#scope.idOf(page.next),
    };
  }

  /**
   * Changes the given fields as their policies say; null removes one. A keyed request that was done before answers
   * with the record as it is now.
   * @throws NotFoundError @throws PreconditionFailedError @throws IdempotencyMismatchError @throws RequestForgottenError
   * @throws OutOfBoundsError when what is there and the change together break a rule of the entity
   */
  async change(
    id: string,
    values: Readonly<Record<string, Json>>,
    options: ChangeOptions,
  ): Promise<Creation> {
    const isPatched = ([field, value]: [string, Json]): boolean =>
      mergesByMember(this.#entity, field) && isObject(value);
    const byMember = Object.entries(values).some(isPatched) && (await this.#replica.isUnderstood(MEMBERS));
    const writing = { writer: 'client', byMember, check: this.#check } as const;
    return this.#changeOnce(id, options, (live) => fieldChanges(this.#entity, live, values, writing));
  }

  /**
   * Runs the rule of an action inside the write. A keyed request that was done before answers with the record as it is
   * now.
   * @param input Valid by the schema of the action's input.
   * @throws NotFoundError @throws PreconditionFailedError @throws IdempotencyMismatchError @throws RequestForgottenError
   * @throws RefusedByRuleError @throws RuleFaultError @throws OutOfBoundsError
   */
  async act(
    id: string,
    { name, input }: { readonly name: string; readonly input: Readonly<Record<string, Json>> },
    { caller, ...options }: ActionOptions,
  ): Promise<Creation> {
    const action = own(this.#entity.actions, name);
    if (action === undefined) throw new TypeError(`${this.#entity.name} has no action ${name}`);
    const rule = ruleOf(this.#entity, name, action, {
      input,
      caller,
      nowMs: this.#replica.now(),
      freshId: () => this.#replica.newId(),
    });
    const byMember = hasMembers(this.#entity) && (await this.#replica.isUnderstood(MEMBERS));
    const place = `${this.#entity.name}.${name}`;
    const { writes } = action;
    const writing = { writer: 'action', rule: place, writes, byMember, check: this.#check } as const;
    return this.#changeOnce(id, options, (live) => {
      const changes = rule(valuesOf(this.#entity, live));
      return changes === undefined ? {} : fieldChanges(this.#entity, live, changes, writing);
    });
  }

  async #changeOnce(
    id: string,
    { ifMatch, request, traceparent, seen }: ChangeOptions,
    decide: (live: StoredRecord) => Changes,
  ): Promise<Creation> {
    let replayed = false;
    const record = await this.#replica.write({
      key: this.#key(id),
      traceparent,
      seen,
      mayKnow: this.#mayKnow,
      decide: (current, isLive) => {
        const live = this.#live(isLive ? current : undefined, id);
        replayed = earlierRun(live, request, true) !== undefined;
        if (replayed) return undefined;
        checkPrecondition(live, ifMatch);
        const memory = remember(live, request, { created: false, nowMs: this.#replica.now() });
        return unlessEmpty({ ...decide(live), ...memory });
      },
    });
    return { record, replayed };
  }

  /**
   * The tombstone. A keyed request that was done before has removed what it meant: a later life of the key stays.
   * @throws NotFoundError @throws PreconditionFailedError @throws IdempotencyMismatchError @throws RequestForgottenError
   * @throws TypeError for an entity whose records are never deleted by callers
   */
  async remove(id: string, { ifMatch, traceparent, seen, request }: RemoveOptions): Promise<StoredRecord> {
    if (!isRemovable(this.#entity))
      throw new TypeError(
        `${this.#entity.collection} are never deleted: ${this.#entity.name} is not removable`,
      );
    return this.#replica.write({
      key: this.#key(id),
      traceparent,
      seen,
      mayKnow: this.#mayKnow,
      decide: (current, isLive) => {
        const known = current !== undefined && this.#scope.holds(current) ? current : undefined;
        if (earlierRun(known, request, true) !== undefined) return undefined;
        const live = this.#live(isLive ? current : undefined, id);
        checkPrecondition(live, ifMatch);
        const nowMs = this.#replica.now();
        return { ...deletionOf(this.#entity, live), ...remember(live, request, { created: false, nowMs }) };
      },
    });
  }

  /**
   * Of what has content, the name is what an upload is known by: two sites that are asked for the same name of the same owner
   * make the same record.
   */
  idOfName(name: string): string {
    return `o${digest(JSON.stringify([...Object.values(this.#scope.initial()), name]))}`;
  }

  #named({ name }: Readonly<Record<string, Json>>): string | undefined {
    return this.#entity.content === undefined || typeof name !== 'string' ? undefined : this.idOfName(name);
  }

  /** The owner of what is created. @throws ForbiddenError when the field does not take such a name */
  #owner(): Readonly<Record<string, Json>> {
    const owner = this.#scope.initial();
    const [failure] = this.#check(owner);
    if (failure !== undefined)
      throw new ForbiddenError(`${failure.pointer.slice(1)}: the name of who asks ${failure.detail}`);
    return owner;
  }

  /** Whether every peer's durable queue has what a write answered. */
  isAccepted({ record, replayed }: Creation): Promise<boolean> {
    return this.#replica.isAccepted(record, !replayed);
  }

  /** The id that clients know a record by. */
  idOf({ key }: Pick<StoredRecord, 'key'>): string {
    return recordIdOf(this.#entity, key);
  }

  /**
   * The record as clients see it: its id under both names, the declared fields, and when it was created.
   * @param reader Who asks: what is not readable by them is left out. Undefined where nobody is asked who they are.
   */
  view(record: StoredRecord, reader?: Reader): Record<string, Json> {
    const { id, ...values } = readableBy(this.#entity, valuesOf(this.#entity, record), reader);
    return { id: id ?? '', [this.#entity.idField]: id ?? '', ...values };
  }

  #key(id: string): string {
    return this.#scope.keyOf(id);
  }

  #live(current: StoredRecord | undefined, id: string): StoredRecord {
    return current !== undefined && this.#scope.holds(current) ? current : this.#missing(id);
  }

  #missing(id: string): never {
    throw new NotFoundError(`${this.#entity.name} ${id} does not exist`);
  }
}

/** Before anything is looked up: the answer is the same whether the id is taken or not. */
function chosenId({ idField }: Entity): InvalidError {
  const detail = 'is made by the site: of records with owners, nobody may find out which ids are taken';
  return new InvalidError('the body is invalid', [{ pointer: `/${idField}`, rule: 'owner', detail }]);
}

/** What leaves a record as it is is no write. */
function unlessEmpty(changes: Changes): Changes | undefined {
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** What a delete sets: the tombstone, and no value of the record is kept beside the requests that made it. */
export function deletion({ state }: StoredRecord): Changes {
  return { ...emptied(state), [DELETED]: true };
}

/** The same of one of an entity's: whose it was is kept, so that only its owner learns that it was there. */
export function deletionOf({ access: { owner } }: Pick<Entity, 'access'>, live: StoredRecord): Changes {
  const changes = deletion(live);
  if (owner === undefined) return changes;
  return Object.fromEntries(Object.entries(changes).filter(([field]) => field !== owner));
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
