/** The HTTP client port by Node's own `fetch`. */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { HttpClient } from '../ports/http-client.ts';

export const fetchClient: HttpClient = async (call) => {
  const { method, url, headers, body, timeoutMs, bodyBytesMax, redirect = 'error' } = call;
  try {
    const response = await fetch(url, {
      method,
      headers,
      redirect,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body }),
    });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await readText(response, bodyBytesMax),
    };
  } catch (cause) {
    throw new UnavailableError(`${url.origin} has not answered`, { cause });
  }
};

/** Stops reading, and with it the transfer, at the bound. @throws RangeError */
async function readText(
  { body }: { readonly body: ReadableStream<Uint8Array> | null },
  bytesMax: number,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new RangeError(`the answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
