/** Runs every mutant until the checkers find it out. */
import { figure, type Findings } from '../report/report.ts';
import { erasureMutants } from './erasure/mutants.ts';
import { mutants as recordMutants } from './mutants.ts';
import { checkMutant } from './mutated-source.ts';
import { objectMutants } from './objects/mutants.ts';
import { placesMutants } from './places/mutants.ts';
import { runPool } from './pool.ts';
import { reactionMutants } from './reactions/mutants.ts';
import type { Workload } from './seeds.ts';
import { shopMutants } from './shop/mutants.ts';
import { uniqueMutants } from './unique/mutants.ts';
import { writerMutants } from './writer/mutants.ts';

export interface MutantOptions {
  /** Most schedules that a mutant may survive. */
  readonly schedules: number;
  readonly seed: number;
  readonly sites: number | undefined;
  readonly threads: number;
  readonly workload: Workload;
}

interface Fate {
  readonly name: string;
  readonly schedules: number;
  /** The first finding; undefined: it survived. */
  readonly killedBy: string | undefined;
}

/** Kills as many mutants as it can, several at a time. @throws what `checkMutant` throws. */
export async function measureMutants(
  { schedules, seed, sites, threads, workload }: MutantOptions,
  progress: (line: string) => void,
): Promise<Findings> {
  const mutants = {
    records: recordMutants,
    shop: shopMutants,
    unique: uniqueMutants,
    reactions: reactionMutants,
    places: placesMutants,
    writer: writerMutants,
    objects: objectMutants,
    erasure: erasureMutants,
  }[workload];
  for (const mutant of mutants) checkMutant(mutant);
  const fates: Fate[] = [];
  const waiting = [...mutants];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const { name, faults } = mutant;
      const run = await runPool({
        first: seed,
        count: schedules,
        sites,
        threads: 1,
        workload,
        mutant: name,
        faults,
        stopEarly: true,
      });
      const failed = run.failed[0];
      const killedBy = failed && `${failed.findings[0]?.invariant} (seed ${failed.seed})`;
      fates.push({ name, schedules: run.schedules, killedBy });
      progress(
        `${killedBy === undefined ? 'SURVIVED' : 'killed'}  ${name}: ${killedBy ?? `${run.schedules} schedules`}`,
      );
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  const survivors = fates.filter(({ killedBy }) => killedBy === undefined);
  return {
    figures: [
      figure('mutants', fates.length, ''),
      figure('mutants that survived', survivors.length, '', { exactly: 0 }),
      figure('schedules to kill the hardest', Math.max(...fates.map((fate) => fate.schedules)), ''),
    ],
    notes: [
      `a mutant is a change of the text of one module; at most ${schedules} schedules each, from seed ${seed}`,
      ...survivors.map(({ name }) => `survived: ${name}`),
    ],
  };
}
