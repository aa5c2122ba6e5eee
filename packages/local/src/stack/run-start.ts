/** What `start` does in this process, until it is stopped. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { guardOutput } from '@tandem-clouds/command-line/run-command';
import type { StackOptions } from './options.ts';
import { Output } from './output.ts';
import { runStack } from './run-stack.ts';

/** Returns the exit status. */
export async function runStart(options: StackOptions, { out, colour }: CommandContext): Promise<number> {
  // A terminal that has gone away, or a closed pipe, must not end the supervisor before its children.
  guardOutput(() => undefined);
  return runStack(options, new Output({ write: out, verbose: options.verbose, colour }));
}
