import { describe, expect, test } from '@jest/globals';
import { mutants } from '@tandem-clouds/testkit/simulator/mutants';
import { mutatedText } from '@tandem-clouds/testkit/simulator/mutated-source';
import { runPool } from '@tandem-clouds/testkit/simulator/pool';

describe('mutants of the protocol', () => {
  test('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '"%s" still fits its module',
    (_, mutant) => {
      expect(mutatedText(mutant)).toContain(mutant.replacement);
    },
  );

  test('a text that is not there, or is there twice, is refused', () => {
    const mutant = { name: 'm', file: 'replication/merge.ts', replacement: '' };
    expect(() => mutatedText({ ...mutant, search: 'no such text' })).toThrow('occurs 0 times');
    expect(() => mutatedText({ ...mutant, search: 'const ' })).toThrow('not once');
  });

  test.each([
    ['a write sets no markers', '11 exposure'],
    ['apply logs conflicts after the write', '3 conflicts'],
    ['a create leaves an unseen tombstone alone', '2 values'],
    ['lives are merged by the rule of the release before', '2 values'],
    ['anybody may report for another site', '12 messages'],
    ['a key that cannot be read takes those beside it along', '14 isolation'],
    ['the sweeper does not name what it cannot read', '14 isolation'],
  ])('"%s" is found out', async (mutant, invariant) => {
    const { failed } = await runPool({ first: 1, count: 200, threads: 1, mutant, stopEarly: true });
    expect(failed[0]?.findings.map((finding) => finding.invariant)).toContain(invariant);
  });

  test('the protocol as it is passes in the same threads', async () => {
    const report = await runPool({ first: 1, count: 40, threads: 2 });
    expect(report).toMatchObject({ schedules: 40, operations: 4_000, failed: [], differing: [] });
  });
});
