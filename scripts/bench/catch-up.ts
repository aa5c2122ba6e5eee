/**
 * `npm run bench -- catch-up`: how long a site takes to send what it wrote while its peer was away, under the budgets of the
 * services, while live writes go on; compared with what those budgets cannot do without, and with the bridge itself.
 *
 * A small run (`--keys 4000`) takes under two minutes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { chunk } from '@tandem-clouds/replication/chunk';
import { sweepPageSize, sweepWidthMax } from '@tandem-clouds/replication/bounds';
import { eventOf } from '@tandem-clouds/replication/event';
import { messageOf } from '@tandem-clouds/replication/message';
import { BUDGET_PATH } from '@tandem-clouds/emulators/core/budget';
import { bundleFunctions } from './bridge/functions.ts';
import { Fixture } from './bridge/fixture.ts';
import { OTHER, startTwoSites, type BenchSite, type BenchSites } from './bridge/two-sites.ts';
import { backlogRecord, unitsOf, unitsOfIndex, type BacklogOptions } from './catch-up/backlog.ts';
import { LiveWrites, type LiveSamples } from './catch-up/live.ts';
import { BRIDGE_FUNCTIONS, startSite, type SiteRun } from './catch-up/site-run.ts';
import {
  commandLine,
  figure,
  report,
  type Figure,
  type Findings,
} from '@tandem-clouds/testkit/report/report';
import { ROOT, type CloudName } from './service-bundles.ts';
import { percentile } from '@tandem-clouds/testkit/report/statistics';

/** Of a serverless container. https://learn.microsoft.com/azure/cosmos-db/serverless-performance */
const REQUEST_UNITS_PER_SECOND = 5_000;
/**
 * Of a namespace in the Standard tier, which the emulator has by default: a credit for each message that is sent and
 * one for each that is received. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-throttling
 */
const CREDITS_PER_SECOND = 1_000;
const CREDITS_PER_EVENT = 2;
/** Events of the comparison with the bridge: enough that its first second, for which a budget is saved up, counts little. */
const BRIDGE_EVENTS = 4_000;
const BRIDGE_SHARE_MIN = 0.8;
const LAG_FACTOR_MAX = 2;
const FILL_AT_ONCE = 2_000;
const POLL_MS = 250;
/** Longer than any backlog of this size takes: then something stands still. */
const GIVE_UP_MS = 60 * 60_000;

interface Options {
  readonly keys: number;
  readonly from: CloudName;
  readonly livePerSecond: number;
  readonly baselineSeconds: number;
}

class CatchUp {
  readonly #sites: BenchSites;
  readonly #fixture: Fixture;
  readonly #from: BenchSite;
  readonly #to: BenchSite;

  constructor(sites: BenchSites, fixture: Fixture, from: CloudName) {
    this.#sites = sites;
    this.#fixture = fixture;
    this.#from = sites[from];
    this.#to = sites[OTHER[from]];
  }

  /** Request units a second of Cosmos DB, or none. */
  async limit(perSecond: number | null): Promise<void> {
    const url = `${trimmed(this.#sites.azure.control.store)}${BUDGET_PATH}`;
    const answer = await fetch(url, { method: 'PUT', body: JSON.stringify({ perSecond }) });
    if (!answer.ok) throw new Error(`the budget was not set: HTTP ${answer.status}`);
  }

  /** Request units that were used since the start. */
  async spent(): Promise<number> {
    const answer = await fetch(`${trimmed(this.#sites.azure.control.store)}${BUDGET_PATH}`);
    return ((await answer.json()) as { spent: number }).spent;
  }

  async fill(options: BacklogOptions): Promise<void> {
    for (let first = 0; first < options.keys; first += FILL_AT_ONCE) {
      const count = Math.min(FILL_AT_ONCE, options.keys - first);
      const records = Array.from({ length: count }, (_, i) => backlogRecord(first + i, options));
      await this.#fixture.fill(this.#from.cloud, { bodies: [], records });
    }
  }

  live(perSecond: number): LiveWrites {
    return new LiveWrites({
      at: this.#fixture.replica(this.#from.cloud),
      other: this.#fixture.replica(this.#to.cloud),
      perSecond,
    });
  }

