/** A command of `dns` from its words, for who has them and the command context: rollouts and tests. */
import { runProgram } from '@tandem-clouds/command-line/run-program';
import type { CommandContext } from './command-context.ts';
import { DNS } from './command-line.ts';

const PROGRAM = { call: 'npm run tandem --', summary: '', sections: [{ title: 'Traffic', entries: [DNS] }] };

/** Returns the exit status. @param args Without `dns`. */
export async function runDns(args: readonly string[], commandContext: CommandContext): Promise<number> {
  return runProgram(PROGRAM, ['dns', ...args], commandContext);
}
