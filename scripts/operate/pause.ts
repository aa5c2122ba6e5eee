/** `tandem pause` and `tandem resume`: stops and starts what one site sends to another. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { OperatorApi } from '@tandem-clouds/operator/operator-api';
import { pauseText } from '@tandem-clouds/operator/pause-text';
import { findSite } from '@tandem-clouds/operator/targets';
import type { PauseOptions } from './options.ts';

/** Returns the exit status: 1 when the resumed peer does not take what has gathered. @throws TargetError */
export async function pause(options: PauseOptions, { out }: CommandContext): Promise<number> {
  const { command, from, to, json } = options;
  const api = new OperatorApi(await findSite(options, from));
  const view = command === 'pause' ? await api.pause(to) : await api.resume(to);
  out(json ? `${JSON.stringify({ from, ...view })}\n` : `${pauseText(from, view)}\n`);
  return view.sent?.problem === undefined ? 0 : 1;
}
