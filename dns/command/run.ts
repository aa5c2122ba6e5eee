/** A command of `dns` from its words, for who has them and the surroundings: rollouts and tests. */
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { DNS } from './command-line.ts';
import type { Surroundings } from './command-context.ts';

const PROGRAM = { call: 'npm run tandem --', summary: '', sections: [{ title: 'Traffic', entries: [DNS] }] };

/** Returns the exit status. @param args Without `dns`. */
export async function runDns(args: readonly string[], around: Surroundings): Promise<number> {
  return runProgram(PROGRAM, ['dns', ...args], around);
}
