import { expect, test } from '@jest/globals';
import { timerEntry } from '../../../src/shared/adapters/azure/entries.ts';

test.each([
  ['runs once when all is done', [false], 1],
  ['goes on at once while there is more to do', [true, false], 2],
  ['leaves the rest to the next run after three', [true, true, true, true], 3],
])('a timer on Azure %s', async (_title, responses, expected) => {
  let runs = 0;
  await timerEntry(() => Promise.resolve(responses[runs++] ?? false))();
  expect(runs).toBe(expected);
});
