/**
 * Which target of a name a client gets: the four strategies, with the rules that Route 53 has for health
 * (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html).
 *
 * Invariant: an unhealthy target is chosen only when no healthy one could be. When all are unhealthy they all count
 * as healthy: an answer that may work is better than none.
 */
import { own } from '@tandem-clouds/command-line/own';
import type { Strategy, Target } from '@tandem-clouds/zone/model';
import type { ClientLocation, Latencies } from './locations.ts';

/** A target that has what was asked for. */
export interface Candidate {
  /** Its place in the name's list of targets. */
  readonly index: number;
  readonly target: Target;
  readonly healthy: boolean;
}

/** Returns the place of a target; undefined when nothing is meant for this client. */
export type Choose = (client: ClientLocation | undefined) => number | undefined;

export interface ChooseOptions {
  readonly strategy: Strategy;
  readonly candidates: readonly Candidate[];
  readonly latencies: Latencies;
  /** As Math.random. */
  readonly random: () => number;
}

/** Prepares the choice, so that it is cheap for each query; to be prepared anew when somebody's health changes. */
export function prepareChoice(options: ChooseOptions): Choose {
  const { strategy, candidates, random } = options;
  if (candidates.length === 0) return () => undefined;
  switch (strategy) {
    case 'weighted':
      return byWeight(candidates, random);
    case 'latency':
      return byLatency(options);
    case 'geolocation':
      return byLocation(candidates, random);
    case 'failover': {
      // Their order is the order of preference.
      const first = candidates.find(({ healthy }) => healthy) ?? candidates[0];
      return () => first?.index;
    }
  }
}

/** True when every target is unhealthy, so that all are served. */
export function allUnhealthy(candidates: readonly Candidate[]): boolean {
  return candidates.length > 0 && candidates.every(({ healthy }) => !healthy);
}

const weightOf = ({ target }: Candidate): number => target.weight ?? 1;

function byWeight(candidates: readonly Candidate[], random: () => number): Choose {
  const healthy = candidates.filter((candidate) => candidate.healthy);
  const usable = healthy.length > 0 ? healthy : candidates;
  // A weight of zero means: only when nobody else is left.
  const weighted = usable.filter((candidate) => weightOf(candidate) > 0);
  return weighted.length > 0 ? spread(weighted, weightOf, random) : evenly(usable, random);
}

/** Among the healthy ones, with equal shares. */
function evenly(candidates: readonly Candidate[], random: () => number): Choose {
  const healthy = candidates.filter((candidate) => candidate.healthy);
  return spread(healthy.length > 0 ? healthy : candidates, () => 1, random);
}

function spread(
  candidates: readonly Candidate[],
  share: (candidate: Candidate) => number,
  random: () => number,
): Choose {
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return () => only.index;
  let total = 0;
  const bounds = candidates.map((candidate) => (total += share(candidate)));
  const indices = candidates.map(({ index }) => index);
  return () => {
    const point = random() * total;
    const at = bounds.findIndex((bound) => point < bound);
    return indices[at === -1 ? indices.length - 1 : at];
  };
}

function byLatency({ candidates, latencies, random }: ChooseOptions): Choose {
  const healthy = candidates.filter((candidate) => candidate.healthy);
  const usable = healthy.length > 0 ? healthy : candidates;
  const anywhere = spread(usable, () => 1, random);
  const nearest = new Map<string, Choose>();
  return (client) => {
    const region = client?.region;
    if (region === undefined) return anywhere(client);
    let choose = nearest.get(region);
    if (choose === undefined) {
      choose = spread(closest(usable, region, latencies), () => 1, random);
      // Regions come from our own table, so their number is bounded.
      nearest.set(region, choose);
    }
    return choose(client);
  };
}

/** Those with the least latency from a region; all of them when no figure is known. */
function closest(candidates: readonly Candidate[], from: string, latencies: Latencies): readonly Candidate[] {
  const latencyOf = ({ target }: Candidate): number =>
    target.region === from
      ? 0
      : (own(own(latencies, from) ?? {}, target.region ?? '') ?? Number.POSITIVE_INFINITY);
  const least = Math.min(...candidates.map(latencyOf));
  return candidates.filter((candidate) => latencyOf(candidate) === least);
}

function byLocation(candidates: readonly Candidate[], random: () => number): Choose {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    for (const place of placesOf(candidate.target)) {
      groups.set(place, [...(groups.get(place) ?? []), candidate]);
    }
  }
  const prepared = new Map(
    [...groups].map(([place, group]) => [
      place,
      { choose: evenly(group, random), healthy: group.some(({ healthy }) => healthy) },
    ]),
  );
  return (client) => {
    const matching = [`country:${client?.country ?? ''}`, `continent:${client?.continent ?? ''}`, 'default']
      .map((place) => prepared.get(place))
      .filter((group) => group !== undefined);
    return (matching.find(({ healthy }) => healthy) ?? matching[0])?.choose(client);
  };
}

function placesOf({ location }: Target): string[] {
  const { countries = [], continents = [], default: others = false } = location ?? {};
  return [
    ...countries.map((code) => `country:${code}`),
    ...continents.map((code) => `continent:${code}`),
    ...(others ? ['default'] : []),
  ];
}
