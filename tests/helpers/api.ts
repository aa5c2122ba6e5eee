/** Calls the HTTP functions as the platform of this run would, and checks every answer against the contract. */
import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { cloudName } from '#cloud';
import { breaches, type HttpResponse } from '../../infra/rollout/contract-breaches.ts';
import { type Call, type Invoke, invokeFunction, invokeLambda } from './call.ts';

/** Calls a function as the platform of this run would, and checks nothing. */
export const invoke: Invoke = cloudName === 'aws' ? invokeLambda : invokeFunction;

export type Service = 'region' | 'health' | 'users' | 'items' | 'fallback';

export interface Response extends HttpResponse {
  readonly json: Record<string, unknown>;
}

type Rest = Omit<Call, 'method' | 'path'>;

export type CallApi = (method: string, path: string, rest?: Rest) => Promise<Response>;

/** Calls one function. */
export async function callHandler(
  handler: unknown,
  method: string,
  path: string,
  rest: Rest = {},
): Promise<Response> {
  const response = await invoke(handler, { method, path, ...rest });
  expect(breaches(method, path, response)).toEqual([]);
  return { ...response, json: JSON.parse(response.text || '{}') as Record<string, unknown> };
}

export const OPERATOR_KEY = 'an-operator-key';
/** Variables of a site that lets this operator in. */
export const OPERATOR_ENV = {
  TANDEM_OPERATOR_KEYS: createHash('sha256').update(OPERATOR_KEY).digest('hex'),
};

/** Calls the function for operators with the operator's key, by a path below `/replication/`. */
export function callAsOperator(
  handler: unknown,
  method: string,
  path: string,
  body?: object,
): Promise<Response> {
  const headers = { authorization: `Bearer ${OPERATOR_KEY}` };
  return callHandler(handler, method, `/replication/${path}`, {
    headers,
    ...(body !== undefined && { body }),
  });
}

/** First segment of a path → its service. */
const OWNER = new Map<string, Service>([
  ['region', 'region'],
  ['health', 'health'],
  ['users', 'users'],
  ['user', 'users'],
  ['write', 'items'],
  ['items', 'items'],
]);

/** Loads the services, which read the environment as it is now; the result calls the one that owns a path. */
export async function openApi(): Promise<CallApi> {
  const load = async (module: Promise<{ handler: unknown }>): Promise<unknown> => (await module).handler;
  const handlers: Record<Service, unknown> = {
    region: await load(import('../../src/handlers/region.ts')),
    health: await load(import('../../src/handlers/health.ts')),
    users: await load(import('../../src/handlers/users.ts')),
    items: await load(import('../../src/handlers/items.ts')),
    fallback: await load(import('../../src/handlers/fallback.ts')),
  };
  return (method, path, rest) => {
    const service = OWNER.get(path.split(/[/?]/)[1] ?? '') ?? 'fallback';
    return callHandler(handlers[service], method, path, rest);
  };
}
