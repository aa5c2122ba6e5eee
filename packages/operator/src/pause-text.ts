/** What came of a pause or its end, in words. Pure. */
import type { PauseView } from './operator-api.ts';

/** @param from The site that sends. */
export function pauseText(from: string, { peer, paused, since = '', sent }: PauseView): string {
  if (paused) {
    return `${from} sends nothing to ${peer} since ${since}. What it lacks is kept and shown by status.`;
  }
  const resumed = `${from} sends to ${peer} again`;
  if (sent === undefined) return `${resumed}.`;
  if (sent.problem !== undefined) return `${resumed}, but ${peer} does not take it: ${sent.problem}`;
  return `${resumed}: ${sent.keys} ${sent.keys === 1 ? 'key' : 'keys'} sent${sent.complete ? '.' : ', the sweeper sends the rest.'}`;
}