  /** Waits until nothing waits in a queue of the receiving site, and `isSent`. Returns milliseconds. */
  async untilArrived(isSent: () => Promise<boolean>): Promise<number> {
    const begun = performance.now();
    for (;;) {
      if ((await isSent()) && (await this.#waiting()) === 0) return performance.now() - begun;
      if (performance.now() - begun > GIVE_UP_MS) throw new Error('the backlog does not end');
      await delay(POLL_MS);
    }
  }

  /** Whether no key of the backlog is left; live writes are never pending for long. */
  async isSent(beforeMs: number): Promise<boolean> {
    const { store } = this.#fixture.site(this.#from.cloud);
    return (await store.pending(beforeMs, 1).catch(() => [undefined])).length === 0;
  }

  async deadLetters(): Promise<number> {
    const counts = await Promise.all([this.#from, this.#to].map((site) => messagesOf(site, ['tandem-dead'])));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** @throws Error when one did not arrive as it was written. */
  async checkArrived(options: BacklogOptions): Promise<void> {
    const all = Array.from({ length: options.keys }, (_, n) => n);
    for (const some of chunk(all, FILL_AT_ONCE)) {
      const records = some.map((n) => backlogRecord(n, options));
      await this.#fixture.checkArrived(this.#to.cloud, records);
      const left = await this.#fixture.markersLeft(this.#from.cloud, records);
      if (left > 0) throw new Error(`${left} markers are left`);
    }
  }

  /** Events a second that `forward` and `apply` take across, one message each. */
  async bridgeRate(run: string): Promise<number> {
    const nowMs = Date.now();
    const options = { site: this.#from.site, peer: this.#to.site, keys: BRIDGE_EVENTS, nowMs };
    // Of the same sizes, written just now: the sweeper leaves them alone.
    const records = Array.from({ length: BRIDGE_EVENTS }, (_, n) => ({
      ...backlogRecord(n, options),
      key: `item:${run}-${n}`,
      pendingSince: nowMs + 30_000,
    }));
    const bodies = records.map((record) => messageOf(eventOf(record, { source: options.site, nowMs })).body);
    await this.limit(null);
    await this.#fixture.fill(this.#from.cloud, { bodies: [], records });
    await this.limit(REQUEST_UNITS_PER_SECOND);
    const begun = performance.now();
    await this.#fixture.fill(this.#from.cloud, { bodies, records: [] });
    await this.untilArrived(async () => (await messagesOf(this.#from, ['tandem-out'])) === 0);
    const rate = (BRIDGE_EVENTS * 1_000) / (performance.now() - begun);
    await this.limit(null);
    await this.#fixture.checkArrived(this.#to.cloud, records);
    return rate;
  }

  #waiting(): Promise<number> {
    return messagesOf(this.#to, ['tandem-in', 'tandem-verify']);
  }
}

const trimmed = (url: string): string => url.replace(/\/$/, '');

/** Messages in queues of a site, whatever their state, by the emulator's own count. */
async function messagesOf({ control }: BenchSite, names: readonly string[]): Promise<number> {
  const answer = await fetch(`${trimmed(control.queues)}/_tandem/queues`);
  const queues = (await answer.json()) as Record<string, Record<string, unknown>>;
  const states = ['visible', 'inFlight', 'delayed', 'active', 'locked', 'scheduled', 'deadLettered'];
  return names
    .flatMap((name) => states.map((state) => queues[name]?.[state]))
    .reduce((sum: number, count) => sum + (typeof count === 'number' ? count : 0), 0);
}

async function measure(options: Options, progress: (line: string) => void): Promise<Findings> {
  const { keys, from, livePerSecond, baselineSeconds } = options;
  const bundles = await bundleFunctions(BRIDGE_FUNCTIONS, 'catch-up');
  const stack = await startTwoSites();
  const { sites } = stack;
  const fixture = new Fixture(sites);
  const runs: SiteRun[] = [];
  try {
    runs.push(startSite(sites.aws, bundles), startSite(sites.azure, bundles));
    const bench = new CatchUp(sites, fixture, from);
    // Heartbeats cross: each site learns what the other understands.
    for (const run of runs) await run.sweep();
    progress(`the bridge by itself: ${BRIDGE_EVENTS} events`);
    const bridge = await bench.bridgeRate('bridge');
    await bench.limit(REQUEST_UNITS_PER_SECOND);
    progress(`live writes alone: ${baselineSeconds} s`);
    const alone = await sampled(bench.live(livePerSecond), 'alone', () => delay(baselineSeconds * 1_000));
    const nowMs = Date.now();
    const backlog = { site: sites[from].site, peer: sites[OTHER[from]].site, keys, nowMs };
    progress(`a backlog of ${keys} keys`);
    await Promise.all(runs.map((run) => run.hold()));
    await bench.limit(null);
    await bench.fill(backlog);
    await bench.limit(REQUEST_UNITS_PER_SECOND);
    for (const run of runs) run.resume();
    const spentBefore = await bench.spent();
    let tookMs = 0;
    const during = await sampled(bench.live(livePerSecond), 'during', async () => {
      tookMs = await bench.untilArrived(() => bench.isSent(nowMs - 30_000));
    });
    const spent = (await bench.spent()) - spentBefore;
    const dead = await bench.deadLetters();
    await bench.limit(null);
    await bench.checkArrived(backlog);
    return {
      figures: figuresOf(options, { tookMs, spent, dead, bridge, alone, during, backlog }),
      notes: NOTES,
    };
  } finally {
    await Promise.all(runs.map((run) => run.stop()));
    await fixture.close();
    await stack.close();
  }
}

async function sampled(live: LiveWrites, run: string, work: () => Promise<unknown>): Promise<LiveSamples> {
  live.start(run);
  await work();
  return live.stop();
}

interface Measured {
  readonly tookMs: number;
  readonly spent: number;
  readonly dead: number;
  readonly bridge: number;
  readonly alone: LiveSamples;
  readonly during: LiveSamples;
  readonly backlog: BacklogOptions;
}

function figuresOf({ keys, from }: Options, measured: Measured): Figure[] {
  const { tookMs, spent, dead, bridge, alone, during, backlog } = measured;
  const role = from === 'aws' ? 'receives' : 'wrote';
  let needed = from === 'aws' ? 0 : unitsOfIndex(keys, sweepPageSize * sweepWidthMax);
  for (let n = 0; n < keys; n += 1) needed += unitsOf(backlogRecord(n, backlog), role);
  const seconds = tookMs / 1_000;
  const floor = needed / REQUEST_UNITS_PER_SECOND;
  const rate = keys / seconds;
  const p99 = (samples: readonly number[]): number => percentile(samples, 0.99);
  const lagFactor = p99(during.lagMs) / p99(alone.lagMs);
  return [
    figure('keys', keys, ''),
    figure('time until all had arrived', seconds, 's'),
    figure('floor by request units', floor, 's'),
    figure('time / floor', seconds / floor, '×'),
    figure('floor by credits, one message a key', (keys * CREDITS_PER_EVENT) / CREDITS_PER_SECOND, 's'),
    figure('request units used, live writes included', spent, 'RU'),
    figure('rate', rate, 'keys/s'),
    figure('rate of the bridge itself', bridge, 'events/s'),
    figure('rate / bridge', rate / bridge, '×', { atLeast: BRIDGE_SHARE_MIN }),
    figure('live writes alone, p50', percentile(alone.writeMs, 0.5), 'ms'),
    figure('live writes alone, p99', p99(alone.writeMs), 'ms'),
    figure('live writes meanwhile, p50', percentile(during.writeMs, 0.5), 'ms'),
    figure('live writes meanwhile, p99', p99(during.writeMs), 'ms'),
    figure('live writes that failed', alone.failed + during.failed, '', { exactly: 0 }),
    figure('lag alone, p50', percentile(alone.lagMs, 0.5), 'ms'),
    figure('lag alone, p99', p99(alone.lagMs), 'ms'),
    figure('lag meanwhile, p50', percentile(during.lagMs, 0.5), 'ms'),
    figure('lag meanwhile, p99', p99(during.lagMs), 'ms'),
    figure('lag meanwhile / alone, p99', lagFactor, '×', { atMost: LAG_FACTOR_MAX }),
    figure('dead letters', dead, '', { exactly: 0 }),
  ];
}

const NOTES = [
  `Cosmos DB grants ${REQUEST_UNITS_PER_SECOND} request units a second and Service Bus ${CREDITS_PER_SECOND} credits, by their ` +
    'emulators; DynamoDB and SQS have no budget here',
  'keys were written over an hour: 95 % of about 1 kB, 5 % of about 10 kB, one in a thousand of 100 kB; every key is ' +
    'checked at the end, at both sites',
  'the floor is what the writes and reads of the backlog alone cost at Cosmos DB; live writes, heartbeats, queries, and ' +
    'what is asked for again come on top',
  'lag: from the call of a write to when it can be read at the other site, polled every 20 ms for one in five',
  'the bridge itself: as many events of the same sizes through forward and apply, one message each',
  'the sweeper ticks every 10 s on AWS and every 30 s on Azure; the time begins before its first tick after the filling',
];

/** The functions write their logs and metrics to the standard output, which is the report's. */
async function quietly<Result>(run: () => Promise<Result>): Promise<Result> {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  try {
    return await run();
  } finally {
    process.stdout.write = write;
  }
}

/** `from` is a cloud, `live` writes a second, `baseline` seconds without a backlog. */
export async function benchCatchUp({
  from,
  keys,
  live,
  baseline,
  json,
}: {
  readonly from: Options['from'];
  readonly keys: number;
  readonly live: number;
  readonly baseline: number;
  readonly json: boolean;
}): Promise<number> {
  const options: Options = { from, keys, livePerSecond: live, baselineSeconds: baseline };
  return report(
    {
      title: `Catch-up: a backlog of ${keys} keys from ${from}, under budgets`,
      json,
      command: commandLine(process.argv, ROOT),
    },
    (progress) => quietly(() => measure(options, progress)),
  );
}
