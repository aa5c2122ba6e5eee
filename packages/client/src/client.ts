/**
 * A client of Tandem's API: typed by the contract, for Node and browsers. It makes idempotency keys, carries what the
 * session has seen, goes to another site when one fails, and does nothing twice.
 *
 * @example
 * const tandem = createTandemClient({ sites: ['https://aws.example.com', 'https://azure.example.com'] });
 * const { data: ada } = await tandem.collection('users').create({ name: 'Ada', email: 'ada@example.com' });
 * for await (const user of tandem.collection('users').list()) console.log(user.name);
 */
import { Calls } from './calls.ts';
import { type Collection, collectionOf } from './collection.ts';
import type { paths } from './generated/schema.ts';
import type { ClientOptions } from './options.ts';
import type { Session } from './session.ts';
import type { AnyCall, AnyInit, CollectionName, Method } from './types.ts';

export type { paths } from './generated/schema.ts';

export interface TandemClient<Paths extends object = paths> {
  readonly GET: Method<Paths, 'get'>;
  readonly POST: Method<Paths, 'post'>;
  readonly PUT: Method<Paths, 'put'>;
  readonly PATCH: Method<Paths, 'patch'>;
  readonly DELETE: Method<Paths, 'delete'>;
  /** The records of one kind: `users`. */
  collection<Name extends CollectionName<Paths>>(name: Name): Collection<Paths, Name>;
  /** What was seen so far. */
  readonly session: Session;
}

/** @throws ClientOptionsError that names every mistake. */
export function createTandemClient(options: ClientOptions): TandemClient;
/** Of another contract than this project's: `paths` as openapi-typescript writes them. */
export function createTandemClient<Paths extends object>(options: ClientOptions): TandemClient<Paths>;
export function createTandemClient(options: ClientOptions): unknown {
  const calls = new Calls(options);
  const call: AnyCall = (method, path, init) => calls.call(method, path, init);
  const method = (name: string) => (path: string, init?: AnyInit) => call(name, path, init);
  return {
    GET: method('GET'),
    POST: method('POST'),
    PUT: method('PUT'),
    PATCH: method('PATCH'),
    DELETE: method('DELETE'),
    collection: (name: string) => collectionOf(name, { call, one: calls.recordTemplate(name) }),
    session: calls.session,
  };
}
