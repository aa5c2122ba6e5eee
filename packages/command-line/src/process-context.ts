/** This process as a command meets it: its terminal, its signals, and where the person stands. */
import path from 'node:path';
import type { CommandContext } from './command.ts';
import { type Place, placeOf } from './place.ts';
import { hasColour, isTerminal } from './terminal.ts';

/** The root of the project. */
export const ROOT = path.join(import.meta.dirname, '../../..');

export function processContext(): CommandContext {
  let stop: AbortController | undefined;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: isTerminal(process.stdout),
    colour: hasColour(process.stdout),
    // Who listens for a signal has to end by it; what does not ask for this ends as the system would have it.
    get signal() {
      stop ??= stopOnSignal();
      return stop.signal;
    },
  };
}

function stopOnSignal(): AbortController {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return stop;
}

/** @param scripts Those of package.json that run this program. */
export function processPlace(scripts: readonly string[]): Place {
  return placeOf({ env: process.env, cwd: process.cwd(), root: ROOT, scripts });
}
