/**
 * What shared caches may keep of an answer, for how long and under which keys (docs/caching.md).
 *
 * Invariants: only what everybody may read is kept by others; a request that says anything which its answer may depend on,
 * such as a session, gets an answer that nobody may keep; and an answer that is kept has an address that can be purged.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2 Cache-Control
 * @see https://www.rfc-editor.org/rfc/rfc5861#section-4 stale-if-error
 * @see https://www.rfc-editor.org/rfc/rfc9213 CDN-Cache-Control
 */
import { sharedCache } from '../domain/caching/keys.ts';
import type { Entity } from '../domain/entity.ts';
import type { HttpRequest } from './route.ts';

/**
 * Whoever sends one of these is answered by the site itself: a session must not see what is older than itself, `Prefer` asks
 * to wait, and a request that was passed on is answered to another site.
 */
const UNSHARED = ['x-tandem-session', 'prefer', 'x-tandem-read-through'] as const;

/**
 * The headers that replace `Cache-Control: private, no-cache`; none where nobody may keep the answer.
 * @param keysOf The surrogate keys of the answer.
 */
export function cacheHeaders(
  entity: Entity,
  { headers, event }: Pick<HttpRequest, 'headers' | 'event'>,
  path: string,
  keysOf: () => readonly string[],
): Record<string, string> {
  const rules = sharedCache(entity);
  if (rules === undefined || UNSHARED.some((name) => headers[name] !== undefined)) return {};
  // Another spelling of the path is another entry of a cache that is purged by paths.
  if (event.rawPath !== path) return {};
  const keys = keysOf();
  const { maxAgeSeconds, staleIfErrorSeconds } = rules;
  const stale = staleIfErrorSeconds > 0 ? `, stale-if-error=${staleIfErrorSeconds}` : '';
  return {
    // A browser cannot be purged, so it asks each time. `s-maxage` also forbids strict caches to answer with what is stale
    // (RFC 9111, section 5.2.2.10): those that know the header below go by it alone.
    'cache-control': `public, max-age=0, s-maxage=${maxAgeSeconds}${stale}`,
    'cdn-cache-control': `public, max-age=${maxAgeSeconds}${stale}`,
    'cache-tag': keys.join(','),
    'surrogate-key': keys.join(' '),
  };
}
