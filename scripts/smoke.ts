/** `smoke`: does this site do what it is for? */
import type { Output } from '@tandem-clouds/command-line/command';
import { smoke } from '../infra/rollout/smoke.ts';

export interface SmokeInput {
  readonly url: string;
  readonly peer: string | undefined;
  readonly site: string | undefined;
  readonly release: string | undefined;
  readonly readOnly: boolean;
  readonly json: boolean;
}

/** Returns the exit status: 1 when it does not. */
export async function checkSmoke(input: SmokeInput, { out }: Output): Promise<number> {
  const { url, peer, site, release, readOnly, json } = input;
  const { passed, failed } = await smoke({
    url,
    readOnly,
    ...(peer !== undefined && { peer }),
    ...(site !== undefined && { site }),
    ...(release !== undefined && { version: release }),
  });
  if (json) out(`${JSON.stringify({ url, passed, failed })}\n`);
  else {
    for (const line of passed) out(`ok      ${line}\n`);
    for (const line of failed) out(`FAILED  ${line}\n`);
  }
  return failed.length === 0 ? 0 : 1;
}
