/**
 * The nemesis' plan: what befalls the stack, when and for how long, from one seed. Pure.
 *
 * Invariant: the whole menu is in every plan of a minute or more, whatever the seed; the seed decides about order, overlap, targets and
 * strength. Real processes do not repeat a run exactly, but the same seed gives the same plan.
 */
import type { FaultRule } from '@tandem-clouds/emulators/core/faults';
import type { Cut, Victim } from '../cluster/victims.ts';
import { Random } from '../random.ts';

export type Action =
  | { readonly kind: 'kill'; readonly victim: Victim; readonly site: string }
  | { readonly kind: 'partition'; readonly links: readonly string[]; readonly cut: Cut }
  | { readonly kind: 'slow link'; readonly links: readonly string[]; readonly delayMs: number }
  | { readonly kind: 'skew'; readonly site: string; readonly offsetMs: number }
  /** From the release before this one, which the site begins with. */
  | { readonly kind: 'upgrade'; readonly site: string }
  | {
      readonly kind: 'throttling' | 'lost answers' | 'latency' | 'duplicates' | 'reordering';
      readonly site: string;
      readonly service: 'store' | 'queue';
      readonly rules: readonly FaultRule[];
    };

export interface Episode {
  /** Milliseconds from the beginning of the traffic. */
  readonly atMs: number;
  /** 0 for a kill. */
  readonly forMs: number;
  readonly action: Action;
}

export interface PlanOptions {
  readonly seed: number;
  /** How long clients are at work. */
  readonly trafficMs: number;
  /** Two of them. */
  readonly sites: readonly [string, string];
}

/** At least one partition of both ways lasts so long, where the traffic is long enough for it. */
const LONG_PARTITION_MS = 75_000;
const SKEW_MAX_MS = 30_000;
/** A process needs a while to come back, and a little longer to be worth killing again. */
const KILL_EVERY_MS = 8_000;
/** The stack must be up again before the end, or the end measures the start of processes. */
const KILLS_WITHIN = 0.85;
/** Of the traffic's time; so much of one long run holds a second and a third helping of the menu. */
const HELPING_MS = 240_000;

/** The plan, in the order of time. */
export function makePlan({ seed, trafficMs, sites }: PlanOptions): readonly Episode[] {
  const random = new Random(seed);
  const helpings = Math.max(1, Math.round(trafficMs / HELPING_MS));
  const episodes: Episode[] = [upgrade(random, sites[1], trafficMs)];
  for (let helping = 0; helping < helpings; helping += 1) {
    const fromMs = (helping * trafficMs) / helpings;
    episodes.push(...serve({ random, sites, fromMs, lengthMs: trafficMs / helpings }));
  }
  return episodes.sort((a, b) => a.atMs - b.atMs);
}

/** One site runs the release before for a good part of the traffic, whatever else befalls it. */
function upgrade(random: Random, site: string, trafficMs: number): Episode {
  return {
    atMs: Math.round(random.between(0.3, 0.6) * trafficMs),
    forMs: 0,
    action: { kind: 'upgrade', site },
  };
}

interface Helping {
  readonly random: Random;
  readonly sites: readonly [string, string];
  readonly fromMs: number;
  readonly lengthMs: number;
}

/** The whole menu once. */
function serve(helping: Helping): Episode[] {
  return [...kills(helping), ...conditions(helping)];
}

/** Spread evenly, in random order: each comes back before the next one falls. */
function kills({ random, sites, fromMs, lengthMs }: Helping): Episode[] {
  const all = random.shuffled([
    ...sites.flatMap((site) => (['host', 'bridge', 'stores'] as const).map((victim) => ({ victim, site }))),
    { victim: 'edge' as const, site: 'edge' },
  ]);
  const victims = all.slice(0, Math.max(1, Math.floor(lengthMs / KILL_EVERY_MS)));
  const slotMs = (lengthMs * KILLS_WITHIN) / victims.length;
  return victims.map((victim, index) => ({
    atMs: Math.round(fromMs + (index + random.between(0.1, 0.6)) * slotMs),
    forMs: 0,
    action: { kind: 'kill', ...victim },
  }));
}

