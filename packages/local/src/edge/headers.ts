/** What a proxy changes in the headers of a message (RFC 9110, section 7.6.1). */
import type { IncomingMessage } from 'node:http';

/** Meant for one connection only. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** `[name, value]` pairs in order, repeated names included, without those for this connection only. */
export function endToEnd(message: IncomingMessage): [string, string][] {
  const named = (message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    const name = message.rawHeaders[i] ?? '';
    if (!dropped.has(name.toLowerCase())) pairs.push([name, message.rawHeaders[i + 1] ?? '']);
  }
  return pairs;
}

/** The names that the edge sets itself on the way to a site. `expect` was answered here already. */
const SET_BY_EDGE = new Set(['host', 'expect', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']);

/** The headers of a request as a site gets them: who asked, for which host, by which scheme. */
export function requestHeaders(request: IncomingMessage, originHost: string): string[] {
  const { headers, socket } = request;
  const chain = [headers['x-forwarded-for'], socket.remoteAddress].filter(Boolean).join(', ');
  const pairs = endToEnd(request).filter(([name]) => !SET_BY_EDGE.has(name.toLowerCase()));
  pairs.push(
    ['host', originHost],
    ['x-forwarded-for', chain],
    ['x-forwarded-host', String(headers['x-forwarded-host'] ?? headers.host ?? originHost)],
    ['x-forwarded-proto', String(headers['x-forwarded-proto'] ?? 'http')],
  );
  // A body of unknown length goes on as one.
  if (headers['transfer-encoding'] !== undefined) pairs.push(['transfer-encoding', 'chunked']);
  return pairs.flat();
}

/** The headers of a site's answer as the client gets them: which site answered, and which ones did not. */
export function responseHeaders(response: IncomingMessage, site: string, tried: readonly string[]): string[] {
  const pairs = endToEnd(response);
  if (response.headers['x-tandem-site'] === undefined) pairs.push(['x-tandem-site', site]);
  pairs.push(['x-tandem-edge', [site, ...tried.map((other) => `not=${other}`)].join('; ')]);
  return pairs.flat();
}
