/** Waits until nothing is left to be waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isSilence } from '../../cluster/request.ts';

const POLL_MS = 1_000;
const PROGRESS_EVERY_MS = 10_000;

/**
 * @param missing What is still waited for; undefined: nothing. A part that does not answer is waited for.
 * @returns After how many milliseconds; undefined: not within the time.
 */
export async function until(
  missing: () => Promise<string | undefined>,
  { withinMs, progress }: { readonly withinMs: number; readonly progress: (line: string) => void },
): Promise<number | undefined> {
  const beganMs = performance.now();
  let reportedMs = 0;
  for (;;) {
    const what = await missing().catch((error: unknown) => {
      if (isSilence(error)) return `an answer: ${String(error)}`;
      throw error;
    });
    const passedMs = performance.now() - beganMs;
    if (what === undefined) return passedMs;
    if (passedMs > withinMs) return undefined;
    if (passedMs - reportedMs > PROGRESS_EVERY_MS) {
      reportedMs = passedMs;
      progress(`${Math.round(passedMs / 1_000)} s: ${what}`);
    }
    await sleep(POLL_MS);
  }
}

/** Waits so long; not at all for what is over. */
export async function pause(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms);
}
