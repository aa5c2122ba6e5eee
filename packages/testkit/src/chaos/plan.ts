/**
 * The nemesis' plan: what befalls the stack, when and for how long, from one seed. Pure.
 *
 * Invariant: the whole menu is in every plan of a minute or more, whatever the seed; the seed decides about order, overlap, targets and
 * strength. Real processes do not repeat a run exactly, but the same seed gives the same plan.
 */
import type { FaultRule } from '@tandem-clouds/emulators/core/faults';
import type { FaultyService } from '@tandem-clouds/local/faults/hooks';
import type { Cut } from '@tandem-clouds/local/faults/link';
import type { Victim } from '../cluster/victims.ts';
import { Random } from '../random.ts';
import type { ProviderFault } from './reactions/provider.ts';

export type Action =
  | { readonly kind: 'kill'; readonly victim: Victim; readonly site: string }
  | { readonly kind: 'partition'; readonly links: readonly string[]; readonly cut: Cut }
  | { readonly kind: 'slow link'; readonly links: readonly string[]; readonly delayMs: number }
  | { readonly kind: 'skew'; readonly site: string; readonly offsetMs: number }
  /** From the release before this one, which the site begins with. */
  | { readonly kind: 'upgrade'; readonly site: string }
  /** All processes of a site at once, and none comes back for a while. Its data stays. */
  | { readonly kind: 'outage'; readonly site: string }
  /** The queue of reactions is purged, again and again; its reader is killed first. */
  | { readonly kind: 'purge'; readonly site: string }
  /** Of the provider that reactions call. */
  | { readonly kind: 'provider'; readonly fault: ProviderFault }
  /** Of the payment provider. */
  | { readonly kind: 'payments'; readonly what: string; readonly rules: readonly FaultRule[] }
  | {
      readonly kind: Dish['kind'];
      readonly site: string;
      readonly service: FaultyService;
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
/** Without faults, at most. */
const QUIET_MS = 60_000;

/** The plan, in the order of time. */
export function makePlan({ seed, trafficMs, sites }: PlanOptions): readonly Episode[] {
  const random = new Random(seed);
  const upgrades = [upgrade(random, sites[1], trafficMs)];
  return inOrder([...upgrades, ...helpingsOf({ random, sites, fromMs: 0, lengthMs: trafficMs })]);
}

/**
 * The plan for a service that reacts: nothing befalls it for a while, then the same menu without what only others have (the
 * edge, an older release), with sites that are away, their queues of reactions purged, and a provider that fails.
 */
export function makeReactionPlan({ seed, trafficMs, sites }: PlanOptions): readonly Episode[] {
  const random = new Random(seed);
  const fromMs = quietMs(trafficMs);
  const all = { random, sites, fromMs, lengthMs: trafficMs - fromMs };
  const common = helpingsOf(all).filter(
    ({ action }) => !(action.kind === 'kill' && action.victim === 'edge'),
  );
  return inOrder([...common, ...helpingsOf(all, reactionFaults)]);
}

/** The plan for uploads: the menu without the edge and an older release, sites that are away, and storages of objects that fail. */
export function makeObjectPlan({ seed, trafficMs, sites }: PlanOptions): readonly Episode[] {
  const all = { random: new Random(seed), sites, fromMs: 0, lengthMs: trafficMs };
  const common = helpingsOf(all).filter(
    ({ action }) => !(action.kind === 'kill' && action.victim === 'edge'),
  );
  return inOrder([...common, ...helpingsOf(all, objectFaults)]);
}

/**
 * The plan for a shop: nothing befalls it for a while, then the menu without the edge and an older release, with sites that are
 * away, purged queues of reactions, and a payment provider that fails in each of its ways.
 */
export function makeShopPlan({ seed, trafficMs, sites }: PlanOptions): readonly Episode[] {
  const fromMs = quietMs(trafficMs);
  const all = { random: new Random(seed), sites, fromMs, lengthMs: trafficMs - fromMs };
  const common = helpingsOf(all).filter(
    ({ action }) => !(action.kind === 'kill' && action.victim === 'edge'),
  );
  return inOrder([...common, ...helpingsOf(all, shopFaults)]);
}

/** How long the traffic of a service that reacts begins without faults: what its lag is without them. */
export function quietMs(trafficMs: number): number {
  return Math.min(QUIET_MS, trafficMs * 0.3);
}

function inOrder(episodes: Episode[]): Episode[] {
  return episodes.sort((a, b) => a.atMs - b.atMs);
}

/** The time in helpings, and the menu once in each. */
function helpingsOf(all: Helping, menu = serve): Episode[] {
  const helpings = Math.max(1, Math.round(all.lengthMs / HELPING_MS));
  const lengthMs = all.lengthMs / helpings;
  return Array.from({ length: helpings }, (_, index) => all.fromMs + index * lengthMs).flatMap((fromMs) =>
    menu({ ...all, fromMs, lengthMs }),
  );
}

/** Each queue is purged, and the provider fails in each of its ways. */
function reactionFaults(helping: Helping): Episode[] {
  const { random, sites } = helping;
  const faults = ['failing', 'silent', 'slow', 'down'] as const;
  return [
    ...sites.flatMap((site) => [
      lasting(helping, { share: 0.15, longestMs: 20_000 }, { kind: 'purge', site }),
      lasting(helping, { share: 0.1, longestMs: 15_000 }, { kind: 'purge', site }),
      lasting(helping, { share: 0.1, longestMs: 20_000 }, { kind: 'outage', site }),
    ]),
    ...random
      .shuffled(faults)
      .map((fault) => lasting(helping, { share: 0.15, longestMs: 30_000 }, { kind: 'provider', fault })),
  ];
}

/** The provider is away, late, loses answers after effect; its webhooks come doubled and out of order. */
function shopFaults(helping: Helping): Episode[] {
  const payments = (what: string, rules: readonly FaultRule[], share = 0.15): Episode =>
    lasting(helping, { share, longestMs: 60_000 }, { kind: 'payments', what, rules });
  return [
    ...helping.sites.flatMap((site) => [
      lasting(helping, { share: 0.1, longestMs: 20_000 }, { kind: 'outage', site }),
      lasting(helping, { share: 0.1, longestMs: 15_000 }, { kind: 'purge', site }),
    ]),
    payments('away', [{ kind: 'error' }], 0.25),
    payments('failing', [{ kind: 'error', probability: 0.4 }]),
    payments('answers lost', [{ kind: 'drop-ack', probability: 0.4 }]),
    payments('slow', [{ kind: 'latency', latencyMs: 3_000, probability: 0.5 }]),
    payments('webhooks doubled', [{ kind: 'duplicate', probability: 0.5 }], 0.4),
    payments('webhooks out of order', [{ kind: 'reorder', latencyMs: 5_000, probability: 0.5 }], 0.3),
  ];
}

/** Each storage fails in each of its ways, and each site is away. */
function objectFaults(helping: Helping): Episode[] {
  const { random, sites } = helping;
  return sites.flatMap((site) => [
    lasting(helping, { share: 0.1, longestMs: 30_000 }, { kind: 'outage', site }),
    ...OBJECTS_MENU.map(({ kind, service, rules }) =>
      lasting(helping, { share: 0.15, longestMs: 30_000 }, { kind, site, service, rules: rules(random) }),
    ),
  ]);
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
  const during = (share: number, longestMs: number, action: Action): Episode =>
    lasting(helping, { share, longestMs }, action);
  const skewMs = Math.min(SKEW_MAX_MS, Math.round(lengthMs * 0.4));
  const longMs = Math.min(LONG_PARTITION_MS, Math.round(lengthMs * 0.35));
  return [
    {
      atMs: Math.round(fromMs + random.between(0.05, 0.5) * lengthMs),
      forMs: longMs,
      action: { kind: 'partition', links: [there, back], cut: random.pick(['refused', 'stalled']) },
    },
    during(0.2, 40_000, { kind: 'partition', links: [there], cut: random.pick(['stalled', 'deaf']) }),
    during(0.2, 40_000, { kind: 'partition', links: [back], cut: random.pick(['stalled', 'deaf']) }),
    during(0.2, 40_000, { kind: 'slow link', links: [there, back], delayMs: 100 + random.int(400) }),
    ...sites.flatMap((site) => [
      during(0.15, 40_000, { kind: 'skew', site, offsetMs: skewMs - random.int(2_000) }),
      during(0.15, 40_000, { kind: 'skew', site, offsetMs: random.int(2_000) - skewMs }),
      ...MENU.map(({ kind, service, rules }) =>
        during(0.15, 30_000, { kind, site, service, rules: rules(random) }),
      ),
    ]),
  ];
}

/** Somewhere within the helping, for at most this share of it. */
function lasting(
  { random, fromMs, lengthMs }: Helping,
  { share, longestMs }: { readonly share: number; readonly longestMs: number },
  action: Action,
): Episode {
  const most = Math.min(lengthMs * share, longestMs);
  const forMs = Math.round(random.between(most / 2, most));
  return { atMs: Math.round(fromMs + random.between(0, lengthMs * 0.95 - forMs)), forMs, action };
}

interface Dish {
  readonly kind:
    'throttling' | 'lost answers' | 'latency' | 'duplicates' | 'reordering' | 'cut transfers' | 'other bytes';
  readonly service: FaultyService;
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

const OBJECTS_MENU: readonly Dish[] = [
  {
    kind: 'throttling',
    service: 'objects',
    rules: (random) => [{ kind: 'error', probability: chance(random) }],
  },
  {
    kind: 'lost answers',
    service: 'objects',
    rules: (random) => [{ kind: 'drop-ack', probability: chance(random) / 2 }],
  },
  {
    kind: 'latency',
    service: 'objects',
    rules: (random) => [{ kind: 'latency', latencyMs: 50 + random.int(300), probability: 0.3 }],
  },
  {
    kind: 'cut transfers',
    service: 'objects',
    rules: (random) => [{ kind: 'cut', probability: chance(random) }],
  },
  {
    kind: 'other bytes',
    service: 'objects',
    rules: (random) => [{ kind: 'corrupt', probability: chance(random) }],
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
    case 'outage':
      return `SIGKILL all of ${action.site}`;
    case 'purge':
      return `the queue of reactions of ${action.site} is purged`;
    case 'provider':
      return `the provider is ${action.fault}`;
    case 'payments':
      return `payments: ${action.what}`;
    case 'throttling':
    case 'lost answers':
    case 'latency':
    case 'duplicates':
    case 'reordering':
    case 'cut transfers':
    case 'other bytes': {
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
