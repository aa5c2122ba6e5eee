/**
 * Decides whether a shift may go on. Pure.
 *
 * Errors and slow answers are judged against all requests of the window, so a breach is called as soon as it is certain
 * and never by one unlucky request of the first few. Replication is judged by every sample as it is.
 */
import type { Gates } from '../policy/policy.ts';

/** What a site says of one of its peers. */
export interface PeerState {
  readonly site: string;
  /** Age of the oldest write that the peer does not hold. */
  readonly lagMs: number;
  /** How far the safe time is behind the site's clock. */
  readonly safeTimeBehindMs: number;
  readonly exposedKeys: number;
}

/** What was seen of one site at one moment. */
export interface Sample {
  readonly site: string;
  /** Of the requests that answered or failed; an error counts with the time it took. */
  readonly latenciesMs: readonly number[];
  readonly errors: number;
  /** Or why the site did not say. */
  readonly peers: readonly PeerState[] | string;
}

export interface Window {
  readonly gates: Gates;
  /** Requests to one site in the whole window. */
  readonly requestsPerSite: number;
}

/** The 99th percentile leaves so many above it. */
const P99_ABOVE = 0.01;

/** Why the shift has to go back; undefined when it may go on. */
export function breach(samples: readonly Sample[], window: Window): string | undefined {
  const bySite = Map.groupBy(samples, ({ site }) => site);
  for (const [site, own] of bySite) {
    const reason = ofRequests(own, window) ?? ofReplication(own.at(-1), window.gates);
    if (reason !== undefined) return `${site}: ${reason}`;
  }
  return undefined;
}

function ofRequests(samples: readonly Sample[], { gates, requestsPerSite }: Window): string | undefined {
  const { errorPercentMax, p99MsMax } = gates;
  const latencies = samples.flatMap(({ latenciesMs }) => latenciesMs);
  const errors = samples.reduce((total, sample) => total + sample.errors, 0);
  const expected = Math.max(requestsPerSite, latencies.length);
  if (errors > (errorPercentMax / 100) * expected) {
    return `${errors} of ${latencies.length} requests failed; at most ${errorPercentMax} % may`;
  }
  const slow = latencies.filter((ms) => ms > p99MsMax).length;
  if (slow > P99_ABOVE * expected) {
    return `p99 latency is ${p99(latencies).toFixed(0)} ms; at most ${p99MsMax} ms`;
  }
  return undefined;
}

function ofReplication(sample: Sample | undefined, gates: Gates): string | undefined {
  if (sample === undefined) return undefined;
  if (typeof sample.peers === 'string') return `replication cannot be judged: ${sample.peers}`;
  for (const { site, lagMs, safeTimeBehindMs, exposedKeys } of sample.peers) {
    const to = `replication to ${site}`;
    if (lagMs > gates.replicationLagMsMax) {
      return `${to} lags by ${lagMs} ms; at most ${gates.replicationLagMsMax} ms`;
    }
    if (safeTimeBehindMs > gates.safeTimeBehindMsMax) {
      return `${to} is safe only up to ${safeTimeBehindMs} ms ago; at most ${gates.safeTimeBehindMsMax} ms`;
    }
    if (exposedKeys > gates.exposedKeysMax) {
      return `${to} has ${exposedKeys} keys at risk; at most ${gates.exposedKeysMax}`;
    }
  }
  return undefined;
}

/** Nearest rank. 0 without values. */
export function p99(values: readonly number[]): number {
  const ordered = [...values].sort((a, b) => a - b);
  return ordered[Math.max(0, Math.ceil(ordered.length * (1 - P99_ABOVE)) - 1)] ?? 0;
}
