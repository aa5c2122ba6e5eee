import { expect, test } from '@jest/globals';
import { hasPassed, inWords, skipped, type SuiteResult } from '../../src/peers/results.ts';

const green: SuiteResult = { name: 'a', passed: 3, failed: 0, skipped: 0, success: true };
const red: SuiteResult = { name: 'b', passed: 2, failed: 1, skipped: 0, success: false };
const absent = skipped('c', 'there is no java on this machine');

test.each([
  ['all that ran passed, and one could not run', [green, absent], false, true],
  ['one failed', [green, red], false, false],
  ['none could run', [absent], false, false],
  ['there are none', [], false, false],
  ['all that were asked for by name passed', [green], true, true],
  ['one that was asked for by name could not run', [green, absent], true, false],
])('%s', (_title, results, areNamed, expected) => {
  expect(hasPassed(results, { areNamed })).toBe(expected);
});

test('are summed in words', () => {
  expect(inWords([green, red, absent])).toBe('5 passed, 1 failed, 1 skipped');
});
