/**
 * `npm run bench -- catch-up`: how long a site takes to send what it wrote while its peer was away, under the budgets of the
 * services, while live writes go on; compared with what those budgets cannot do without, and with the bridge itself.
 *
 * What live writes pass runs in this process; what sees to the backlog in another, as on both platforms no two functions
 * share an instance (`catch-up/recovery-main.ts`).
 *
 * A small run (`--keys 4000`) takes about two minutes, the 200,000 keys a quarter of an hour.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { commandLine, type Findings, report } from '@tandem-clouds/testkit/report/report';
import { Fixture } from './bridge/fixture.ts';
import { bundleFunctions } from './bridge/functions.ts';
import { OTHER, startTwoSites } from './bridge/two-sites.ts';
import { CatchUp, type Progress } from './catch-up/catch-up.ts';
import { figuresOf, notesOf, type Phase } from './catch-up/figures.ts';
import { Hops } from './catch-up/hops.ts';
import type { LiveWrites } from './catch-up/live.ts';
import { measureLoad } from './catch-up/load.ts';
import type { CatchUpOptions } from './catch-up/options.ts';
import { type Recovery, startRecovery } from './catch-up/recovery.ts';
import { BRIDGE_FUNCTIONS, type Feeds, startFeeds } from './catch-up/site-run.ts';
import { measureVirtually } from './catch-up/virtual/findings.ts';
import { CLOUDS, ROOT } from './service-bundles.ts';

/** Of the comparison with the bridge: enough that its first second, for which a budget is saved up, counts little. */
const BRIDGE_EVENTS_MAX = 4_000;

async function measure(options: CatchUpOptions, progress: Progress): Promise<Findings> {
  const { keys, from, livePerSecond, baselineSeconds, creditsPerSecond } = options;
  const bundles = await bundleFunctions(BRIDGE_FUNCTIONS, 'catch-up');
  const stack = await startTwoSites({ creditsPerSecond });
  const { sites } = stack;
  const fixture = new Fixture(sites);
  const hops = new Hops();
  const feeds: Feeds[] = [];
  let recovery: Recovery | undefined;
  try {
    recovery = startRecovery({ sites, bundles });
    for (const cloud of CLOUDS) {
      const watched = startFeeds(sites[cloud], bundles, ['forward', 'apply'], (name, handler) =>
        hops.watch(name, handler),
      );
      feeds.push(watched);
    }
    const bench = new CatchUp(sites, fixture, options);
    // Heartbeats cross: each site learns what the other understands.
    await recovery.sweep();
    await recovery.hold();
    const events = Math.min(keys, BRIDGE_EVENTS_MAX);
    progress(`the bridge by itself: ${events} events`);
    const bridge = await bench.bridgeRate('bridge', events);
    await bench.limit(true);
    const live = (): LiveWrites => bench.live(livePerSecond, hops);
    const baseline = async (run: string): Promise<Phase> => {
      progress(`live writes alone: ${baselineSeconds} s`);
      return sampled(live(), run, () => delay(baselineSeconds * 1_000));
    };
    await recovery.resume();
    const before = await baseline('before');
    const nowMs = Date.now();
    const backlog = { site: sites[from].site, peer: sites[OTHER[from]].site, keys, nowMs };
    progress(`a backlog of ${keys} keys`);
    await recovery.hold();
    await bench.limit(false);
    await bench.fill(backlog, progress);
    await bench.limit(true);
    progress('the peer is back');
    await recovery.resume();
    const { failed } = recovery;
    const spentBefore = await bench.spent();
    let tookMs = 0;
    const during = await sampled(live(), 'during', async () => {
      const arrived = bench.untilArrived(() => bench.isSent(nowMs - 30_000), progress);
      tookMs = await Promise.race([arrived, failed]);
    });
    const spent = (await bench.spent()) - spentBefore;
    const after = await baseline('after');
    const dead = await bench.deadLetters();
    await bench.limit(false);
    progress('every key is checked at both sites');
    await bench.checkArrived(backlog);
    return {
      figures: figuresOf(options, { tookMs, spent, dead, bridge, alone: [before, after], during }),
      notes: notesOf(options),
    };
  } finally {
    await recovery?.stop();
    await Promise.all(feeds.map((one) => one.stop()));
    await fixture.close();
    await stack.close();
  }
}

async function sampled(live: LiveWrites, run: string, work: () => Promise<unknown>): Promise<Phase> {
  const measured = measureLoad();
  live.start(run);
  await work();
  const samples = await live.stop();
  return { live: samples, load: measured() };
}

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
  requestUnits,
  credits,
  virtual,
  json,
}: {
  readonly from: CatchUpOptions['from'];
  readonly keys: number;
  readonly live: number;
  readonly baseline: number;
  readonly requestUnits: number;
  readonly credits: number;
  readonly virtual: boolean;
  readonly json: boolean;
}): Promise<number> {
  const options: CatchUpOptions = {
    from,
    keys,
    livePerSecond: live,
    baselineSeconds: baseline,
    unitsPerSecond: requestUnits,
    creditsPerSecond: credits,
  };
  return report(
    {
      title: `Catch-up: a backlog of ${keys} keys from ${from}, under budgets${virtual ? ', on virtual time' : ''}`,
      json,
      command: commandLine(process.argv, ROOT),
    },
    (progress) =>
      quietly(() => (virtual ? measureVirtually({ ...options, seed: 1 }) : measure(options, progress))),
  );
}
