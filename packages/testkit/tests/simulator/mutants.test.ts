import { describe, expect, test } from '@jest/globals';
import { mutants } from '../../src/simulator/mutants.ts';
import { checkMutant, mutatedText } from '../../src/simulator/mutated-source.ts';
import { runPool } from '../../src/simulator/pool.ts';

describe('mutants of the protocol', () => {
  test('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '"%s" still fits its module, and makes another',
    (_, mutant) => {
      expect(mutatedText(mutant)).toContain(mutant.replacement);
      checkMutant(mutant);
    },
  );

  test('a text that is not there, or is there twice, is refused', () => {
    const mutant = { name: 'm', file: 'packages/replication/src/merge.ts', replacement: '' };
    expect(() => mutatedText({ ...mutant, search: 'no such text' })).toThrow('occurs 0 times');
    expect(() => mutatedText({ ...mutant, search: 'const ' })).toThrow('not once');
  });

  test.each([
    ['cannot be parsed', 'export function mergeStates(]'],
    ['declares a name twice', 'const same = 1; const same = 2; export function mergeStates('],
  ])('a text that %s is refused', (_, replacement) => {
    const mutant = {
      name: 'm',
      file: 'packages/replication/src/merge.ts',
      search: 'export function mergeStates(',
    };
    expect(() => checkMutant({ ...mutant, replacement })).toThrow(/ERROR/);
  });

  test.each([
    ['a write sets no markers', '11 exposure'],
    ['apply logs conflicts after the write', '3 conflicts'],
    ['a create leaves an unseen tombstone alone', '2 values'],
    ['lives are merged by the rule of the release before', '2 values'],
    ['anybody may report for another site', '12 messages'],
    ['a key that cannot be read takes those beside it along', '14 isolation'],
    ['the sweeper does not name what it cannot read', '14 isolation'],
    ['a page of a scan that is refused at one record ends the comparison', '14 isolation'],
    ['a throttled try counts as an attempt', '15 throttles'],
    ['a transition takes no rank', '2 values'],
    ['a later state ranks lower', '2 values'],
  ])('"%s" is found out', async (mutant, invariant) => {
    const { faults } = mutants.find(({ name }) => name === mutant) ?? {};
    const { failed } = await runPool({ first: 1, count: 200, threads: 1, mutant, faults, stopEarly: true });
    expect(failed[0]?.findings.map((finding) => finding.invariant)).toContain(invariant);
  });

  test('the protocol as it is passes in the same threads', async () => {
    const report = await runPool({ first: 1, count: 40, threads: 2 });
    expect(report).toMatchObject({ schedules: 40, operations: 4_000, failed: [], differing: [] });
  });
});
