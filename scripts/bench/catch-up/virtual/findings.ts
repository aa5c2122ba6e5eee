/** What a catch-up on virtual time found, as figures. */
import { sweepPageSize, sweepWidthMax } from '@tandem-clouds/replication/bounds';
import { type Figure, figure, type Findings } from '@tandem-clouds/testkit/report/report';
import { percentile } from '@tandem-clouds/testkit/report/statistics';
import { LAG_FACTOR_MAX } from '../aims.ts';
import { backlogUnits } from '../backlog.ts';
import { runVirtually, type VirtualFindings, type VirtualRun } from './run.ts';

const PAGE = sweepPageSize * sweepWidthMax;

export async function measureVirtually(options: VirtualRun): Promise<Findings> {
  return { figures: figuresOf(options, await runVirtually(options)), notes: NOTES };
}

function figuresOf({ keys, from, unitsPerSecond }: VirtualRun, found: VirtualFindings): Figure[] {
  const { tookMs, spent, refused, dead, missing, alone, during } = found;
  const seconds = tookMs / 1_000;
  const floor = backlogUnits({ keys, from, pageSize: PAGE }) / unitsPerSecond;
  const p99 = (samples: readonly number[]): number => percentile(samples, 0.99);
  return [
    figure('keys', keys, ''),
    figure('time until all had arrived', seconds, 's'),
    figure('floor by request units', floor, 's'),
    figure('time / floor', seconds / floor, '×'),
    figure('request units used, live writes included', spent, 'RU'),
    figure('operations that were throttled', refused, ''),
    figure('rate', keys / seconds, 'keys/s'),
    figure('keys that did not arrive', missing, '', { exactly: 0 }),
    figure('dead letters', dead, '', { exactly: 0 }),
    figure('live writes that failed', alone.failed + during.failed, '', { exactly: 0 }),
    figure('live writes alone, p99', p99(alone.writeMs), 'ms'),
    figure('live writes meanwhile, p99', p99(during.writeMs), 'ms'),
    figure('lag alone, p50', percentile(alone.lagMs, 0.5), 'ms'),
    figure('lag alone, p99', p99(alone.lagMs), 'ms'),
    figure('lag meanwhile, p50', percentile(during.lagMs, 0.5), 'ms'),
    figure('lag meanwhile, p99', p99(during.lagMs), 'ms'),
    figure('lag meanwhile / alone, p99', p99(during.lagMs) / p99(alone.lagMs), '×', {
      atMost: LAG_FACTOR_MAX,
    }),
  ];
}

const NOTES = [
  "the product's protocols, pauses and bounds under the emulators' budgets, on virtual time: a request takes 4 to 12 ms " +
    'and no computation takes any, so no figure depends on this machine',
  'DynamoDB and SQS have no budget; the time includes the wait for the first tick of the sweeper',
];
