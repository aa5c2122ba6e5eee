/** What counters must say after increments of which some are unknown. */
import { expect, test } from '@jest/globals';
import { increment } from '@tandem-clouds/replication/policies/counter';
import { partsOf, type RecordState, type StoredRecord, withParts } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { checkIncrements } from '../../src/checkers/increments.ts';
import type { Attempt, WriteResult } from '../../src/history/client-log.ts';

const SITE = 'aws-us-east-1';

function attempt(result: WriteResult): Attempt {
  return { id: 'op', kind: 'change', key: 'user:c', via: SITE, startMs: 0, endMs: 1, result, status: 200, fields: {}, replayed: false, increments: 1 }; // prettier-ignore
}

function counting(count: number): StoredRecord {
  const stamp = encodeStamp(1_800_000_000_000, 0, SITE);
  const empty: RecordState = { fields: {}, vector: { [SITE]: stamp } };
  const parts = increment(count)(partsOf(empty, 'signIns'), { stamp, site: SITE });
  const state = withParts(empty, { signIns: parts }, empty.vector);
  return { key: 'user:c', state, pending: {} } as unknown as StoredRecord;
}

test.each([
  [2, []],
  [3, []],
  [1, ['aws counts 1; acknowledged were 2, and unknown 1']],
  [4, ['aws counts 4; acknowledged were 2, and unknown 1']],
])('with two acknowledged and one unknown, %i is judged', (count, findings) => {
  const log = [attempt('acknowledged'), attempt('acknowledged'), attempt('unknown'), attempt('refused')];
  const snapshot = new Map([['aws', new Map([['user:c', counting(count)]])]]);
  expect(checkIncrements(log, snapshot).map(({ detail }) => detail)).toEqual(findings);
});
