/** Looks at DNS, its health checks and the exposure, again and again, beside the clients. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HEALTH_PATH, type HealthReport } from '@tandem-clouds/emulators/dns/control';
import { checkKey } from '@tandem-clouds/zone/model';
import { askReplication } from '../observe/exposure.ts';
import { askJson, isSilence, type Door } from '../cluster/request.ts';
import type { AtRisk, DnsAnswer, HealthChange } from '../history/observed.ts';
import type { Resolved } from '../load/load-generator.ts';

const ANSWER_WITHIN_MS = 2_000;
const DNS_EVERY_MS = 100;
const HEALTH_EVERY_MS = 100;
const EXPOSURE_EVERY_MS = 250;

export interface WatchOptions {
  readonly resolve: () => Promise<Resolved>;
  /** By address. */
  readonly doors: ReadonlyMap<string, Door>;
  /** Of the DNS server. */
  readonly controlUrl: string;
  /** Site → where its functions really answer. */
  readonly sites: ReadonlyMap<string, string>;
  readonly answers: DnsAnswer[];
  readonly health: HealthChange[];
  /** Every look at the exposure, the oldest first. */
  readonly looks: AtRisk[];
}

/** Looks until the signal. */
export async function watch(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const again = async (everyMs: number, look: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      await look();
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  await Promise.all([
    again(DNS_EVERY_MS, () => lookAtDns(options)),
    again(HEALTH_EVERY_MS, () => lookAtHealth(options)),
    ...[...options.sites].map((site) => again(EXPOSURE_EVERY_MS, () => lookAtExposure(site, options))),
  ]);
}

async function lookAtDns({ resolve, doors, answers }: WatchOptions): Promise<void> {
  const resolved = await resolve().catch(() => undefined);
  const site = doors.get(resolved?.address ?? '')?.name;
  if (site !== undefined) answers.push({ atMs: Date.now(), site });
}

async function lookAtHealth({ controlUrl, sites, health }: WatchOptions): Promise<void> {
  const report = await unlessSilent(
    async () => (await askJson(new URL(HEALTH_PATH, controlUrl), ANSWER_WITHIN_MS)) as HealthReport,
  );
  for (const { check, healthy, changedAtMs } of Object.values(report?.checks ?? {})) {
    const [site] = [...sites].find(([, url]) => checkKey(check).startsWith(url)) ?? [];
    if (site === undefined || changedAtMs === undefined) continue;
    if (!health.some((known) => known.site === site && known.atMs === changedAtMs)) {
      health.push({ site, healthy, atMs: changedAtMs });
    }
  }
}

async function lookAtExposure(
  [origin, url]: readonly [string, string],
  { looks }: WatchOptions,
): Promise<void> {
  const atMs = Date.now();
  const view = await unlessSilent(() => askReplication(url));
  for (const { site, exposure } of view?.peers ?? []) {
    looks.push({ origin, peer: site, atMs, keys: exposure.keys, atLeast: exposure.atLeast });
  }
}

async function unlessSilent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isSilence(error)) return undefined;
    throw error;
  }
}
