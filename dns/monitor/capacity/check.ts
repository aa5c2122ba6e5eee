/** Whether the sites that are left carry what comes to them. It says so, and never stands in the way. */
import type { SiteSample } from '../decide.ts';
import type { MonitorContext } from '../monitor-context.ts';
import type { Figures } from '../runbook.ts';
import { sampleOf } from '../sample.ts';

export interface Capacity {
  readonly ok: boolean;
  /** A sentence for each site. */
  readonly lines: readonly string[];
}

const UNITS: Readonly<Record<keyof Figures, string>> = {
  errorPercent: '% errors',
  p99Ms: 'ms p99',
  replicationLagMs: 'ms replication lag',
  safeTimeBehindMs: 'ms behind in safe time',
  exposedKeys: 'keys at risk',
};

/** Of every site but this one. Never rejects. */
export async function checkCapacity(
  { policy, observe }: Pick<MonitorContext, 'observe' | 'policy'>,
  without: string,
  limits: Figures,
): Promise<Capacity> {
  const others = Object.keys(policy.sites).filter((site) => site !== without);
  const samples = await sampleOf(others, policy, observe);
  const found = samples.map((sample) => ({ sample, crossed: crossedBy(sample, limits) }));
  return {
    ok: found.length > 0 && found.every(({ crossed }) => crossed.length === 0),
    lines:
      found.length === 0
        ? ['capacity: there is no other site']
        : found.map(({ sample, crossed }) =>
            crossed.length === 0
              ? `capacity: ${sample.site} is within its limits`
              : `capacity: ${sample.site} ${crossed.join(', ')}`,
          ),
  };
}

function crossedBy(sample: SiteSample, limits: Figures): string[] {
  if (!sample.up) return ['does not answer'];
  return (Object.entries(limits) as [keyof Figures, number][]).flatMap(([name, limit]) => {
    const value = sample[name];
    if (value === undefined) return [`does not say its ${UNITS[name]}`];
    return value > limit ? [`is at ${Math.round(value)} ${UNITS[name]}; at most ${limit}`] : [];
  });
}
