/** The stack that a bench measures: one of its own, or one that runs already. */
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';
import { startStackOf } from '@tandem-clouds/local/stack/own-stack';
import { ROOT } from './project-copy.ts';

/**
 * Runs `use` against a fresh stack with data in memory and stops it afterwards.
 * @param project Whose code it runs: a copy with other declarations (project-copy.ts).
 */
export async function withOwnStack<T>(use: (stack: Stack) => Promise<T>, project = ROOT): Promise<T> {
  const stack = await startStackOf(project, '--ephemeral');
  try {
    return await use(stack.describe());
  } finally {
    await stack.stop();
  }
}

/** What runs in a folder, or in that of a `stack.json`. @throws Error when nothing does. */
export function runningStack(file: string): Stack {
  const stack = readStack(file);
  if (stack === undefined) throw new Error(`${file}: no stack runs there`);
  if (!stack.sites.every(({ ready }) => ready)) throw new Error(`${file}: the stack is not ready`);
  return stack;
}
