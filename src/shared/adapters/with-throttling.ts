/**
 * Asking again for what a store has throttled, and only for that.
 *
 * Invariant: no call follows a refusal without a pause, which is at least what the store asked for and grows from try to
 * try; one call with its tries and pauses has a bound (`throttling`), and what is refused after it is reported with
 * the hint, for the caller to slow down.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { throttling } from '../bounds.ts';
import type { Urgency } from '../ports/cloud.ts';

export interface ThrottlingOptions<Response> {
  /** Milliseconds after which the store wants to be asked again; undefined: it was not throttled. */
  readonly hintOf: (response: Response) => number | undefined;
  readonly urgency: Urgency;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/**
 * Sends items until none is throttled. Answers in the order of the items.
 * @param send Answers in the order of what it is given.
 */
export async function withThrottling<Item, Response>(
  items: readonly Item[],
  send: (items: readonly Item[]) => Promise<readonly Response[]>,
  { hintOf, urgency, sleep }: ThrottlingOptions<Response>,
): Promise<readonly Response[]> {
  const responses: Response[] = [];
  const pauses = throttlePauses(urgency, sleep);
  let open = items.map((item, index) => ({ item, index }));
  for (;;) {
    const round = await send(open.map(({ item }) => item));
    if (round.length !== open.length) throw new TypeError(`${round.length} answers for ${open.length} items`);
    const hints: number[] = [];
    open = open.filter(({ index }, position) => {
      const response = round[position] as Response;
      responses[index] = response;
      const hint = hintOf(response);
      if (hint !== undefined) hints.push(hint);
      return hint !== undefined;
    });
    if (open.length === 0 || !(await pauses.next(Math.max(...hints)))) return responses;
  }
}

/** The pauses of one call. `next` waits, and answers false, at once, when their bound is reached. */
export function throttlePauses(
  urgency: Urgency,
  sleep: (ms: number) => Promise<unknown> = delay,
  now: () => number = () => performance.now(),
): { next(hintMs: number): Promise<boolean> } {
  const { pauseMaxMs, waitMs: boundMs } = throttling[urgency];
  let pauseMs: number = throttling[urgency].pauseMs;
  let leftMs: number = boundMs;
  let askedAt = now();
  return {
    async next(hintMs) {
      // What the calls took, with what the SDK waits by itself, counts as well: else a function's time is over before, and
      // what was throttled is taken for an attempt that failed.
      leftMs -= now() - askedAt;
      // Spread, so that those who were refused together do not come back together.
      const waitMs = Math.max(hintMs, pauseMs * (0.5 + Math.random() / 2));
      if (waitMs > leftMs) return false;
      leftMs -= waitMs;
      pauseMs = Math.min(pauseMs * 2, pauseMaxMs);
      await sleep(waitMs);
      askedAt = now();
      return true;
    },
  };
}
