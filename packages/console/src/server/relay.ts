/**
 * Passes a request of the page on to a site, or to a server of the stack, and its answer back.
 *
 * Invariant: the operator's key is added for the routes that are only for operators, goes to no address but that of the site
 * that was given with it, follows no redirect, and is in no answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { bodyBytes } from '@tandem-clouds/emulators/core/request-body';
import { explain } from '@tandem-clouds/operator/get-json';
import { ConsoleError } from './reply.ts';

/** A record has at most 240 kB; JSON of it in a page's words may have more. */
export const BODY_BYTES_MAX = 1024 * 1024;
/** Longer than API Gateway waits for a function. */
const ANSWER_WITHIN_MS = 35_000;
const FORWARDED = [
  'accept',
  'content-type',
  'if-match',
  'if-none-match',
  'idempotency-key',
  'prefer',
  'traceparent',
  'x-tandem-follow',
  'x-tandem-owner',
  'x-tandem-tenant',
];
const RETURNED =
  /^(content-type|etag|location|retry-after|link|allow|traceparent|preference-applied|x-tandem-.*)$/;

export interface Onward {
  readonly url: URL;
  /** As `authorization`; absent: none. */
  readonly bearer?: string | undefined;
}

/** @returns The status that was passed back. @throws ConsoleError when there is no answer */
export async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  onward: Onward,
): Promise<number> {
  const { method = 'GET' } = request;
  const hasBody = !['GET', 'HEAD', 'DELETE'].includes(method);
  const body = hasBody
    ? await bodyBytes(
        request,
        BODY_BYTES_MAX,
        () => new ConsoleError(413, `the body has more than ${BODY_BYTES_MAX} bytes`),
      )
    : undefined;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let answer: Response;
  try {
    answer = await fetch(onward.url, {
      method,
      headers: headersOf(request, onward.bearer),
      redirect: 'manual',
      signal: AbortSignal.any([gone.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      ...(body !== undefined && { body: new Uint8Array(body) }),
    });
  } catch (cause) {
    throw new ConsoleError(502, `${onward.url.origin} does not answer: ${explain(cause)}`, { cause });
  }
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => RETURNED.test(name)));
  response.writeHead(answer.status, { ...headers, 'cache-control': 'no-store' });
  if (answer.body === null) response.end();
  else
    await pipeline(Readable.fromWeb(answer.body as ReadableStream), response).catch((error: unknown) => {
      if (!gone.signal.aborted) throw error;
    });
  return answer.status;
}

function headersOf({ headers }: IncomingMessage, bearer: string | undefined): Record<string, string> {
  const forwarded = FORWARDED.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return {
    ...Object.fromEntries(forwarded),
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
  };
}
