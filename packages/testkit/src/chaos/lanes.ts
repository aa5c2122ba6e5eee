/** Clients that each do one thing after the other, at a pace, while a plan falls upon the stack. */
import type { TestCluster } from '../cluster/test-cluster.ts';
import { type InjectedFaults, unleash, type UnleashOptions } from './nemesis.ts';
import type { Planned, PlannedOptions } from './planned.ts';
import { pause } from './reactions/until.ts';

const PROGRESS_MS = 15_000;

export interface Lanes {
  readonly lanes: number;
  /** How far they are. */
  readonly shown: () => string;
  /** Whether another one is begun, after so many. */
  readonly goesOn: (started: number) => boolean;
  /** @param number From 1 on. */
  readonly act: (number: number) => Promise<void>;
  /** What goes on beside them, until they have ended. */
  readonly beside?: (signal: AbortSignal) => Promise<unknown>;
}

export async function workInLanes(
  cluster: TestCluster,
  {
    plan,
    rate,
    trafficMaxMs,
    progress,
    sandbox,
  }: Pick<Planned, 'plan'> &
    Pick<PlannedOptions, 'progress' | 'rate' | 'trafficMaxMs'> &
    Pick<UnleashOptions, 'sandbox'>,
  { lanes, shown, goesOn, act, beside = () => Promise.resolve() }: Lanes,
): Promise<{ readonly injectedFaults: InjectedFaults; readonly trafficMs: number }> {
  const stop = new AbortController();
  const beganMs = performance.now();
  const passedMs = (): number => performance.now() - beganMs;
  const falling = unleash(cluster, plan, {
    signal: stop.signal,
    progress,
    ...(sandbox !== undefined && { sandbox }),
  });
  const telling = setInterval(() => progress(`${Math.round(passedMs() / 1_000)} s: ${shown()}`), PROGRESS_MS);
  let started = 0;
  const lane = async (): Promise<void> => {
    while (goesOn(started) && passedMs() < trafficMaxMs) {
      started += 1;
      const number = started;
      await pause(beganMs + (number * 1_000) / rate - performance.now());
      await act(number);
    }
  };
  const others = beside(stop.signal);
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    clearInterval(telling);
    stop.abort();
  }
  const trafficMs = passedMs();
  const [injectedFaults] = await Promise.all([falling, others]);
  return { injectedFaults, trafficMs };
}
