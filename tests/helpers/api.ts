/** Calls the HTTP functions as their platform would and checks every answer against the contract. */
import { expect } from '@jest/globals';
import { cloudName } from '#cloud';
import { invokeFunction, invokeLambda, type Call, type Invoke } from './call.ts';
import { breaches, type HttpResponse } from '../../infra/rollout/contract-breaches.ts';

const invoke: Invoke = cloudName === 'aws' ? invokeLambda : invokeFunction;

export type Service = 'region' | 'health' | 'users' | 'items' | 'fallback';

export interface Response extends HttpResponse {
  readonly json: Record<string, unknown>;
}

export type CallApi = (
  method: string,
  path: string,
  rest?: Omit<Call, 'method' | 'path'>,
) => Promise<Response>;

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
  return async (method, path, rest = {}) => {
    const service = OWNER.get(path.split(/[/?]/)[1] ?? '') ?? 'fallback';
    const response = await invoke(handlers[service], { method, path, ...rest });
    expect(breaches(method, path, response)).toEqual([]);
    return {
      ...response,
      json: response.text === '' ? {} : (JSON.parse(response.text) as Record<string, unknown>),
    };
  };
}
