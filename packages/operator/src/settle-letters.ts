/** Replays or discards dead letters, request after request, at most so many a second. */
import { deadLetterSettlesMax } from '../../../src/shared/bounds.ts';
import type { SettledView } from './operator-api.ts';

export type Settling = 'replay' | 'discard';

export interface SettleWanted {
  readonly action: Settling;
  /** As the routes take it, without `limit` and `dryRun`. `before` keeps those that come back from being met again. */
  readonly selection: { readonly ids?: readonly string[]; readonly [name: string]: unknown };
  /** Letters a second. */
  readonly rate: number;
  readonly dryRun: boolean;
}

export interface SettleMeans {
  readonly settle: (action: Settling, selection: object) => Promise<SettledView>;
  readonly wait: (ms: number) => Promise<unknown>;
  /** After each request. @param settled Of all of them. */
  readonly progress: (settled: number, failed: ReadonlyMap<string, string>) => void;
  /** Aborted: no further request. */
  readonly signal: AbortSignal;
}

export interface SettleReport {
  readonly settled: number;
  /** Id → why it is still there. */
  readonly failed: ReadonlyMap<string, string>;
  readonly last: SettledView;
}

/** Until none is left that was there at the start; a dry run is one request. @throws what `settle` throws */
export async function settleLetters(
  { action, selection, rate, dryRun }: SettleWanted,
  { settle, wait, progress, signal }: SettleMeans,
): Promise<SettleReport> {
  const { ids = [] } = selection;
  const limit = Math.min(rate, deadLetterSettlesMax);
  // It changes while there is waiting.
  const isStopped = (): boolean => signal.aborted;
  const failed = new Map<string, string>();
  let settled = 0;
  for (;;) {
    const begunAt = performance.now();
    const last = await settle(action, { ...selection, limit, dryRun });
    settled += last.settled;
    for (const { id, detail } of last.failed) failed.set(id, detail);
    progress(settled, failed);
    // What cannot be settled stays where it is and would be met again.
    const isOver = last.settled === 0 || (ids.length > 0 && settled + failed.size >= ids.length);
    if (dryRun || isOver || isStopped()) return { settled, failed, last };
    await wait(Math.max(0, (1_000 * limit) / rate - (performance.now() - begunAt)));
    if (isStopped()) return { settled, failed, last };
  }
}
