/** `tandem pause` and `tandem resume`: stops and starts what one site sends to another. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { OperatorApi, type PauseView } from '@tandem-clouds/operator/operator-api';
import { findSite } from '@tandem-clouds/operator/targets';
import type { PauseOptions } from './options.ts';

/** Returns the exit status: 1 when the resumed peer does not take what has gathered. @throws TargetError */
export async function pause(options: PauseOptions, { out }: CommandContext): Promise<number> {
  const { command, from, to, json } = options;
  const api = new OperatorApi(await findSite(options, from));
  const view = command === 'pause' ? await api.pause(to) : await api.resume(to);
  out(json ? `${JSON.stringify({ from, ...view })}\n` : `${sentenceOf(from, view)}\n`);
  return view.sent?.problem === undefined ? 0 : 1;
}

function sentenceOf(from: string, { peer, paused, since = '', sent }: PauseView): string {
  if (paused) {
    return `${from} sends nothing to ${peer} since ${since}. What it lacks is kept and shown by status.`;
  }
  const resumed = `${from} sends to ${peer} again`;
  if (sent === undefined) return `${resumed}.`;
  if (sent.problem !== undefined) return `${resumed}, but ${peer} does not take it: ${sent.problem}`;
  return `${resumed}: ${sent.keys} ${sent.keys === 1 ? 'key' : 'keys'} sent${sent.complete ? '.' : ', the sweeper sends the rest.'}`;
}
