/** Shares of traffic, as people read them. Pure. */
import type { TrafficOrder } from '../server/traffic-view.ts';

/** `50 %`, by the sum of all weights. */
export function shareIn(weights: Readonly<Record<string, number>>, site: string): string {
  const all = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const own = Object.hasOwn(weights, site) ? (weights[site] ?? 0) : 0;
  return all === 0 ? '—' : `${Math.round((own * 100) / all)} %`;
}

/** A step of a move: `aws-us-east-1 25 %`; of none: as the policy says. */
export function stepText(overrides: Readonly<Record<string, number>>): string {
  const parts = Object.entries(overrides).map(([site, percent]) => `${site} at ${percent} %`);
  return parts.length === 0 ? 'as the policy says' : parts.join(', ');
}

/** Where an order is sent to: what is written down of it names its path. */
export function orderPath(order: TrafficOrder): string {
  return `/api/traffic/jobs/${[order.kind, subjectOf(order) ?? '']
    .filter((part) => part !== '')
    .map(encodeURIComponent)
    .join('/')}`;
}

function subjectOf(order: TrafficOrder): string | undefined {
  switch (order.kind) {
    case 'apply':
      return undefined;
    case 'runbook':
      return order.name;
    case 'acknowledge':
      return order.runbook;
    case 'shift':
    case 'drain':
    case 'failover':
    case 'restore':
      return order.site;
  }
}

/** What a line of a plan is, for its colour; the sign says the same. */
export function kindOfLine(line: string): 'added' | 'removed' | 'changed' | 'other' {
  const [, sign] = /^\s*([-+~]) /.exec(line) ?? [];
  return sign === '+' ? 'added' : sign === '-' ? 'removed' : sign === '~' ? 'changed' : 'other';
}
