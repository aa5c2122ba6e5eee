/**
 * Sends an answer, its body in pieces at the pace of the client; and breaks it on the way when a fault rule says so.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Reply, Streamed } from './work.ts';

export interface Broken {
  /** The answer is lost. */
  readonly isDropped: boolean;
  /** The connection breaks in the middle of the body, or one byte of it is another. */
  readonly fault?: 'cut' | 'corrupt' | undefined;
}

/** Statuses whose answers have no body, and no length of one. */
const BODILESS = new Set([204, 304]);

export async function replyTo(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  { status, headers = {}, body }: Reply,
  { isDropped, fault }: Broken,
): Promise<void> {
  if (isDropped) {
    request.socket.destroy();
    await cancelled(body);
    return;
  }
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const isHead = request.method === 'HEAD';
  const hasBody = !BODILESS.has(status);
  const bytes = lengthOf(body);
  // What is left of a refused upload must not be taken for the next request.
  const isUnread = !request.complete;
  response.writeHead(status, {
    ...(hasBody && !(isHead && 'content-length' in headers) && { 'content-length': isHead ? 0 : bytes }),
    ...(isUnread && { connection: 'close' }),
    ...Object.fromEntries(given),
  });
  if (isUnread) request.resume();
  if (body === undefined || isHead || !hasBody) {
    response.end();
    await cancelled(body);
    return;
  }
  const whole = typeof body === 'string' ? Readable.from([Buffer.from(body)]) : Readable.from(body.pieces);
  const pieces = fault === undefined ? whole : Readable.from(broken(whole, bytes, fault));
  await pipeline(pieces, response);
}

async function cancelled(body: Reply['body']): Promise<void> {
  if (typeof body === 'object') await body.cancel();
}

function lengthOf(body: string | Streamed | undefined): number {
  if (body === undefined) return 0;
  return typeof body === 'string' ? Buffer.byteLength(body) : body.bytes;
}

/** @throws Error in the middle, which destroys the connection, when it is to be cut. */
async function* broken(
  pieces: AsyncIterable<Buffer>,
  bytes: number,
  fault: 'cut' | 'corrupt',
): AsyncGenerator<Uint8Array, void, undefined> {
  const middle = Math.floor(bytes / 2);
  let at = 0;
  for await (const piece of pieces) {
    const place = middle - at;
    at += piece.length;
    if (place < 0 || place >= piece.length) {
      yield piece;
      continue;
    }
    if (fault === 'cut') {
      yield piece.subarray(0, place);
      throw new Error('the connection was cut by a fault rule');
    }
    const other = Buffer.from(piece);
    other.writeUInt8(other.readUInt8(place) ^ 1, place);
    yield other;
  }
}
