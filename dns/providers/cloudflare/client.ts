/** The Cloudflare client with just the resources that are used, with retries, and with its errors in the core's terms. */
import { APIConnectionError, APIError } from 'cloudflare';
import { BaseDNS } from 'cloudflare/resources/dns/dns';
import { BaseRecords } from 'cloudflare/resources/dns/records';
import { BaseLoadBalancers } from 'cloudflare/resources/load-balancers/load-balancers';
import { BaseMonitors } from 'cloudflare/resources/load-balancers/monitors/monitors';
import { BaseHealth } from 'cloudflare/resources/load-balancers/pools/health';
import { BasePools } from 'cloudflare/resources/load-balancers/pools/pools';
import { BasePhases } from 'cloudflare/resources/rulesets/phases/phases';
import { BaseRules } from 'cloudflare/resources/rulesets/rules';
import { BaseZones } from 'cloudflare/resources/zones/zones';
import { createClient } from 'cloudflare/tree-shakable';
import { ProviderError, type ProviderFault } from '../../errors.ts';
import type { Clock } from '../../provider.ts';
import { type Failure, type Query, withRetry } from '../../retry.ts';

/** 1,200 requests in five minutes: https://developers.cloudflare.com/fundamentals/api/reference/limits/ */
const PACE = { burst: 100, perSecond: 4 } as const;

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly token: string | undefined;
  readonly baseUrl?: string;
}

/** @throws ProviderError when there is no token. */
export function connect({ clock, token, baseUrl }: ConnectionOptions) {
  if (token === undefined || token === '') {
    throw new ProviderError(
      'credentials',
      'CLOUDFLARE_API_TOKEN is not set; the token needs DNS Write, and Load Balancers Write and ' +
        'Load Balancing: Monitors and Pools Write for routed names, and Cache Settings Write and Zone WAF Write for ' +
        'the edge (Read is enough without one)',
    );
  }
  const client = createClient({
    resources: [
      BaseZones,
      BaseDNS,
      BaseRecords,
      BaseLoadBalancers,
      BaseMonitors,
      BasePools,
      BaseHealth,
      BasePhases,
      BaseRules,
    ],
    apiToken: token,
    maxRetries: 0,
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
  });
  const query: Query = withRetry({ clock, pace: PACE, understand });
  return { client, query };
}

export type Connection = ReturnType<typeof connect>;

interface Page<T> {
  readonly result: readonly T[] | undefined;
  hasNextPage(): boolean;
  getNextPage(): Promise<Page<T>>;
}

/** Every item of a listing; each page is a request of its own to be patient with. */
export async function listAll<T>(query: Query, first: () => Promise<Page<T>>): Promise<readonly T[]> {
  let page = await query(first);
  const items = [...(page.result ?? [])];
  while (page.hasNextPage()) {
    const next = page.getNextPage.bind(page);
    page = await query(next);
    items.push(...(page.result ?? []));
  }
  return items;
}

/** Codes of Cloudflare's answer that caused this error, if it was one. */
export function codesOf(error: unknown): readonly number[] {
  const { cause } = error as { cause?: unknown };
  return cause instanceof APIError ? cause.errors.flatMap(({ code }) => code ?? []) : [];
}

const MEANING: Readonly<Record<ProviderFault, string>> = {
  credentials: 'the Cloudflare token is wrong or not allowed to do this',
  limit: 'a limit of the Cloudflare account is reached',
  'not-found': 'Cloudflare does not know it',
  rejected: 'Cloudflare refused the request',
  throttled: 'Cloudflare is still throttling after many tries',
  unavailable: 'Cloudflare does not answer',
};

/** Invalid headers or token: https://developers.cloudflare.com/fundamentals/api/troubleshooting/ */
const CREDENTIAL_CODES = [6003, 9109, 10000];

function understand(cause: unknown): Failure {
  if (!(cause instanceof APIError) || cause instanceof APIConnectionError) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    return { error: new ProviderError('unavailable', `${MEANING.unavailable} (${detail})`, { cause }) };
  }
  const { status, headers, errors } = cause as APIError;
  const codes = errors.flatMap(({ code }) => code ?? []);
  const fault = faultOf(status, codes);
  const detail = errors.map(({ code, message }) => `${code ?? ''} ${message ?? ''}`.trim()).join('; ');
  const error = new ProviderError(fault, `${MEANING[fault]} (${detail || `HTTP ${status ?? '?'}`})`, {
    cause,
  });
  const seconds = Number(headers?.get('retry-after') ?? NaN);
  return { error, ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }) };
}

function faultOf(status: number | undefined, codes: readonly number[]): ProviderFault {
  if (status === 401 || status === 403 || codes.some((code) => CREDENTIAL_CODES.includes(code)))
    return 'credentials';
  if (status === 429) return 'throttled';
  if (status === 404) return 'not-found';
  return status === undefined || status >= 500 ? 'unavailable' : 'rejected';
}
