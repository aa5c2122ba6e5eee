/**
 * A request for what another site keeps is sent there: 307, by which method and body stay what they are (RFC 9110, section
 * 15.4.8), to the address by which this site knows its peer (`url` of `TANDEM_PEERS`). Nothing is done here, so nothing of
 * the record passes through this site but what the client sent.
 *
 * 421 (RFC 9110, section 15.5.20) with the same headers for a client that says it follows by itself: a browser shows no
 * script where a redirect leads, and on the way to another origin `fetch` leaves out the credentials
 * (https://fetch.spec.whatwg.org/#http-redirect-fetch). 421 without an address where no site that keeps it is a peer.
 */
import { ElsewhereError } from '@tandem-clouds/replication/errors';
import { type MiddlewareRequest, requestIdOf } from './middleware-request.ts';
import { problemReply } from './problem.ts';
import { urlAt } from './read-through.ts';
import { toResult, withoutBody } from './to-result.ts';

/** Says that the client goes to another site by itself. */
const FOLLOWS = 'x-tandem-follow';
/** Names the site that is to be asked. */
export const AT_HEADER = 'x-tandem-at';

export interface Elsewhere {
  readonly onError: (request: MiddlewareRequest) => void;
}

/** A middleware, to be used after those that answer errors otherwise. */
export function elsewhere(peers: readonly { readonly site: string; readonly url: string }[]): Elsewhere {
  return {
    onError(request) {
      const { event, error } = request;
      if (!(error instanceof ElsewhereError)) return;
      const reply = problemReply(error, requestIdOf(request));
      const [to] = error.sites.flatMap((name) => peers.find(({ site }) => site === name) ?? []);
      const status = to === undefined || event.headers[FOLLOWS] !== undefined ? 421 : 307;
      const result = toResult({
        status,
        body: { ...(reply.body as object), status },
        headers: {
          ...reply.headers,
          ...(to !== undefined && { location: urlAt(to.url, event).href, [AT_HEADER]: to.site }),
        },
      });
      request.response = event.requestContext.http.method === 'HEAD' ? withoutBody(result) : result;
    },
  };
}
