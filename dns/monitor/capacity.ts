/** Whether the sites that are left carry what comes to them. It says so, and never stands in the way. */
import { lookAt } from './sample.ts';
import type { Acting } from './monitor-context.ts';
import type { SiteLook } from './decide.ts';
import type { Figures } from './runbook.ts';

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
  { policy, observe }: Pick<Acting, 'observe' | 'policy'>,
  without: string,
  limits: Figures,
): Promise<Capacity> {
  const others = Object.keys(policy.sites).filter((site) => site !== without);
  const looks = await lookAt(others, policy, observe);
  const found = looks.map((look) => ({ look, crossed: crossedBy(look, limits) }));
  return {
    ok: found.length > 0 && found.every(({ crossed }) => crossed.length === 0),
    lines:
      found.length === 0
        ? ['capacity: there is no other site']
        : found.map(({ look, crossed }) =>
            crossed.length === 0
              ? `capacity: ${look.site} is within its limits`
              : `capacity: ${look.site} ${crossed.join(', ')}`,
          ),
  };
}

function crossedBy(look: SiteLook, limits: Figures): string[] {
  if (!look.up) return ['does not answer'];
  return (Object.entries(limits) as [keyof Figures, number][]).flatMap(([name, limit]) => {
    const value = look[name];
    if (value === undefined) return [`does not say its ${UNITS[name]}`];
    return value > limit ? [`is at ${Math.round(value)} ${UNITS[name]}; at most ${limit}`] : [];
  });
}
