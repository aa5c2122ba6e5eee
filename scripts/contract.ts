/** `contract`: does this site answer as openapi.yaml says? */
import type { Output } from '@tandem-clouds/command-line/command';
import { contract } from '../infra/rollout/contract.ts';

/** Returns the exit status: 1 when it does not. */
export async function checkContract(
  { url, json }: { readonly url: string; readonly json: boolean },
  { out }: Output,
): Promise<number> {
  const { checked, broken, notYet } = await contract(url);
  if (json) out(`${JSON.stringify({ url, checked, broken, notYet })}\n`);
  else {
    for (const line of broken) out(`FAILED  ${line}\n`);
    for (const line of notYet) out(`NOT YET ${line}\n`);
    out(`${checked} answers checked, ${broken.length} breaches of openapi.yaml\n`);
  }
  return broken.length === 0 ? 0 : 1;
}
