/** Which sites a policy names, and in which order they are rolled out. Pure. */
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { type Cloud, parseSite } from '@tandem-clouds/local/stack/sites';
import type { Policy } from '../../dns/policy/policy.ts';

/** A function answers within its own timeout (serverless.aws.yml, `timeout`): then nothing is under way any more. */
const IN_FLIGHT_SECONDS = 10;

export interface SitePair {
  readonly site: string;
  /** Of another cloud: the blue of blue-green. */
  readonly other: string;
}

/** Cloud by cloud, as the policy lists them. @throws UsageError when there is no other cloud, or no such one. */
export function sitesOf({ sites }: Policy, only?: Cloud): readonly SitePair[] {
  const named = Object.keys(sites).map(parseSite);
  const chosen = named
    .filter(({ cloud }) => only === undefined || cloud === only)
    .sort((a, b) => (a.cloud < b.cloud ? -1 : a.cloud > b.cloud ? 1 : 0));
  if (chosen.length === 0) throw new UsageError(`the policy names no site on ${only ?? 'any cloud'}`);
  return chosen.map(({ site, cloud }) => {
    const other = named.find((one) => one.cloud !== cloud)?.site;
    if (other === undefined) throw new UsageError(`${site} has no site on another cloud to stand in for it`);
    return { site, other };
  });
}

/** Until no client holds an old answer, and what it had begun by then has ended. */
export function settleSecondsOf({ ttlSeconds, names }: Pick<Policy, 'names' | 'ttlSeconds'>): number {
  return Math.max(ttlSeconds, ...names.map((name) => name.ttlSeconds ?? 0)) + IN_FLIGHT_SECONDS;
}
