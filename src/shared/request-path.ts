/**
 * Paths of requests.
 *
 * Invariant: a path is decoded once, as a whole, before it is taken apart. API Gateway hands it over decoded, and so does
 * every adapter and emulator; nothing behind them decodes anything.
 */

/** What RFC 3986, section 2.1, calls a percent-encoded octet; several of them may make one character. */
const ENCODED = /(?:%[0-9A-Fa-f]{2})+/g;

/** A path with its percent-encoded octets decoded; those that are not UTF-8 stay as they are. */
export function decodePath(path: string): string {
  return path.replace(ENCODED, (octets) => {
    try {
      return decodeURIComponent(octets);
    } catch {
      return octets;
    }
  });
}

/** A path without its dot segments (RFC 3986, section 5.2.4). */
export function withoutDotSegments(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

/** A decoded path as the routes are written: one slash at its end is ignored, every other empty segment counts. */
export function normalizePath(path: string): string {
  return withoutDotSegments(path).replace(/([^/])\/$/, '$1');
}
