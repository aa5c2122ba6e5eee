/** `tandem status`: asks every site, and says per direction what is safe and what is not. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { directionsOf } from './directions.ts';
import type { StatusOptions } from './options.ts';
import { querySite, type SiteReport } from './query-sites.ts';
import { toTable } from './table.ts';
import { findTargets } from './targets.ts';

const REFRESH_MS = 1_000;
/** Cursor to the top left, then erase what is there (ECMA-48: CUP, ED). */
const CLEAR = '\u001B[H\u001B[2J';

/**
 * Once, or with `--watch` until the signal. Returns the exit status of the last look: 1 when somebody did not answer.
 * @throws TargetError when there is nobody to ask.
 */
export async function status(options: StatusOptions, context: CommandContext): Promise<number> {
  // Listened to from the start: Ctrl-C during the first look is the end of a watch too.
  const signal = options.watch ? context.signal : undefined;
  for (;;) {
    const code = await sample(options, context);
    if (signal === undefined || (await stoppedWithin(REFRESH_MS, signal))) return code;
  }
}

async function stoppedWithin(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return false;
  } catch (error) {
    if (signal.aborted) return true;
    throw error;
  }
}

async function sample(options: StatusOptions, { out, isTerminal, colour }: CommandContext): Promise<number> {
  const requestedAt = new Date().toISOString();
  const reports = await Promise.all(findTargets(options).map((target) => querySite(target, options)));
  const directions = directionsOf(reports);
  const responded = reports.every(isWhole);
  if (options.json) {
    out(`${JSON.stringify({ requestedAt, responded, sites: reports, directions })}\n`);
  } else {
    const redraw = options.watch && isTerminal;
    out(`${redraw ? CLEAR : ''}${requestedAt}\n\n${toTable(directions, reports, colour)}`);
    if (options.watch && !isTerminal) out('\n');
  }
  return responded ? 0 : 1;
}

function isWhole({ problem, queueProblem, pendingProblem, causesProblem }: SiteReport): boolean {
  return [problem, queueProblem, pendingProblem, causesProblem].every((each) => each === undefined);
}
