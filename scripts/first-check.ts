/** `first-check <site>`: what only an account can tell, before any traffic. */
import type { Output } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { explain } from '@tandem-clouds/operator/get-json';
import { findSite } from '@tandem-clouds/operator/targets';
import { checkSite } from './first-check/check-site.ts';
import { statusOf, toText } from './first-check/report.ts';

export interface FirstCheckInput {
  /** The URL of a deployed site, or the id of one of the stack. */
  readonly site: string;
  readonly stack: string;
  readonly json: boolean;
}

/** Returns the exit status: 1 when something is to be mended. @throws CommandError when nobody answers. */
export async function checkFirst({ site, stack, json }: FirstCheckInput, { out }: Output): Promise<number> {
  const isUrl = isUrlLike(site);
  try {
    const options = { stack, sites: isUrl ? [site] : [], json };
    const report = await checkSite(await findSite(options, isUrl ? undefined : site));
    out(json ? `${JSON.stringify(report)}\n` : toText(report));
    return statusOf(report);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`${site}: ${explain(cause)}`, { cause });
  }
}

function isUrlLike(site: string): boolean {
  return /^https?:\/\//.test(site);
}
