/**
 * The body of a request, whole.
 *
 * Invariant: no more of it is kept than its service takes. It is refused as soon as there is more; what still comes is thrown
 * away, so that the answer goes over a connection that works, and a client that goes on for too long loses it.
 */
import type { IncomingMessage } from 'node:http';

/** Of what only the project's own tools send: faults, budgets, options of a queue. */
export const CONTROL_BODY_BYTES_MAX = 1024 * 1024;
const DISCARDED_BYTES_MAX = 64 * 1024 * 1024;

/** There is more of it than the service takes. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';

  constructor(bytesMax: number) {
    super(`the body has more than ${bytesMax} bytes`);
  }
}

/**
 * @param refusal What is thrown when there is more of it: the service's own error.
 * @throws Error when the client goes away
 */
export async function bodyBytes(
  request: IncomingMessage,
  bytesMax: number,
  refusal: () => Error = () => new BodyTooLargeError(bytesMax),
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bytesMax) break;
    pieces.push(piece);
  }
  if (bytes <= bytesMax) return Buffer.concat(pieces, bytes);
  discard(request);
  throw refusal();
}

/** What is still to come of it. */
function discard(request: IncomingMessage): void {
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > DISCARDED_BYTES_MAX) request.socket.destroy();
  });
  // The client went away.
  request.on('error', () => undefined);
  request.resume();
}

/** As `bodyBytes`. */
export async function bodyText(
  request: IncomingMessage,
  bytesMax: number,
  refusal?: () => Error,
): Promise<string> {
  return (await bodyBytes(request, bytesMax, refusal)).toString('utf8');
}

/** The status of what went wrong with a control request. */
export function controlStatus(error: unknown): number {
  return error instanceof BodyTooLargeError ? 413 : 400;
}
