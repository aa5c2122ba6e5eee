/**
 * Clients of a drill. Most find the product by DNS only: they ask for the name, connect to the address that they get, and keep it
 * for its TTL, or for ever. A write that brought no answer is tried again with its idempotency key, until it is
 * acknowledged; a client whose requests fail asks DNS again only when its answer has run out. The others are in
 * failover-client.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoint, type Request, send } from '../cluster/request.ts';
import { keyOf } from '../history/committed.ts';
import { type Call, type DnsAnswer, type Group, isError } from '../history/observed.ts';
import type { Random } from '../random.ts';
import { createKeyed } from './clients.ts';
import { FailoverClient } from './failover-client.ts';
import { recordPath } from './record-path.ts';

const READ_SHARE = 0.3;

export interface Resolved {
  readonly address: string;
  readonly ttlSeconds: number;
}

export interface LoadOptions {
  /** Clients by group. */
  readonly sizes: Readonly<Record<Group, number>>;
  /** Of each client: one request in so many milliseconds on average, at uneven times, so that clients stay spread. */
  readonly periodMs: number;
  /** The first requests are spread over so long. With the TTL, not all answers run out at the same time. */
  readonly joinWithinMs: number;
  readonly random: Random;
  /** Asks DNS for the name. */
  readonly resolve: () => Promise<Resolved>;
  /** By address. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly calls: Call[];
  readonly responses: DnsAnswer[];
}

/** Sends requests until the signal. */
export async function runLoad(options: LoadOptions, signal: AbortSignal): Promise<void> {
  const clients = Object.entries(options.sizes).flatMap(([group, size]) =>
    Array.from({ length: size }, (_client, index) => clientOf(options, group as Group, index)),
  );
  await Promise.all(clients.map((act) => repeatedly(act, options, signal)));
}

/** What a client does again and again. */
function clientOf(options: LoadOptions, group: Group, index: number): () => Promise<void> {
  if (group !== 'fails over') {
    const client = new Client(options, group, index);
    return () => client.act();
  }
  const { random, calls } = options;
  const sites = [...options.endpoints.values()];
  // Every site is the first of as many.
  const first = index % Math.max(1, sites.length);
  const endpoints = [...sites.slice(first), ...sites.slice(0, first)];
  const client = new FailoverClient({ name: `f${index + 1}`, endpoints, random, calls });
  return () => client.act();
}

async function repeatedly(
  act: () => Promise<void>,
  { periodMs, joinWithinMs, random }: LoadOptions,
  signal: AbortSignal,
): Promise<void> {
  let dueMs = performance.now() + random.next() * joinWithinMs;
  const due = async (): Promise<boolean> => {
    await sleep(Math.max(0, dueMs - performance.now()), undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  };
  while (await due()) {
    await act();
    // What has been missed is not made up for: a client that waits for an answer sends nothing else.
    dueMs = Math.max(dueMs + random.between(0.5, 1.5) * periodMs, performance.now());
  }
}

interface Held {
  readonly endpoint: Endpoint;
  readonly atMs: number;
  readonly untilMs: number;
}

class Client {
  readonly #options: LoadOptions;
  readonly #group: Group;
  readonly #name: string;
  #held: Held | undefined;
  /** A write that nobody has acknowledged yet. */
  #pending: Request | undefined;
  /** Keys that it has written. */
  readonly #written: string[] = [];
  #count = 0;

  constructor(options: LoadOptions, group: Group, index: number) {
    this.#options = options;
    this.#group = group;
    this.#name = `${group === 'honours TTL' ? 'h' : 'i'}${index + 1}`;
  }

  async act(): Promise<void> {
    const { calls } = this.#options;
    const request = this.#pending ?? this.#next();
    const held = await this.#endpoint();
    const by = { client: this.#name, group: this.#group };
    if (typeof held === 'string') {
      calls.push({ ...unresolved(request, held), ...by });
      return;
    }
    const attempt = await send(request, held.endpoint);
    calls.push({ ...attempt, ...by, resolvedAtMs: held.atMs });
    if (request.kind === 'read') return;
    this.#pending = isError(attempt) ? request : undefined;
    const key = keyOf(attempt);
    if (attempt.result === 'acknowledged' && key !== undefined) this.#written.push(key);
  }

  /** As long as the client takes its answer for good; otherwise a new one, or why there is none. */
  async #endpoint(): Promise<Held | string> {
    const { resolve, endpoints, responses } = this.#options;
    const held = this.#held;
    if (held !== undefined && (this.#group === 'ignores TTL' || Date.now() < held.untilMs)) return held;
    try {
      const { address, ttlSeconds } = await resolve();
      const endpoint = endpoints.get(address);
      if (endpoint === undefined) return `an unknown address: ${address}`;
      const atMs = Date.now();
      responses.push({ atMs, site: endpoint.name });
      this.#held = { endpoint, atMs, untilMs: atMs + ttlSeconds * 1_000 };
      return this.#held;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  #next(): Request {
    const { random } = this.#options;
    this.#count += 1;
    const id = `${this.#name}-${this.#count}`;
    if (this.#written.length === 0 || !random.chance(READ_SHARE)) {
      const request = createKeyed(id);
      this.#pending = request;
      return request;
    }
    const key = random.pick(this.#written);
    return { id, kind: 'read', key, method: 'GET', path: recordPath(key), fields: {} };
  }
}

function unresolved({ id, kind, key, fields }: Request, why: string): Omit<Call, 'client' | 'group'> {
  const now = Date.now();
  return {
    id,
    kind,
    ...(key !== undefined && { key }),
    fields,
    via: 'dns',
    startMs: now,
    endMs: now,
    resolvedAtMs: now,
    result: 'refused',
    status: 0,
    replayed: false,
    problem: `DNS: ${why}`,
  };
}
