/** An order, live: asked for again and again until nothing more happens to it, at whichever site answers. */
import { useEffect, useState } from 'preact/hooks';
import type { TandemClient } from '@tandem-clouds/client';
import { ProblemError } from '@tandem-clouds/client/errors';
import type { CallOptions } from '@tandem-clouds/client/types';
import { isSettled, type Order, stageOf } from './order.ts';
import { pause } from './pause.ts';

/** As long as a site waits for the next state (`Prefer: wait`). */
const WAIT_SECONDS = 10;
const ASK_WITHIN_MS = 25_000;
/** Between two questions: a site may answer at once, such as while the bank waits for the customer. */
const PAUSE_MS = 700;
/** What takes longer than this is explained. */
const SLOW_AFTER_MS = 6_000;

export interface Followed {
  /** The newest state that was seen. */
  readonly order: Order | undefined;
  /** The site that answers does not have it yet. */
  readonly isElsewhere: boolean;
  /** It has been in this stage for long. */
  readonly isSlow: boolean;
}

/** @param turn Another number follows it anew: something was done to it. */
export function useFollowed(tandem: TandemClient, orderId: string, turn: number): Followed {
  const [followed, setFollowed] = useState<Followed>(UNKNOWN);
  useEffect(() => {
    const leave = new AbortController();
    let slow: ReturnType<typeof setTimeout> | undefined;
    let stage: string | undefined;
    const show = (next: Pick<Followed, 'order' | 'isElsewhere'>): void => {
      if (leave.signal.aborted) return;
      const now = next.order === undefined ? 'unknown' : stageOf(next.order);
      setFollowed(({ isSlow }) => ({ ...next, isSlow: isSlow && now === stage }));
      if (now === stage) return;
      stage = now;
      clearTimeout(slow);
      slow = setTimeout(() => setFollowed((before) => ({ ...before, isSlow: true })), SLOW_AFTER_MS);
    };
    void follow(tandem, orderId, { signal: leave.signal, show });
    return () => {
      clearTimeout(slow);
      leave.abort(new DOMException('the view was left', 'AbortError'));
    };
  }, [orderId, turn]);
  return followed;
}

const UNKNOWN: Followed = { order: undefined, isElsewhere: false, isSlow: false };

interface FollowOptions {
  readonly signal: AbortSignal;
  readonly show: (next: Pick<Followed, 'order' | 'isElsewhere'>) => void;
}

async function follow(tandem: TandemClient, orderId: string, { signal, show }: FollowOptions): Promise<void> {
  const orders = tandem.collection('orders');
  let order: Order | undefined;
  let waiting: Pick<CallOptions, 'waitSeconds'> = {};
  while (!signal.aborted) {
    try {
      const { data } = await orders.get(orderId, { ...waiting, signal, totalMs: ASK_WITHIN_MS });
      order = data;
      waiting = { waitSeconds: WAIT_SECONDS };
      show({ order, isElsewhere: false });
      if (isSettled(order)) return;
    } catch (error) {
      // Where the clouds cannot reach each other, one of them may not have heard of the order.
      if (error instanceof ProblemError && error.status === 404)
        show({ order, isElsewhere: order === undefined });
      waiting = {};
    }
    await pause(PAUSE_MS, signal);
  }
}
