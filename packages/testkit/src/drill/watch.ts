/** Looks at DNS, its health checks and the exposure, again and again, beside the clients. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HEALTH_PATH, type HealthReport } from '@tandem-clouds/emulators/dns/control';
import { checkKey } from '@tandem-clouds/zone/model';
import { type Endpoint, isSilence, queryJson } from '../cluster/request.ts';
import type { AtRisk, DnsAnswer, HealthChange } from '../history/observed.ts';
import type { Resolved } from '../load/load-generator.ts';
import { queryReplication } from '../observe/exposure.ts';

const RESPONSE_WITHIN_MS = 2_000;
const DNS_EVERY_MS = 100;
const HEALTH_EVERY_MS = 100;
const EXPOSURE_EVERY_MS = 250;

export interface WatchOptions {
  readonly resolve: () => Promise<Resolved>;
  /** By address. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** Of the DNS server. */
  readonly controlUrl: string;
  /** Site → where its functions really answer. */
  readonly sites: ReadonlyMap<string, string>;
  readonly responses: DnsAnswer[];
  readonly health: HealthChange[];
  /** Every look at the exposure, the oldest first. */
  readonly samples: AtRisk[];
}

/** Looks until the signal. */
export async function watch(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const again = async (everyMs: number, sample: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      await sample();
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  await Promise.all([
    again(DNS_EVERY_MS, () => sampleDns(options)),
    again(HEALTH_EVERY_MS, () => sampleHealth(options)),
    ...[...options.sites].map((site) => again(EXPOSURE_EVERY_MS, () => sampleExposure(site, options))),
  ]);
}

async function sampleDns({ resolve, endpoints, responses }: WatchOptions): Promise<void> {
  const resolved = await resolve().catch(() => undefined);
  const site = endpoints.get(resolved?.address ?? '')?.name;
  if (site !== undefined) responses.push({ atMs: Date.now(), site });
}

async function sampleHealth({ controlUrl, sites, health }: WatchOptions): Promise<void> {
  const report = await unlessSilent(
    async () => (await queryJson(new URL(HEALTH_PATH, controlUrl), RESPONSE_WITHIN_MS)) as HealthReport,
  );
  for (const { check, healthy, changedAtMs } of Object.values(report?.checks ?? {})) {
    const [site] = [...sites].find(([, url]) => checkKey(check).startsWith(url)) ?? [];
    if (site === undefined || changedAtMs === undefined) continue;
    if (!health.some((known) => known.site === site && known.atMs === changedAtMs)) {
      health.push({ site, healthy, atMs: changedAtMs });
    }
  }
}

async function sampleExposure(
  [origin, url]: readonly [string, string],
  { samples }: WatchOptions,
): Promise<void> {
  const atMs = Date.now();
  const view = await unlessSilent(() => queryReplication(url));
  for (const { site, exposure } of view?.peers ?? []) {
    samples.push({ origin, peer: site, atMs, keys: exposure.keys, atLeast: exposure.atLeast });
  }
}

async function unlessSilent<T>(query: () => Promise<T>): Promise<T | undefined> {
  try {
    return await query();
  } catch (error) {
    if (isSilence(error)) return undefined;
    throw error;
  }
}
