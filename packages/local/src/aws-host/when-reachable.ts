/** Retries at an emulator that is starting at the same time. */
import { setTimeout as delay } from 'node:timers/promises';

const REACHABLE_WITHIN_MS = 30_000;
const POLL_MS = 25;

function refusedConnection(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET';
}

/** Makes a call again while nobody listens yet. @throws what the call throws otherwise, or after 30 s. */
export async function whenReachable<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const deadline = Date.now() + REACHABLE_WITHIN_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!refusedConnection(error) || Date.now() > deadline) throw error;
      await delay(POLL_MS, undefined, { signal });
    }
  }
}
