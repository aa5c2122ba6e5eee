/**
 * Pictures of records: a site answers with a redirection to its storage, and the page may show nothing but what comes from this
 * server.
 *
 * Invariants: the storage is asked without any key or token of ours, once, and no further redirection is followed; what is
 * passed on is a picture of a bounded size.
 */
import { explain } from '@tandem-clouds/operator/get-json';
import type { ApiRoute } from './api.ts';
import { ConsoleError } from './reply.ts';
import type { Sites } from './sites.ts';

const PATH = /^([^/]+)\/([A-Za-z0-9._~%-]+)\/(small|medium|large)$/;
/** What a browser shows and cannot run; no SVG. */
const SHOWN = /^image\/(png|jpeg|webp|gif|avif)$/;
const BYTES_MAX = 8 * 1024 * 1024;
const WITHIN_MS = 10_000;

/** `GET /api/pictures/<site>/<picture>/<size>` */
export function picturesRoute(sites: Sites): ApiRoute {
  return async (request, response, { path }) => {
    if (request.method !== 'GET') throw new ConsoleError(405, 'GET is needed');
    const [, site, picture, size] = PATH.exec(path) ?? [];
    if (site === undefined || picture === undefined)
      throw new ConsoleError(404, 'pictures/<site>/<picture>/small, medium or large');
    const target = await sites.site(decodeURIComponent(site));
    const signal = AbortSignal.timeout(WITHIN_MS);
    const answer = await ask(new URL(`/pictures/${picture}/${size}`, target.url), signal);
    const { status } = answer;
    const location = answer.headers.get('location');
    await answer.body?.cancel();
    if (status !== 302 || location === null)
      throw new ConsoleError(
        status >= 400 ? status : 502,
        `${target.url} has no such picture: HTTP ${status}`,
      );
    const stored = await ask(new URL(location), signal);
    const contentType = stored.headers.get('content-type') ?? '';
    if (!stored.ok || !SHOWN.test(contentType)) {
      await stored.body?.cancel();
      throw new ConsoleError(502, `the storage answers with HTTP ${stored.status}, ${contentType}`);
    }
    const bytes = await bounded(stored);
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'private, max-age=60' });
    response.end(bytes);
    return 200;
  };
}

async function ask(url: URL, signal: AbortSignal): Promise<Response> {
  if (!/^https?:$/.test(url.protocol)) throw new ConsoleError(502, `${url.protocol} is not asked`);
  try {
    return await fetch(url, { redirect: 'manual', signal });
  } catch (cause) {
    throw new ConsoleError(502, `${url.origin} does not answer: ${explain(cause)}`, { cause });
  }
}

async function bounded(answer: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.byteLength;
    if (bytes > BYTES_MAX) throw new ConsoleError(502, `the picture has more than ${BYTES_MAX} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
