/** What has happened in the steps of a time: which hours or days are read for it, and what they come to. */
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import { countDays, countHours, reading } from './recount.ts';
import { addTallies, type Tally } from './tally.ts';
import type { Step, TimeZone } from './time-zone.ts';
import { DAY_MS, dayOf, HOUR_MS, hourOf, MINUTE_MS, QUARTER_MS, startOf } from './units.ts';

export interface Asked {
  readonly step: Step;
  readonly zone: TimeZone;
  /** Where a step begins, and where one ends. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Point {
  readonly fromMs: number;
  readonly toMs: number;
  readonly tally: Tally;
}

/** Starts of steps, and the end of the last; one more than `most` when there are more. */
export function stepsOf({ step, zone, fromMs, toMs }: Asked, most: number): readonly number[] {
  const starts = [fromMs];
  for (let atMs = fromMs; atMs < toMs && starts.length <= most + 1;) {
    atMs = zone.next(step, atMs);
    starts.push(atMs);
  }
  return starts;
}

/** @param starts Of its steps, and the end of the last. @throws UnavailableError when too much is to be counted anew at once */
export function* seriesOf(
  site: Site,
  { step }: Pick<Asked, 'step'>,
  starts: readonly number[],
): Protocol<readonly Point[]> {
  const isFine = step === 'minute';
  const [unitOf, unitMs] = isFine ? ([hourOf, HOUR_MS] as const) : ([dayOf, DAY_MS] as const);
  const partMs = isFine ? MINUTE_MS : QUARTER_MS;
  const [firstMs = 0] = starts;
  const endMs = starts.at(-1) ?? firstMs;
  const names: string[] = [];
  for (let atMs = startOf(unitOf(firstMs)); atMs < endMs; atMs += unitMs) names.push(unitOf(atMs));
  const units = yield* (isFine ? countHours : countDays)(site, names, reading());
  const points = starts
    .slice(0, -1)
    .map((fromMs, index): Point => ({ fromMs, toMs: starts[index + 1] ?? fromMs, tally: {} }));
  let index = 0;
  for (const name of names) {
    const parts = Object.entries(units.get(name)?.parts ?? {})
      .map(([part, tally]) => ({ atMs: startOf(name) + Number(part) * partMs, tally }))
      .sort((a, b) => a.atMs - b.atMs);
    for (const { atMs, tally } of parts) {
      if (atMs < firstMs || atMs >= endMs) continue;
      while ((points[index]?.toMs ?? Infinity) <= atMs) index += 1;
      const point = points[index];
      if (point !== undefined) points[index] = { ...point, tally: addTallies(point.tally, tally) };
    }
  }
  return points;
}
