/**
 * Clients that know both sites and use the product's own client: what fails at one site goes to the other, unless it might
 * count twice. They create, read their own records, and increment a counter of their own.
 */
import { createTandemClient, type TandemClient } from '@tandem-clouds/client';
import { OutcomeUnknown, ProblemError } from '@tandem-clouds/client/errors';
import type { Result } from '@tandem-clouds/client/types';
import type { Json } from '@tandem-clouds/replication/json';
import type { Endpoint } from '../cluster/request.ts';
import { parseToken, type Token, userFields } from '../history/client-log.ts';
import type { Call } from '../history/observed.ts';
import type { Random } from '../random.ts';

const READ_SHARE = 0.3;
const INCREMENT_SHARE = 0.15;

export interface FailoverClientOptions {
  readonly name: string;
  /** The one that this client prefers first. */
  readonly endpoints: readonly Endpoint[];
  readonly random: Random;
  readonly calls: Call[];
}

type Made = Pick<Call, 'fields' | 'id' | 'key' | 'kind' | 'increments'>;

export class FailoverClient {
  readonly #options: FailoverClientOptions;
  readonly #client: TandemClient;
  /** Keys that it has written, with the last token of each. */
  readonly #written = new Map<string, Token>();
  /** The record whose counter it increments. */
  #counter: string | undefined;
  #count = 0;
  /** Requests of the call that goes on. */
  #attempts = 0;

  constructor(options: FailoverClientOptions) {
    this.#options = options;
    this.#client = createTandemClient({
      sites: options.endpoints.map(({ name, url }) => ({ name, url })),
      // A record that only the lost site has cannot be read: a reader of this kind is content with what there is.
      whenBehind: 'stale',
      fetch: (url, init) => {
        this.#attempts += 1;
        return fetch(url, init);
      },
    });
  }

  /** One call, with all that it takes. */
  async act(): Promise<void> {
    const { random } = this.#options;
    this.#count += 1;
    const id = `${this.#options.name}-${this.#count}`;
    if (this.#counter === undefined) return this.#makeCounter(id);
    const roll = random.next();
    if (roll < INCREMENT_SHARE) return this.#increment(id, this.#counter);
    if (roll < INCREMENT_SHARE + READ_SHARE && this.#written.size > 0) return this.#read(id);
    return this.#create(id);
  }

  /** Durable, so that the counter is there whichever site is lost. */
  async #makeCounter(id: string): Promise<void> {
    const fields = userFields(id);
    const result = await this.#log({ id, kind: 'create', fields }, () =>
      this.#client.collection('users').create(fields as { name: string; email: string }, { durable: true }),
    );
    if (result?.durable === true) this.#counter = result.data.id;
  }

  async #create(id: string): Promise<void> {
    const fields = userFields(id);
    await this.#log({ id, kind: 'create', fields }, () =>
      this.#client.collection('users').create(fields as { name: string; email: string }),
    );
  }

  async #increment(id: string, counter: string): Promise<void> {
    const { metadata } = userFields(id) as { metadata: Record<string, Json> };
    const made = { id, kind: 'change', key: `user:${counter}`, fields: { metadata }, increments: 1 } as const;
    await this.#log(made, () =>
      this.#client.collection('users').patch(counter, { metadata, signIns: { increment: 1 } }),
    );
  }

  async #read(id: string): Promise<void> {
    const key = this.#options.random.pick([...this.#written.keys()]);
    await this.#log({ id, kind: 'read', key, fields: {} }, () =>
      this.#client.collection('users').get(key.slice('user:'.length)),
    );
  }

  async #log<Data>(made: Made, call: () => Promise<Result<Data>>): Promise<Result<Data> | undefined> {
    const { calls, name, endpoints } = this.#options;
    const carried = made.kind === 'read' ? this.#written.get(made.key ?? '') : undefined;
    const startMs = Date.now();
    this.#attempts = 0;
    let result: Result<Data> | undefined;
    let end: Pick<Call, 'result' | 'status'> & Partial<Call>;
    try {
      result = await call();
      end = this.#answered(made, result);
    } catch (error) {
      end = failed(error);
    }
    const { stale, ...rest } = end;
    calls.push({
      ...made,
      client: name,
      group: 'fails over',
      via: endpoints[0]?.name ?? '',
      startMs,
      endMs: Date.now(),
      resolvedAtMs: startMs,
      replayed: false,
      attempts: this.#attempts,
      ...(carried !== undefined && stale !== true && { carried }),
      ...(stale === true && { stale }),
      ...rest,
    });
    return result;
  }

  #answered<Data>({ kind }: Made, { status, site, headers, data, replayed, stale }: Result<Data>) {
    const text = headers.get('x-tandem-session');
    const token = text === null ? undefined : parseToken(text);
    if (token !== undefined && kind !== 'read') this.#written.set(token.key, token);
    return {
      result: 'acknowledged' as const,
      status,
      via: site,
      site,
      replayed,
      shown: data as Record<string, Json>,
      ...(token !== undefined && { token }),
      ...(stale && { stale: true as const }),
    };
  }
}

/** That a record is not there is an answer to a read. */
function failed(error: unknown): Pick<Call, 'result' | 'status'> & Partial<Call> {
  const problem = error instanceof Error ? error.message : String(error);
  if (error instanceof ProblemError) {
    const { status, site, stale, method } = error;
    const isAnswer = method === 'GET' && status === 404;
    return {
      result: isAnswer ? 'acknowledged' : 'refused',
      status,
      site,
      via: site,
      problem,
      ...(stale && { stale: true }),
    };
  }
  if (error instanceof OutcomeUnknown) return { result: 'unknown', status: 0, outcomeUnknown: true, problem };
  return { result: 'refused', status: 0, problem };
}
