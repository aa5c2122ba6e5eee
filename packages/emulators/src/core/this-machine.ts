/**
 * Who may use a server that listens on the loopback address. Not everything that reaches it comes from this machine's
 * user: a page in a browser may send requests to 127.0.0.1, and under a name of its own that it lets lead there (DNS
 * rebinding) even read the answers. Such requests show in `Host` and `Origin`, which a page cannot choose.
 *
 * https://www.rfc-editor.org/rfc/rfc9110#name-host-and-authority
 * https://fetch.spec.whatwg.org/#origin-header
 */
import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;
const HOST = /^(.+?)(?::(\d{1,5}))?$/;
const HTTP_PORT = 80;

/**
 * Why a request is not from this machine; undefined when it is.
 * @param options.anyPort `Host` may name another port: the server is also reached through a relay.
 */
export function whyForeign(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  { anyPort = false } = {},
): string | undefined {
  const [, name = '', port = HTTP_PORT] = HOST.exec(headers.host ?? '') ?? [];
  if (!LOOPBACK.test(name)) return 'Only for this machine: the host must be 127.0.0.1 or localhost';
  if (!anyPort && Number(port) !== socket.localPort)
    return 'Only for this machine: the host has another port';
  const { origin } = headers;
  if (origin === undefined || isLoopback(origin)) return undefined;
  return `Only for this machine: the request comes from a page of ${origin}`;
}

/** Whether an address, or the origin of a page, is of this machine. */
export function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK.test(new URL(origin).hostname);
}
