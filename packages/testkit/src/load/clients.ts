/**
 * The clients: at both sites and through the edge they create, change, replace, delete and read records, hot ones and
 * fresh ones, some with keys for a retry elsewhere, some asking for durability at every peer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '@tandem-clouds/replication/json';
import { type Endpoint, type Request, send } from '../cluster/request.ts';
import { type Attempt, isWrite, itemFields, type Token, userFields } from '../history/client-log.ts';
import { keyOf } from '../history/committed.ts';
import type { Random } from '../random.ts';
import { recordPath } from './record-path.ts';

const LANES = 24;
const HOT = 12;
const MORTAL = 8;
/** Records made by these clients that they come back to. */
const RECENT = 400;
const RETRIES_MAX = 4;
const RETRY_AFTER_MS = 300;
/** What has been missed for longer is not made up for: clients do not queue. */
const LATE_MAX_MS = 2_000;
const READ_SHARE = 0.15;

export interface ClientsOptions {
  readonly random: Random;
  /** The sites' own doors; the edge is named `edge`. */
  readonly endpoints: readonly Endpoint[];
  readonly log: Attempt[];
  /** Distinguishes the ids of several crowds over one stack. */
  readonly name: string;
  /** Share of the writes that ask for `durability=all`, 0 to 1. */
  readonly durableShare: number;
  /** What they write instead of users and items; then they do not read. `recent`: keys of records that they have made. */
  readonly chooseWrite?: (id: string, recent: readonly string[]) => Request;
  /** Takes each attempt with its answer. */
  readonly onAttempt?: (attempt: Attempt) => void;
}

/** A load of clients. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #recent: string[] = [];
  readonly #tokens = new Map<string, Token>();
  #count = 0;
  #acknowledged = 0;

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  /** Acknowledged writes so far; a retried one counts once. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /**
   * Sends `pace()` requests a second until `enough` says so. Requests that are late follow at once, as many at a
   * time as there are lanes.
   */
  async work(pace: () => number, enough: () => boolean): Promise<void> {
    let dueAt = performance.now();
    const lane = async (): Promise<void> => {
      while (!enough()) {
        const waitMs = dueAt - performance.now();
        dueAt = Math.max(dueAt, performance.now() - LATE_MAX_MS) + 1_000 / pace();
        if (waitMs > 0) await sleep(waitMs);
        await this.#act(enough);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  async #act(enough: () => boolean): Promise<void> {
    const { random, endpoints, durableShare, chooseWrite } = this.#options;
    const endpoint = random.pick(endpoints);
    if (chooseWrite === undefined && random.chance(READ_SHARE) && this.#tokens.size > 0) {
      await this.#submit(this.#read(), endpoint);
      return;
    }
    const write = chooseWrite?.(this.#nextId(), this.#recent) ?? this.#chooseWrite();
    await this.#write({ ...write, ...(random.chance(durableShare) && { durable: true }) }, endpoint, enough);
  }

  /** A client that has a key for it tries again, at another door, until it knows. */
  async #write(request: Request, first: Endpoint, enough: () => boolean): Promise<void> {
    let endpoint = first;
    for (let attempt = 0; ; attempt += 1) {
      const { result } = await this.#submit(request, endpoint);
      if (result === 'acknowledged') this.#acknowledged += 1;
      if (result !== 'unknown' || request.idempotencyKey === undefined || attempt >= RETRIES_MAX) return;
      await sleep(RETRY_AFTER_MS);
      if (enough()) return;
      const { endpoints, random } = this.#options;
      const others = endpoints.filter(({ name }) => name !== endpoint.name);
      if (others.length > 0) endpoint = random.pick(others);
    }
  }

  async #submit(request: Request, endpoint: Endpoint): Promise<Attempt> {
    const attempt = await send(request, endpoint);
    this.#options.log.push(attempt);
    this.#options.onAttempt?.(attempt);
    const key = keyOf(attempt);
    if (attempt.token !== undefined && key !== undefined) {
      this.#tokens.set(key, attempt.token);
      if (isWrite(attempt) && attempt.kind === 'create' && !key.includes('mortal')) this.#remember(key);
    }
    return attempt;
  }

  #remember(key: string): void {
    if (this.#recent.length < RECENT) this.#recent.push(key);
    else this.#recent[this.#options.random.int(RECENT)] = key;
  }

  #nextId(): string {
    this.#count += 1;
    return `${this.#options.name}${this.#count}`;
  }

  #chooseWrite(): Request {
    const { random } = this.#options;
    const id = this.#nextId();
    const roll = random.next();
    if (roll < 0.3) return createKeyed(id);
    if (roll < 0.36) return create(id, `hot-${random.int(HOT)}`);
    if (roll < 0.42) return create(id, `mortal-${random.int(MORTAL)}`);
    if (roll < 0.45) return remove(id, `mortal-${random.int(MORTAL)}`);
    if (roll < 0.6) return put(id, `fresh-${id}`, random.chance(0.3));
    if (roll < 0.72) return put(id, `hot-${random.int(HOT)}`, random.chance(0.2));
    return change(id, this.#someUser(), random);
  }

  #someUser(): string {
    const { random } = this.#options;
    if (random.chance(0.1)) return `mortal-${random.int(MORTAL)}`;
    if (this.#recent.length === 0 || random.chance(0.4)) return `hot-${random.int(HOT)}`;
    return idOfKey(random.pick(this.#recent));
  }

  #read(): Request {
    const { random } = this.#options;
    const [key, token] = random.pick([...this.#tokens].slice(-RECENT));
    const id = this.#nextId();
    return { id, kind: 'read', key, method: 'GET', path: recordPath(key), fields: {}, session: token };
  }
}

function idOfKey(key: string): string {
  return key.slice(key.indexOf(':') + 1);
}

/** Writes a user with an idempotency key. The record's id derives from the key, so a retry anywhere makes the same record. */
export function createKeyed(id: string): Request {
  const fields = userFields(id);
  return { id, kind: 'create', method: 'POST', path: '/users', body: fields, fields, idempotencyKey: id };
}

function create(id: string, userId: string): Request {
  const fields = userFields(id);
  return {
    id,
    kind: 'create',
    key: `user:${userId}`,
    method: 'POST',
    path: '/users',
    body: { userId, ...fields },
    fields,
  };
}

function change(id: string, userId: string, random: Random): Request {
  const { name, email, metadata } = userFields(id);
  const fields: Record<string, Json> = { metadata, ...(random.chance(0.5) ? { name } : { email }) };
  return {
    id,
    kind: 'change',
    key: `user:${userId}`,
    method: 'PATCH',
    path: `/users/${userId}`,
    body: fields,
    fields,
  };
}

function remove(id: string, userId: string): Request {
  return {
    id,
    kind: 'delete',
    key: `user:${userId}`,
    method: 'DELETE',
    path: `/users/${userId}`,
    fields: {},
  };
}

function put(id: string, itemId: string, keyed: boolean): Request {
  const fields = itemFields(id);
  return {
    id,
    kind: 'put',
    key: `item:${itemId}`,
    method: 'POST',
    path: '/write',
    body: { id: itemId, ...fields },
    fields,
    ...(keyed && { idempotencyKey: id }),
  };
}
