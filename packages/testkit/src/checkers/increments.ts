/** No increment counts twice, and none that was acknowledged is lost. */
import { plainValues } from '@tandem-clouds/replication/record';
import type { Attempt } from '../history/client-log.ts';
import { keyOf } from '../history/committed.ts';
import { type Finding, groupBy, type Snapshot } from '../history/facts.ts';

const COUNTER = 'signIns';

/** What every site counts is what was acknowledged, and at most what nobody could say in addition. */
export function checkIncrements(log: readonly Attempt[], snapshot: Snapshot): readonly Finding[] {
  const counted = log.filter(({ increments }) => increments !== undefined);
  return [...groupBy(counted, (attempt) => keyOf(attempt) ?? '')].flatMap(([key, attempts]) => {
    const sum = (result: Attempt['result']): number =>
      attempts.reduce((all, one) => all + (one.result === result ? (one.increments ?? 0) : 0), 0);
    const [least, open] = [sum('acknowledged'), sum('unknown')];
    return [...snapshot].flatMap(([site, records]) => {
      const record = records.get(key);
      const shown = record === undefined ? undefined : plainValues(record.state)[COUNTER];
      const count = typeof shown === 'number' ? shown : 0;
      if (count >= least && count <= least + open) return [];
      const detail = `${site} counts ${count}; acknowledged were ${least}, and unknown ${open}`;
      return [{ invariant: 'increments', key, detail }];
    });
  });
}
