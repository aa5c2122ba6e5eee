import { expect, test } from '@jest/globals';
import { CheckChanges } from '../../src/shared/check-changes.ts';

test('a line a change; of a peer that was never reached, only once it has had time to start', () => {
  let nowMs = 5;
  const changes = new CheckChanges(60_000, () => nowMs);
  const found = (ok: boolean, mayBeStarting: boolean): boolean =>
    changes.isNew(mayBeStarting ? 'peer' : 'store', ok, mayBeStarting);
  expect([found(false, false), found(false, false), found(true, false)]).toEqual([true, false, true]);
  expect([found(false, true), found(false, true)]).toEqual([false, false]);
  nowMs += 60_000;
  expect([found(false, true), found(false, true), found(true, true)]).toEqual([true, false, true]);
});

test('a peer that was reached once is reported at once', () => {
  const changes = new CheckChanges(60_000, () => 0);
  expect([true, false, false].map((ok) => changes.isNew('peer', ok, true))).toEqual([false, true, false]);
});
