/** Chooses the command and turns mistakes of the command line into a clear message and status 2. */
import { UsageError } from '../command/usage-error.ts';
import { parseCommandLine, USAGE, type CommandLine } from './command-line.ts';
import { compare } from './compare.ts';
import { conflicts } from './conflicts.ts';
import { deadLetters } from './dead-letters.ts';
import { pause } from './pause.ts';
import { status } from './status.ts';
import { TargetError } from './targets.ts';
import { token } from './token.ts';

/** Where a command writes, and what ends it. */
export interface Surroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The output is replaced at each refresh instead of being repeated. */
  readonly isTerminal: boolean;
  readonly colour: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

const FAILED = 1;
const USAGE_STATUS = 2;

/** Runs one command and returns the exit status: 0 all well, 1 something did not answer, 2 a wrong command line. */
export async function runTandem(args: readonly string[], surroundings: Surroundings): Promise<number> {
  let line: CommandLine;
  try {
    line = parseCommandLine(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    surroundings.err(`${error.message}\nnpm run tandem -- --help lists the commands.\n`);
    return USAGE_STATUS;
  }
  try {
    switch (line.command) {
      case 'help':
        surroundings.out(USAGE);
        return 0;
      case 'status':
        return await status(line, surroundings);
      case 'pause':
      case 'resume':
        return await pause(line, surroundings);
      case 'compare':
      case 'repair':
      case 'backfill':
        return await compare(line, surroundings);
      case 'conflicts':
        return await conflicts(line, surroundings);
      case 'token':
        return await token(line, surroundings);
      case 'dlq':
        return await deadLetters(line, surroundings);
    }
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    surroundings.err(`${error.message}\n`);
    return FAILED;
  }
}
