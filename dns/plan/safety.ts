/**
 * What stands between a plan and the zone. A large change wants `--force`; a change after which nobody healthy would
 * answer a name is never made.
 */
import {
  checkKey,
  type HealthCheck,
  type Route,
  type RoutedRecord,
  type Sharing,
  sharings,
  type Target,
} from '@tandem-clouds/zone/model';
import { RefusedError } from '../errors.ts';
import type { Provider } from '../provider.ts';
import type { Plan } from './plan.ts';

/** Asks a check's question once. Never rejects. */
export type Probe = (check: HealthCheck) => Promise<boolean>;

export interface Safety {
  readonly changedPercentMax: number;
  readonly force: boolean;
}

/** @throws RefusedError when too much would change at once, or a routed name would vanish, unless forced. */
export function guardExtent({ changes, liveRecords }: Plan, { changedPercentMax, force }: Safety): void {
  if (force) return;
  const touched = changes.filter(({ before }) => before !== undefined).length;
  const percent = liveRecords === 0 ? 0 : (touched * 100) / liveRecords;
  const responded = new Set(changes.flatMap(({ after }) => after?.name ?? []));
  const gone = changes.flatMap(({ before, after }) =>
    before?.kind === 'routed' && after === undefined && !responded.has(before.name) ? [before.name] : [],
  );
  const reasons = [
    ...(percent > changedPercentMax
      ? [
          `${touched} of ${liveRecords} records (${percent.toFixed(0)} %) would change or go; ` +
            `the policy allows ${changedPercentMax} %`,
        ]
      : []),
    ...gone.map((name) => `${name} would not be answered at all`),
  ];
  if (reasons.length > 0) throw new RefusedError(`${reasons.join('\n')}\n--force does it all the same`);
}

/**
 * Health is what the provider's checks say; where they say nothing yet, the check's question is asked from here. A
 * target without a check counts as healthy.
 * @throws RefusedError naming every changed name that no healthy site would answer.
 */
export async function guardHealth({ changes }: Plan, provider: Provider, probe: Probe): Promise<void> {
  const routed = changes.flatMap(({ after }) => (after?.kind === 'routed' ? [after] : []));
  if (routed.length === 0) return;
  const known = await provider.health();
  const answers = new Map<string, Promise<boolean>>();
  const isHealthy = async ({ check }: Target): Promise<boolean> => {
    if (check === undefined) return true;
    const key = checkKey(check);
    const answer = answers.get(key) ?? Promise.resolve(known.get(key) ?? probe(check));
    answers.set(key, answer);
    return answer;
  };
  const dark: string[] = [];
  for (const record of routed) {
    for (const sharing of sharings(record)) {
      const healthy = await Promise.all(serving(sharing).map(isHealthy));
      if (!healthy.includes(true)) dark.push(explain(record, sharing));
    }
  }
  if (dark.length > 0) throw new RefusedError(`${dark.join('\n')}\n--force does not help here`);
}

/** Targets that may be answered. */
export function serving({ strategy, targets }: Sharing): readonly Target[] {
  return strategy === 'weighted' ? targets.filter(({ weight = 0 }) => weight > 0) : targets;
}

function explain({ name, type }: RoutedRecord, sharing: Route | RoutedRecord): string {
  const sites = serving(sharing).map(({ site }) => site);
  const path = 'path' in sharing ? ` ${sharing.path}` : '';
  const state = sites.length === 0 ? 'no site is left' : `none of ${sites.join(', ')} is healthy`;
  return `${name} ${type}${path}: ${state}, so nobody would be served`;
}

const PROBE_WITHIN_MS = 4_000;

/** As the provider would ask: 2xx and 3xx are well (Route 53 and Cloudflare follow no redirect by default). */
export const probeOverHttp: Probe = async ({ protocol, host, port, path }) => {
  const name = host.includes(':') ? `[${host}]` : host;
  try {
    const response = await fetch(`${protocol}://${name}:${port}${path}`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(PROBE_WITHIN_MS),
    });
    await response.body?.cancel();
    return response.status >= 200 && response.status < 400;
  } catch {
    return false;
  }
};
