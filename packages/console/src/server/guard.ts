/**
 * Who may use the console: a page of this very server, opened by somebody who may.
 *
 * Invariants: no request of another page is taken, not even to be answered with nothing (`this-machine.ts`, and
 * `Sec-Fetch-Site`); where the console holds the key of deployed sites, nobody who has not the code that was printed where it
 * was started; and neither key nor code is ever in a request line.
 * @see https://www.w3.org/TR/fetch-metadata/ https://www.rfc-editor.org/rfc/rfc6265#section-4.1
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { whyForeign } from '@tandem-clouds/emulators/core/this-machine';

const COOKIE = 'tandem-console';
/** A page of ours, or somebody who types the address. */
const OWN = new Set<string | undefined>([undefined, 'same-origin', 'none']);

/** Why a request is refused; undefined: it may be answered. */
export function refusalOf(
  request: Pick<IncomingMessage, 'headers' | 'socket' | 'method'>,
): string | undefined {
  const foreign = whyForeign(request);
  if (foreign !== undefined) return foreign;
  const { origin, host, 'sec-fetch-site': fetchSite } = request.headers;
  if (origin !== undefined && new URL(origin).host !== host)
    return `Only for pages of this console: the request comes from a page of ${origin}`;
  // Another server of this machine is the same site, and not the same origin.
  if (!OWN.has(fetchSite) && request.headers['sec-fetch-mode'] !== 'navigate')
    return 'Only for pages of this console';
  return undefined;
}

/** Who has shown the code. */
export class Sessions {
  /** Shown where the console was started; behind the `#` of its address, which is not sent. */
  readonly code = randomBytes(16).toString('base64url');
  readonly #secret = randomBytes(32).toString('base64url');

  /** The cookie of who shows the code; undefined: it is another one. */
  open(code: unknown): string | undefined {
    if (typeof code !== 'string' || !isSame(code, this.code)) return undefined;
    return `${COOKIE}=${this.#secret}; Path=/; HttpOnly; SameSite=Strict`;
  }

  isOpen({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
    const cookies = (headers.cookie ?? '').split(/;\s*/);
    return cookies.some(
      (cookie) => cookie.startsWith(`${COOKIE}=`) && isSame(cookie.slice(COOKIE.length + 1), this.#secret),
    );
  }
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
