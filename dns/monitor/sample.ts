/** Looks at every site over its own URL, and asks the provider what its checks say. */
import { own } from '@tandem-clouds/command-line/own';
import { checkKey, sharings } from '@tandem-clouds/zone/model';
import type { Policy } from '../policy/policy.ts';
import { recordsOf } from '../policy/records.ts';
import type { Provider } from '../provider.ts';
import { p99, type PeerState, type Sample } from '../shift/gates.ts';
import type { Observe } from '../shift/observe.ts';
import type { SiteSample } from './decide.ts';

/** Of one look. Enough to tell a site that fails now and then from one that is gone. */
const REQUESTS = 5;

/** One look of each of these sites; one without a url is not looked at. Never rejects. */
export async function sampleOf(
  sites: readonly string[],
  policy: Policy,
  observe: Observe,
): Promise<readonly SiteSample[]> {
  const samples = sites.flatMap((site) => {
    const url = own(policy.sites, site)?.url;
    return url === undefined ? [] : [{ site, url, requests: REQUESTS }];
  });
  return (await Promise.all(samples.map(observe))).map(sampleFrom);
}

function sampleFrom({ site, latenciesMs, errors, peers }: Sample): SiteSample {
  if (errors >= latenciesMs.length) return { site, up: false };
  const answers = { errorPercent: (errors * 100) / latenciesMs.length, p99Ms: p99(latenciesMs) };
  if (typeof peers === 'string') return { site, up: true, ...answers };
  const largest = (of: (peer: PeerState) => number): number => Math.max(0, ...peers.map(of));
  return {
    site,
    up: true,
    ...answers,
    replicationLagMs: largest(({ lagMs }) => lagMs),
    safeTimeBehindMs: largest(({ safeTimeBehindMs }) => safeTimeBehindMs),
    exposedKeys: largest(({ exposedKeys }) => exposedKeys),
  };
}

/** Per site: well when any of its checks is. A site of which the provider says nothing is left out. */
export async function providerWords(
  policy: Policy,
  provider: Provider,
): Promise<ReadonlyMap<string, boolean>> {
  const health = await provider.health();
  const words = new Map<string, boolean>();
  for (const record of provider.prepare(recordsOf(policy)).records) {
    for (const { site, check } of record.kind === 'routed'
      ? sharings(record).flatMap(({ targets }) => targets)
      : []) {
      const word = check && health.get(checkKey(check));
      if (word !== undefined) words.set(site, (words.get(site) ?? false) || word);
    }
  }
  return words;
}
