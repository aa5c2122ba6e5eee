/**
 * A local Cloudflare as a cache: one zone in front of an origin, and the purge of its API by tags.
 *
 * JSON is not kept unless a cache rule says so, as ours does for the paths of collections, and says which requests pass by. It goes by
 * `CDN-Cache-Control` before `Cache-Control`, and takes `Cache-Tag` out of answers. Not there: purges by address, host or prefix,
 * tiers, other rules.
 *
 * @see https://developers.cloudflare.com/cache/how-to/purge-cache/
 * @see https://developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags/
 * @see https://developers.cloudflare.com/cache/concepts/cdn-cache-control/
 */
import { refusal } from '../cloudflare/server.ts';
import {
  type HttpEmulator,
  type IncomingRequest,
  type Response,
  startHttpEmulator,
} from '../core/http-emulator.ts';
import { type CachingProxy, directivesOf, secondsOf, startCachingProxy } from './caching-proxy.ts';

export const TAGS_MAX = 100;
const TAG_CHARS_MAX = 1_024;

/** Requests of an account, as a token bucket: those of a plan. */
export const PLANS = {
  free: { perSecond: 5 / 60, bucket: 25 },
  pro: { perSecond: 5, bucket: 25 },
  business: { perSecond: 10, bucket: 50 },
  enterprise: { perSecond: 50, bucket: 500 },
} as const;

export interface CloudflareCacheOptions {
  readonly origin: string | (() => string);
  readonly zone: string;
  readonly token: string;
  readonly plan: keyof typeof PLANS;
  /** Beginnings of the paths that a cache rule makes eligible. */
  readonly pathsKept: readonly string[];
  /** Headers with which a rule has a request pass by. */
  readonly headersPassing: readonly string[];
  readonly now?: () => number;
}

export interface CloudflareCache {
  readonly proxy: CachingProxy;
  readonly api: HttpEmulator;
  readonly purged: readonly string[];
  close(): Promise<void>;
}

export async function startCloudflareCache(options: CloudflareCacheOptions): Promise<CloudflareCache> {
  const { origin, zone, token, plan, pathsKept, headersPassing, now = Date.now } = options;
  const purged: string[] = [];
  const { perSecond, bucket } = PLANS[plan];
  let tokens: number = bucket;
  let countedMs = now();
  const proxy = await startCachingProxy({
    origin,
    now,
    behaviour: {
      keyOf: ({ target, headers }) => {
        const isKept = pathsKept.some((begin) => target.startsWith(begin));
        const passes = headersPassing.some((name) => headers[name.toLowerCase()] !== undefined);
        return isKept && !passes ? JSON.stringify([target, headers['origin'] ?? null]) : undefined;
      },
      lifetimeOf: ({ headers: asked }, { status, headers }) => {
        const directives = directivesOf(headers['cdn-cache-control'] ?? headers['cache-control']);
        const isBarred = ['no-store', 'no-cache', 'private'].some((name) => directives.has(name));
        const isOpen = ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name));
        const freshSeconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age') ?? 0;
        if (status !== 200 || isBarred || freshSeconds === 0) return undefined;
        if (asked['authorization'] !== undefined && !isOpen) return undefined;
        // RFC 9111, section 5.2.2.10: what `s-maxage` bounds is not used when it is stale.
        const isStrict = ['s-maxage', 'must-revalidate', 'proxy-revalidate'].some((name) =>
          directives.has(name),
        );
        const staleIfErrorSeconds = isStrict ? 0 : (secondsOf(directives, 'stale-if-error') ?? 0);
        return { freshSeconds, staleIfErrorSeconds };
      },
      says: (did) => ({ 'cf-cache-status': did === 'bypass' ? 'DYNAMIC' : did.toUpperCase() }),
      withholds: ['cache-tag'],
    },
  });

  const route = (requested: IncomingRequest): Response => {
    if (requested.headers.authorization !== `Bearer ${token}`)
      return refusal(403, 10_000, 'Authentication error');
    if (requested.method !== 'POST' || requested.path !== `/client/v4/zones/${zone}/purge_cache`)
      return refusal(404, 7003, `Could not route to ${requested.path}`);
    tokens = Math.min(bucket, tokens + ((now() - countedMs) / 1_000) * perSecond);
    countedMs = now();
    if (tokens < 1) {
      const seconds = Math.ceil((1 - tokens) / perSecond);
      return refusal(429, 1134, 'Unable to purge: rate limit reached', { 'retry-after': String(seconds) });
    }
    tokens -= 1;
    const tags = tagsIn(requested.body);
    if (tags === undefined)
      return refusal(400, 1012, 'Request must contain one of "purge_everything" or "tags"');
    if (tags.length > TAGS_MAX)
      return refusal(400, 1094, `You may purge up to ${TAGS_MAX} tags in one request`);
    const meant = new Set(tags.map((tag) => tag.toLowerCase()));
    proxy.purge(({ answered }) =>
      (answered.headers['cache-tag'] ?? '').split(',').some((tag) => meant.has(tag.trim().toLowerCase())),
    );
    purged.push(...tags);
    const body = { success: true, errors: [], messages: [], result: { id: zone } };
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  };
  const api = await startHttpEmulator(route);
  return {
    proxy,
    api,
    purged,
    async close() {
      await Promise.all([proxy.close(), api.close()]);
    },
  };
}

function tagsIn(body: string): readonly string[] | undefined {
  try {
    const { tags } = JSON.parse(body) as { tags?: unknown };
    const isList =
      Array.isArray(tags) &&
      tags.length > 0 &&
      tags.every(
        (tag) => typeof tag === 'string' && tag !== '' && tag.length <= TAG_CHARS_MAX && !/[\s,]/.test(tag),
      );
    return isList ? (tags as string[]) : undefined;
  } catch {
    return undefined;
  }
}
