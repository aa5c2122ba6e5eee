/** Checks that every contender does the whole job, before anybody's speed counts. */
import type { PlatformResponse } from './worker.ts';

/** Names the request, so its value differs by platform; that it is there is what counts. */
const REQUEST_ID = 'x-request-id';
/** What the route answers with itself; everything else on our answer comes from the stack. */
const OF_THE_ROUTE = new Set(['cache-control', 'content-type', 'etag', 'location', REQUEST_ID]);

/** The headers of an answer by their lower-case names, as HTTP compares them. */
function headersOf({ headers }: PlatformResponse): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** The headers that our stack adds to what a route answers. */
export function addedByTheStack(response: PlatformResponse): Record<string, string> {
  return Object.fromEntries([...headersOf(response)].filter(([name]) => !OF_THE_ROUTE.has(name)));
}

/**
 * What `answer` lacks of `wanted`, one sentence each; empty when it is the same answer. Headers that it has on top
 * (Fastify always sends `date` and `connection`) are its own choice.
 */
export function differences(
  response: PlatformResponse,
  wanted: PlatformResponse,
  options: { readonly withHeaders: boolean },
): string[] {
  const found: string[] = [];
  if (response.status !== wanted.status) found.push(`status ${response.status} instead of ${wanted.status}`);
  if (response.body !== wanted.body) found.push(`body ${response.body} instead of ${wanted.body}`);
  if (!options.withHeaders) return found;
  const headers = headersOf(response);
  for (const [name, value] of headersOf(wanted)) {
    const own = headers.get(name);
    if (!same(name, own, value)) found.push(`${name}: ${own ?? 'absent'} instead of ${value}`);
  }
  return found;
}

function same(name: string, own: string | undefined, wanted: string): boolean {
  if (name === REQUEST_ID) return own !== undefined;
  // Fastify always adds a charset.
  if (name === 'content-type') return own?.split(';')[0] === wanted;
  return own === wanted;
}
