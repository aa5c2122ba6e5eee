/** What a catch-up on this machine found, as figures. */
import { sweepPageSize, sweepWidthMax } from '@tandem-clouds/replication/bounds';
import { type Figure, figure } from '@tandem-clouds/testkit/report/report';
import { percentile } from '@tandem-clouds/testkit/report/statistics';
import { LAG_FACTOR_MAX } from './aims.ts';
import { backlogUnits } from './backlog.ts';
import { type Hop, HOPS, type LiveSamples } from './live.ts';
import type { Load } from './load.ts';
import type { CatchUpOptions } from './options.ts';

const CREDITS_PER_EVENT = 2;
const BRIDGE_SHARE_MIN = 0.8;

/** Live writes over some time, and what the machine did meanwhile. */
export interface Phase {
  readonly live: LiveSamples;
  readonly load: Load;
}

export interface Measured {
  readonly tookMs: number;
  readonly spent: number;
  readonly dead: number;
  readonly bridge: number;
  /** Before the backlog and after it: what else this machine does changes. */
  readonly alone: readonly Phase[];
  readonly during: Phase;
}

const p99 = (samples: readonly number[]): number => percentile(samples, 0.99);

export function figuresOf(options: CatchUpOptions, measured: Measured): Figure[] {
  const { keys, from, unitsPerSecond, creditsPerSecond } = options;
  const { tookMs, spent, dead, bridge, alone, during } = measured;
  const seconds = tookMs / 1_000;
  const floor = backlogUnits({ keys, from, pageSize: sweepPageSize * sweepWidthMax }) / unitsPerSecond;
  const rate = keys / seconds;
  const failed = [...alone, during].reduce((sum, { live }) => sum + live.failed, 0);
  return [
    figure('keys', keys, ''),
    figure('time until all had arrived', seconds, 's'),
    figure('floor by request units', floor, 's'),
    figure('time / floor', seconds / floor, '×'),
    figure('floor by credits, one message a key', (keys * CREDITS_PER_EVENT) / creditsPerSecond, 's'),
    figure('request units used, live writes included', spent, 'RU'),
    figure('rate', rate, 'keys/s'),
    figure('rate of the bridge itself', bridge, 'events/s'),
    figure('rate / bridge', rate / bridge, '×', { atLeast: BRIDGE_SHARE_MIN }),
    figure('dead letters', dead, '', { exactly: 0 }),
    figure('live writes that failed', failed, '', { exactly: 0 }),
    ...liveFigures(alone, during),
  ];
}

function liveFigures(alone: readonly Phase[], during: Phase): Figure[] {
  const calm = alone.map(({ live }) => live);
  const busy = during.live;
  const writes = calm.flatMap(({ writeMs }) => writeMs);
  const lags = calm.flatMap(({ lagMs }) => lagMs);
  const hop = (samples: readonly LiveSamples[], name: Hop): number[] =>
    samples.flatMap(({ hops }) => hops.map((sample) => sample[name]));
  return [
    figure('live writes alone, p50', percentile(writes, 0.5), 'ms'),
    figure('live writes alone, p99', p99(writes), 'ms'),
    figure('live writes meanwhile, p50', percentile(busy.writeMs, 0.5), 'ms'),
    figure('live writes meanwhile, p99', p99(busy.writeMs), 'ms'),
    figure('lag alone, p50', percentile(lags, 0.5), 'ms'),
    figure('lag alone, p99', p99(lags), 'ms'),
    figure('lag meanwhile, p50', percentile(busy.lagMs, 0.5), 'ms'),
    figure('lag meanwhile, p99', p99(busy.lagMs), 'ms'),
    figure('lag meanwhile / alone, p99', p99(busy.lagMs) / p99(lags), '×', { atMost: LAG_FACTOR_MAX }),
    ...HOPS.flatMap((name) => [
      figure(`hop ${name}, p50 alone`, percentile(hop(calm, name), 0.5), 'ms'),
      figure(`hop ${name}, p50 meanwhile`, percentile(hop([busy], name), 0.5), 'ms'),
      figure(`hop ${name}, p99 alone`, p99(hop(calm, name)), 'ms'),
      figure(`hop ${name}, p99 meanwhile`, p99(hop([busy], name)), 'ms'),
    ]),
    figure('live writes that a function took up again', busy.repeats, ''),
    figure('processors busy, before and after', mean(alone.map(({ load }) => load.busy)), 'of 1'),
    figure('processors busy, meanwhile', during.load.busy, 'of 1'),
    figure('timers late, p99 alone', mean(alone.map(({ load }) => load.loopDelayP99Ms)), 'ms'),
    figure('timers late, p99 meanwhile', during.load.loopDelayP99Ms, 'ms'),
  ];
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export const notesOf = ({ unitsPerSecond, creditsPerSecond }: CatchUpOptions): string[] => [
  `Cosmos DB grants ${unitsPerSecond} request units a second and Service Bus ${creditsPerSecond} credits, by their ` +
    'emulators; DynamoDB and SQS have no budget here',
  'keys were written over an hour: 95 % of about 1 kB, 5 % of about 10 kB, one in a thousand of 100 kB; their records ' +
    'are put into the store with their markers, as writes would have left them; every key is checked at the end, at ' +
    'both sites',
  'the floor is what the writes and reads of the backlog alone cost at Cosmos DB; live writes, heartbeats, queries, and ' +
    'what is asked for again come on top',
  'lag: from when a write was due to when it could be read at the other site; alone: before the backlog and after it',
  'hops: until the write was acknowledged; in the outbound queue; forward and the inbound queue; apply; until it was read',
  'the bridge itself: as many events of the same sizes through forward and apply, one message each',
  'the sweeper ticks every 10 s on AWS and every 30 s on Azure; the time begins before its first tick after the filling',
];
