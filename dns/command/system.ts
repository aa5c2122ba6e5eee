/** The command context of a command that runs as a process: this terminal, this clock, these credentials. */
import { createInterface } from 'node:readline/promises';
import { readStack, type Stack, StackFileError } from '@tandem-clouds/command-line/running-stack';
import { hasColour } from '@tandem-clouds/command-line/terminal';
import { systemClock } from '../clock.ts';
import { TrafficError } from '../errors.ts';
import { probeOverHttp } from '../plan/safety.ts';
import { chooseProvider, type Environment } from '../providers/choose.ts';
import { observeOverHttp } from '../shift/observe.ts';
import type { CommandContext } from './command-context.ts';
import type { LocalStack } from './local-stack.ts';

/** Listens to signals from now on. */
export function systemContext(credentials: Omit<Environment, 'clock'>): CommandContext {
  const stop = new AbortController();
  // The first asks for an orderly end; a second one is the system's own.
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const clock = systemClock;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    colour: hasColour(process.stdout),
    signal: stop.signal,
    clock,
    observe: observeOverHttp,
    probe: probeOverHttp,
    ...(process.stdin.isTTY && process.stdout.isTTY && { confirm }),
    // Whoever names a server means that one, and the policy as it is.
    ...(credentials.localControlUrl === undefined && { localStack }),
    providerFor: async (choice) => chooseProvider(choice, { clock, ...credentials }),
  };
}

function localStack(file: string): LocalStack | undefined {
  try {
    const stack = readStack(file);
    if (stack === undefined) return undefined;
    const controlUrl = controlUrlOf(stack);
    if (controlUrl === undefined) throw new StackFileError(file, 'it names no DNS server');
    return { ...stack, controlUrl };
  } catch (error) {
    if (error instanceof StackFileError) throw new TrafficError(error.message, { cause: error });
    throw error;
  }
}

/** In a file that something else wrote there may be less than a stack has. */
function controlUrlOf({ dns }: Partial<Pick<Stack, 'dns'>>): string | undefined {
  return dns?.controlUrl;
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test(await terminal.question(question));
  } finally {
    terminal.close();
  }
}
