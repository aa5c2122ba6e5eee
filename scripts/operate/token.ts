/** `tandem token`: a token of the local issuer, to present as `Authorization: Bearer`. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { explain } from '@tandem-clouds/operator/get-json';
import { findIssuer, TargetError } from '@tandem-clouds/operator/targets';
import type { TokenOptions } from './options.ts';

/** Returns the exit status. @throws TargetError when there is no issuer, or when it does not answer. */
export async function token(options: TokenOptions, { out }: CommandContext): Promise<number> {
  const issuer = findIssuer(options);
  try {
    const value = await queryToken(issuer, options.scope);
    out(options.json ? `${JSON.stringify({ token: value, issuer })}\n` : `${value}\n`);
    return 0;
  } catch (error) {
    throw new TargetError(`${issuer}: ${explain(error)}`, { cause: error });
  }
}
