/** `tandem status`: asks every site, and says per direction what is safe and what is not. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { type Direction, directionsOf, withContentRates } from '@tandem-clouds/operator/directions';
import { querySite, type SiteReport } from '@tandem-clouds/operator/query-sites';
import { findTargets } from '@tandem-clouds/operator/targets';
import type { StatusOptions } from './options.ts';
import { RecentLooks } from './sparkline.ts';
import { toTable } from './table.ts';

const REFRESH_MS = 1_000;
/** Between the two looks of which the rate of contents is known without `--watch`: an answer serves for a second. */
const SECOND_LOOK_MS = 1_100;
/** Cursor to the top left, then erase what is there (ECMA-48: CUP, ED). */
const CLEAR = '\u001B[H\u001B[2J';

/**
 * Once, or with `--watch` until the signal. Returns the exit status of the last look: 1 when somebody did not answer.
 * @throws TargetError when there is nobody to ask.
 */
export async function status(options: StatusOptions, context: CommandContext): Promise<number> {
  // Listened to from the start: Ctrl-C during the first look is the end of a watch too.
  const signal = options.watch ? context.signal : undefined;
  let before: Look | undefined;
  const recent = new RecentLooks();
  for (;;) {
    const look = await lookAgain(options, before);
    before = look;
    recent.add(look.directions);
    const code = report(look, options, { ...context, recent });
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

/** What the sites have answered at one moment. */
interface Look {
  readonly atMs: number;
  readonly reports: readonly SiteReport[];
  readonly directions: readonly Direction[];
}

/** A look whose contents that cross have a rate: by the look before, or by a second one where there is none and they do. */
async function lookAgain(options: StatusOptions, before: Look | undefined): Promise<Look> {
  const first = await lookOnce(options);
  if (before !== undefined) return rated(first, before);
  if (options.watch || !first.directions.some(({ content }) => (content?.objects ?? 0) > 0)) return first;
  await delay(SECOND_LOOK_MS);
  return rated(await lookOnce(options), first);
}

async function lookOnce(options: StatusOptions): Promise<Look> {
  const atMs = Date.now();
  const reports = await Promise.all(findTargets(options).map((target) => querySite(target, options)));
  return { atMs, reports, directions: directionsOf(reports) };
}

function rated(look: Look, before: Look): Look {
  return { ...look, directions: withContentRates(look.directions, before, look.atMs) };
}

function report(
  { atMs, reports, directions }: Look,
  options: StatusOptions,
  { out, isTerminal, colour, recent }: CommandContext & { readonly recent: RecentLooks },
): number {
  const requestedAt = new Date(atMs).toISOString();
  const responded = reports.every(isWhole);
  if (options.json) {
    out(`${JSON.stringify({ requestedAt, responded, sites: reports, directions })}\n`);
  } else {
    const redraw = options.watch && isTerminal;
    const table = toTable(directions, reports, colour);
    out(`${redraw ? CLEAR : ''}${requestedAt}\n\n${table}${redraw ? recent.toText() : ''}`);
    if (options.watch && !isTerminal) out('\n');
  }
  return responded ? 0 : 1;
}

function isWhole({ problem, queueProblem, pendingProblem, causesProblem }: SiteReport): boolean {
  return [problem, queueProblem, pendingProblem, causesProblem].every((each) => each === undefined);
}
