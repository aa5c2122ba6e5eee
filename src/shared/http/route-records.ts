/**
 * Records for the handlers of custom routes, within one request.
 *
 * Invariant: a handler finds and changes what its caller could by the entity's own routes, unless its declaration says that
 * it acts for anybody; a write that an `Idempotency-Key` names takes effect once.
 */
import { AmbiguousError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { sessionTokensMax } from '../bounds.ts';
import { sha256 } from '../digest.ts';
import type { Entity } from '../domain/entity.ts';
import type { Creation, EntityService, WriteOptions } from '../domain/entity-service.ts';
import { indexesOf } from '../domain/indexes/declared-index.ts';
import type { KeyedRequest } from '../domain/request-memory.ts';
import type { RecordRight } from '../domain/routes/custom-routes.ts';
import type {
  ActingFor,
  ReadableRecords,
  RecordPage,
  RecordQuery,
  RecordWriteOptions,
  ShownRecord,
  WritableRecords,
} from '../domain/routes/route-records.ts';
import { ANY_OWNER, ANY_TENANT, Scope } from '../domain/scope.ts';
import { type Failure, InvalidError, NotFoundError, RuleFaultError } from '../errors.ts';
import { validate } from '../validation/validate.ts';
import { checkedId, checkOf, type EntityChecks, entityListReply } from './entity-routes.ts';
import { keyedRequest } from './idempotency.ts';
import { requireKept } from './kept-elsewhere.ts';
import { readListQuery } from './list-query.ts';
import type { HttpRequest } from './route.ts';
import { scopeOf } from './scope-of.ts';
import { seenStates, sessionToken } from './session.ts';

/** An entity whose records the routes of a function may use. */
export interface UsedEntity {
  readonly entity: Entity;
  readonly service: EntityService;
  readonly checks: EntityChecks;
  readonly right: RecordRight;
  /** Of whoever serves it; a handler at a site that does not keep the records is sent to one that does. */
  readonly site: string;
}

export interface RecordsOfRequest {
  /** By the name of the entity; what is only read has no member that writes. */
  readonly records: Readonly<Record<string, ReadableRecords>>;
  /** Header of the answer: the states that were read and written, the newest last; what was written goes before what was read. */
  readonly sessionHeader: () => Readonly<Record<string, string>>;
  /** Whether something was written, or may have been. */
  readonly hasWritten: () => boolean;
}

export interface RecordsOptions {
  /** Name of the operation, and whether its writes carry the request's key. */
  readonly operation: string;
  readonly keyed: boolean;
  readonly actsForAnybody: boolean;
  /** Whether the answer names the records that were read and written: not to whom could not ask for them. */
  readonly namesStates: boolean;
  /** Tells apart what one key was sent with. */
  readonly body: Json;
}

export function recordsOfRequest(
  used: readonly UsedEntity[],
  request: HttpRequest,
  options: RecordsOptions,
): RecordsOfRequest {
  const tokens = new Map<string, NamedState>();
  const noted: Noted = (record, isWritten) => {
    if (!options.namesStates) return record;
    const before = tokens.get(record.key);
    tokens.delete(record.key);
    tokens.set(record.key, {
      token: sessionToken(record),
      isWritten: isWritten || before?.isWritten === true,
    });
    return record;
  };
  const steps = new Set<string>();
  let isWritten = false;
  const writing = async <T>(write: Promise<T>): Promise<T> => {
    try {
      const done = await write;
      isWritten = true;
      return done;
    } catch (error) {
      isWritten ||= error instanceof AmbiguousError;
      throw error;
    }
  };
  const records = used.map((one) => {
    const port = new Port(one, request, { ...options, noted, steps, writing });
    return [one.entity.name, one.right === 'write' ? port.writable() : port.readable()] as const;
  });
  return {
    records: Object.freeze(Object.fromEntries(records)),
    sessionHeader: () => headerOf([...tokens.values()]),
    hasWritten: () => isWritten,
  };
}

interface NamedState {
  readonly token: string;
  readonly isWritten: boolean;
}

/** Remembers a state that the answer is to name. */
type Noted = (record: StoredRecord, isWritten: boolean) => StoredRecord;

/** A client reads what it wrote, also where the handler has read more than one header names. */
function headerOf(states: readonly NamedState[]): Readonly<Record<string, string>> {
  if (states.length === 0) return {};
  const written = states.filter(({ isWritten }) => isWritten).slice(-sessionTokensMax);
  const read = states.filter(({ isWritten }) => !isWritten);
  const room = sessionTokensMax - written.length;
  const named = [...read.slice(Math.max(0, read.length - room)), ...written];
  return { 'x-tandem-session': named.map(({ token }) => token).join(',') };
}

interface PortOptions extends RecordsOptions {
  readonly noted: Noted;
  /** The writes of this request that carry its key. */
  readonly steps: Set<string>;
  /** Remembers what has taken effect. */
  readonly writing: <T>(write: Promise<T>) => Promise<T>;
}

class Port {
  readonly #used: UsedEntity;
  readonly #request: HttpRequest;
  readonly #options: PortOptions;
  readonly #whom: ActingFor | undefined;
  #opened: { readonly scope: Scope; readonly service: EntityService } | undefined;

  constructor(used: UsedEntity, request: HttpRequest, options: PortOptions, whom?: ActingFor) {
    this.#used = used;
    this.#request = request;
    this.#options = options;
    this.#whom = whom;
  }

  readable(): ReadableRecords {
    return Object.freeze({
      read: async (id: string) => this.#shown(await this.#read(id)),
      find: (id: string) => this.#find(id),
      list: (query?: RecordQuery) => this.#list(query ?? {}),
      actingFor: (whom: ActingFor) => this.#actingFor(whom).readable(),
    });
  }

  writable(): WritableRecords {
    const { entity, checks } = this.#used;
    const { writing } = this.#options;
    return Object.freeze({
      ...this.readable(),
      create: async (fields, { step = 'create' }: RecordWriteOptions = {}) => {
        this.#requireKeyed();
        checkInput(entity, checks.create, fields);
        const { service } = this.#within;
        const options = { ...this.#traced, request: this.#keyed(step) };
        return this.#done(await writing(service.create(fields, options)));
      },
      change: async (id, changes, { step = `change ${id}` }: RecordWriteOptions = {}) => {
        checkInput(entity, checks.patch, changes);
        const options = { ...this.#traced, request: this.#keyed(step) };
        const { service } = this.#within;
        return this.#done(await writing(service.change(checkedId(id, entity.name), changes, options)));
      },
      act: async (id, name, input = {}, { step = `${name} ${id}` }: RecordWriteOptions = {}) => {
        if (own(entity.actions, name) === undefined)
          throw new TypeError(`${entity.name} has no action ${name}`);
        checkInput(entity, checkOf(checks, name), input);
        const { service, scope } = this.#within;
        const options = { ...this.#traced, request: this.#keyed(step), caller: scope.caller };
        return this.#done(await writing(service.act(checkedId(id, entity.name), { name, input }, options)));
      },
      remove: async (id, { step = `remove ${id}` }: RecordWriteOptions = {}) => {
        const { service } = this.#within;
        const options = { ...this.#traced, request: this.#keyed(step) };
        this.#options.noted(await writing(service.remove(checkedId(id, entity.name), options)), true);
      },
      actingFor: (whom) => this.#actingFor(whom).writable(),
    } satisfies WritableRecords);
  }

  #actingFor(whom: ActingFor): Port {
    if (!this.#options.actsForAnybody)
      throw new TypeError(`${this.#options.operation} acts for others: declare uses.actsForAnybody`);
    return new Port(this.#used, this.#request, { ...this.#options, noted: (record) => record }, whom);
  }

  get #within(): { readonly scope: Scope; readonly service: EntityService } {
    if (this.#opened !== undefined) return this.#opened;
    const { entity, service, site } = this.#used;
    requireKept(entity, site);
    const scope =
      this.#whom === undefined
        ? scopeOf(entity, this.#request)
        : new Scope(entity, ANYBODYS, { ...this.#whom, sha256 });
    return (this.#opened = { scope, service: service.within(scope) });
  }

  get #traced(): Pick<WriteOptions, 'seen' | 'traceparent'> {
    return { traceparent: this.#request.headers['traceparent'], seen: seenStates(this.#request) };
  }

  async #read(id: string): Promise<StoredRecord> {
    const { entity } = this.#used;
    const { service } = this.#within;
    const record = await service.read(checkedId(id, entity.name), seenStates(this.#request));
    return this.#options.noted(record, false);
  }

  async #find(id: string): Promise<ShownRecord | undefined> {
    try {
      return this.#shown(await this.#read(id));
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  async #list({ where = {}, limit, cursor }: RecordQuery): Promise<RecordPage> {
    const { scope, service } = this.#within;
    const query = {
      ...where,
      ...(limit !== undefined && { limit: String(limit) }),
      ...(cursor !== undefined && { cursor }),
    };
    // Without a caller: a handler sees all fields, as a rule does, and its answer says which of them others see.
    const request = { ...this.#request, query, caller: undefined };
    try {
      const { body } = await entityListReply(this.#used.entity, request, { scope, records: service });
      return body as RecordPage;
    } catch (error) {
      throw error instanceof InvalidError ? this.#listFailure(error, where) : error;
    }
  }

  /**
   * Which query is asked is the handler's choice, and its defect where no index serves it whoever asks. A value that is none,
   * a cursor, or what one owner may not ask, may be the caller's: a refusal, which is not about the query of this request.
   */
  #listFailure({ failures }: InvalidError, where: Readonly<Record<string, string>>): Error {
    const { entity } = this.#used;
    const { operation } = this.#options;
    if (failures.some(isOfQuery) && !isServed(entity, where)) {
      const details = failures.map(({ pointer, detail }) => `${pointer.slice('/query/'.length)} ${detail}`);
      return new RuleFaultError(
        `the route ${operation} lists ${entity.collection} by what no index serves: ${details.join('; ')}`,
      );
    }
    return new InvalidError(
      `${operation} does not list ${entity.collection} by this, for who asks`,
      failures.map((failure) => ({
        ...failure,
        pointer: failure.pointer.replace('/query/', `/${entity.collection}/`),
      })),
    );
  }

  #done({ record }: Creation): ShownRecord {
    return this.#shown(this.#options.noted(record, true));
  }

  #shown(record: StoredRecord): ShownRecord {
    return this.#within.service.view(record) as unknown as ShownRecord;
  }

  /** @throws TypeError for a creation that needs a key, and whose caller cannot send one. */
  #requireKeyed(): void {
    const { operation, keyed } = this.#options;
    const { ids, collection } = this.#used.entity;
    if (ids !== undefined && !keyed)
      throw new TypeError(`${operation} creates ${collection}, whose ids derive from a key: declare keyed`);
  }

  /** @throws TypeError for a second write of one name, which would be taken for a repeat of the first. */
  #keyed(step: string): KeyedRequest | undefined {
    const { operation, keyed, body, steps } = this.#options;
    if (!keyed) return undefined;
    const { entity } = this.#used;
    const { actedFor } = this.#within.scope;
    const name = `${entity.name} ${operation} ${step}`;
    const unique = JSON.stringify([name, actedFor]);
    if (steps.has(unique))
      throw new TypeError(`${operation} does '${step}' twice in one request: name the writes, { step: … }`);
    steps.add(unique);
    return keyedRequest(name, { ...this.#request, body }, { actedFor });
  }
}

/** The rules of a list that are about which query it is, and not about a value. */
const OF_QUERY = new Set(['unknown', 'operator', 'index']);
const isOfQuery = ({ rule }: Failure): boolean => OF_QUERY.has(rule);

/** Whether an index serves such a query for whoever sees the records of all owners. */
function isServed(entity: Entity, where: Readonly<Record<string, string>>): boolean {
  try {
    readListQuery(where, indexesOf(entity), '');
    return true;
  } catch (error) {
    return error instanceof InvalidError && !error.failures.some(isOfQuery);
  }
}

/** Who acts for whom a handler names. */
const ANYBODYS = { subject: undefined, scopes: [ANY_OWNER, ANY_TENANT], claims: {}, tenant: undefined };

/** @throws InvalidError */
function checkInput(
  { name }: Entity,
  check: EntityChecks['create'],
  value: Readonly<Record<string, Json>>,
): void {
  const failures = validate(check, value);
  if (failures.length > 0) throw new InvalidError(`the ${name} is invalid`, failures);
}
