import { describe, expect, test } from '@jest/globals';
import { LOOKS_MAX, RecentLooks, sparkline } from '../../scripts/operate/sparkline.ts';

describe('a line of bars', () => {
  test.each([
    [[], ''],
    [[0, 0, 0], '▁▁▁'],
    [[0, 1, undefined, 7], '▁▂ █'],
    [[7, 7], '██'],
    // Whatever is not nothing can be told from nothing.
    [[0, 1, 1_000], '▁▂█'],
    // A clock that is ahead.
    [[-5, 10], '▁█'],
  ])('of %j is %s', (values, line) => {
    expect(sparkline(values)).toBe(line);
  });
});

describe('the last looks of a watch', () => {
  const direction = { from: 'aws-us-east-1', to: 'azure-eastus' };

  test('have a line for each direction from the second look on', () => {
    const looks = new RecentLooks();
    looks.add([{ ...direction, keysAtRisk: 0, behindMs: 0 }]);
    expect(looks.toText()).toBe('');
    looks.add([{ ...direction, keysAtRisk: 4, behindMs: 2_500 }]);
    looks.add([{ ...direction, problem: 'connection refused' }]);
    const [, , line = ''] = looks.toText().split('\n');
    expect(line).toMatch(/^aws-us-east-1 → azure-eastus +▁█ +at most 4 +▁█ +at most 2\.5 s$/);
  });

  test('are a minute, however long it lasts', () => {
    const looks = new RecentLooks();
    for (let look = 0; look < 3 * LOOKS_MAX; look += 1)
      looks.add([{ ...direction, keysAtRisk: look, behindMs: 1 }]);
    const [, , line = ''] = looks.toText().split('\n');
    expect(/ ([▁-█]+) +at most/.exec(line)?.[1]).toHaveLength(LOOKS_MAX);
  });
});