/** What lasts: begins and ends within the helping, and may overlap with anything. */
function conditions(helping: Helping): Episode[] {
  const { random, sites, fromMs, lengthMs } = helping;
  const [a, b] = sites;
  const there = `${a}/${b}`;
  const back = `${b}/${a}`;
  const lasting = (shareMax: number, longestMs: number, action: Action): Episode => {
    const most = Math.min(lengthMs * shareMax, longestMs);
    const forMs = Math.round(random.between(most / 2, most));
    return { atMs: Math.round(fromMs + random.between(0, lengthMs * 0.95 - forMs)), forMs, action };
  };
  const skewMs = Math.min(SKEW_MAX_MS, Math.round(lengthMs * 0.4));
  const longMs = Math.min(LONG_PARTITION_MS, Math.round(lengthMs * 0.35));
  return [
    {
      atMs: Math.round(fromMs + random.between(0.05, 0.5) * lengthMs),
      forMs: longMs,
      action: { kind: 'partition', links: [there, back], cut: random.pick(['refused', 'stalled']) },
    },
    lasting(0.2, 40_000, { kind: 'partition', links: [there], cut: random.pick(['stalled', 'deaf']) }),
    lasting(0.2, 40_000, { kind: 'partition', links: [back], cut: random.pick(['stalled', 'deaf']) }),
    lasting(0.2, 40_000, { kind: 'slow link', links: [there, back], delayMs: 100 + random.int(400) }),
    ...sites.flatMap((site) => [
      lasting(0.15, 40_000, { kind: 'skew', site, offsetMs: skewMs - random.int(2_000) }),
      lasting(0.15, 40_000, { kind: 'skew', site, offsetMs: random.int(2_000) - skewMs }),
      ...MENU.map(({ kind, service, rules }) =>
        lasting(0.15, 30_000, { kind, site, service, rules: rules(random) }),
      ),
    ]),
  ];
}

interface Dish {
  readonly kind: 'throttling' | 'lost answers' | 'latency' | 'duplicates' | 'reordering';
  readonly service: 'store' | 'queue';
  readonly rules: (random: Random) => readonly FaultRule[];
}

const MENU: readonly Dish[] = [
  {
    kind: 'throttling',
    service: 'store',
    rules: (random) => [{ kind: 'error', probability: chance(random) }],
  },
  {
    kind: 'throttling',
    service: 'queue',
    rules: (random) => [{ kind: 'error', probability: chance(random) }],
  },
  {
    kind: 'lost answers',
    service: 'store',
    rules: (random) => [{ kind: 'drop-ack', probability: chance(random) / 2 }],
  },
  {
    kind: 'lost answers',
    service: 'queue',
    rules: (random) => [{ kind: 'drop-ack', probability: chance(random) / 2 }],
  },
  {
    kind: 'latency',
    service: 'store',
    rules: (random) => [{ kind: 'latency', latencyMs: 50 + random.int(300), probability: 0.3 }],
  },
  { kind: 'duplicates', service: 'queue', rules: () => [{ kind: 'duplicate', probability: 0.4 }] },
  {
    kind: 'reordering',
    service: 'queue',
    rules: (random) => [{ kind: 'reorder', latencyMs: 500 + random.int(5_000), probability: 0.6 }],
  },
];

function chance(random: Random): number {
  return Math.round(random.between(0.1, 0.4) * 100) / 100;
}

/** An action in a few words. */
export function describe(action: Action): string {
  switch (action.kind) {
    case 'kill':
      return action.victim === 'edge' ? 'SIGKILL the edge' : `SIGKILL ${action.victim} of ${action.site}`;
    case 'partition':
      return `partition ${action.links.map(arrow).join(' and ')} (${action.cut})`;
    case 'slow link':
      return `${action.delayMs} ms each way on ${action.links.map(arrow).join(' and ')}`;
    case 'skew':
      return `clock of ${action.site} by ${action.offsetMs > 0 ? '+' : '−'}${Math.abs(action.offsetMs / 1_000)} s`;
    case 'upgrade':
      return `${action.site} is upgraded from the release before`;
    case 'throttling':
    case 'lost answers':
    case 'latency':
    case 'duplicates':
    case 'reordering': {
      const strength = action.rules.map(({ probability = 1, latencyMs }) =>
        [`${Math.round(probability * 100)} %`, ...(latencyMs === undefined ? [] : [`${latencyMs} ms`])].join(
          ', ',
        ),
      );
      return `${action.kind} at the ${action.service} of ${action.site} (${strength.join('; ')})`;
    }
  }
}

function arrow(link: string): string {
  return link.replace('/', ' → ');
}

/** `3:07` */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** An episode as one line of a list. */
export function lineOfEpisode({ atMs, forMs, action }: Episode): string {
  return `${clock(atMs)} ${describe(action)}${forMs > 0 ? `, ${Math.round(forMs / 1_000)} s` : ''}`;
}
