/**
 * Requests from pages of other origins: whether a browser may send them, and show the page what comes back.
 * @see https://learn.microsoft.com/rest/api/storageservices/cross-origin-resource-sharing--cors--support-for-the-azure-storage-services
 */
import type { IncomingHttpHeaders } from 'node:http';
import { BlobError } from './errors.ts';
import type { CorsRule } from './model.ts';
import type { Reply } from './work.ts';

/** A question that a browser asks before a request. */
export function preflight(headers: IncomingHttpHeaders, rules: readonly CorsRule[]): Reply {
  const { origin } = headers;
  const method = headers['access-control-request-method'];
  const asked = headers['access-control-request-headers'] ?? '';
  if (origin === undefined || method === undefined)
    throw new BlobError('InvalidHeaderValue', { HeaderName: 'access-control-request-method' });
  const names = asked.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim().toLowerCase()]));
  const rule = rules.find(
    (one) => allows(one, origin, method) && names.every((name) => matches(one.allowedHeaders, name)),
  );
  if (rule === undefined) throw new BlobError('CorsPreflightFailure');
  return {
    status: 200,
    headers: {
      'access-control-allow-origin': rule.origins.includes('*') ? '*' : origin,
      'access-control-allow-methods': method,
      'access-control-allow-headers': asked === '' ? undefined : asked,
      'access-control-max-age': String(rule.maxAgeSeconds),
      ...vary(rule),
    },
  };
}

/** What goes with the answer to a request that came from a page. */
export function corsHeaders(
  { origin }: IncomingHttpHeaders,
  method: string,
  rules: readonly CorsRule[],
): Record<string, string | undefined> {
  const rule = origin === undefined ? undefined : rules.find((one) => allows(one, origin, method));
  if (rule === undefined) return rules.length > 0 ? { vary: 'Origin' } : {};
  return {
    'access-control-allow-origin': rule.origins.includes('*') ? '*' : origin,
    'access-control-expose-headers':
      rule.exposedHeaders.length === 0 ? undefined : rule.exposedHeaders.join(','),
    ...vary(rule),
  };
}

function vary(rule: CorsRule): Record<string, string | undefined> {
  return rule.origins.includes('*') ? {} : { vary: 'Origin', 'access-control-allow-credentials': 'true' };
}

function allows({ origins, methods }: CorsRule, origin: string, method: string): boolean {
  return methods.includes(method) && origins.some((one) => one === '*' || one === origin);
}

/** A name may end in a star. */
function matches(allowed: readonly string[], name: string): boolean {
  return allowed.some((one) =>
    one.endsWith('*') ? name.startsWith(one.slice(0, -1).toLowerCase()) : name === one.toLowerCase(),
  );
}
