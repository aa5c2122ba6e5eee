/**
 * A catch-up on virtual time: the product's protocols and pauses under the emulators' budgets, and no processor. So what
 * live writes wait for here is what the algorithms let them wait for, whatever this machine does beside.
 */
import { Budget } from '@tandem-clouds/emulators/core/budget';
import { Credits } from '@tandem-clouds/emulators/service-bus/credits';
import { Random } from '@tandem-clouds/testkit/random';
import type { CloudName } from '../../service-bundles.ts';
import { backlogRecord } from '../backlog.ts';
import { VirtualSite, type VirtualSiteOptions } from './virtual-site.ts';
import { VirtualTime } from './virtual-time.ts';

export interface VirtualRun {
  readonly keys: number;
  readonly from: CloudName;
  readonly livePerSecond: number;
  readonly baselineSeconds: number;
  /** Of Cosmos DB. */
  readonly unitsPerSecond: number;
  /** Of Service Bus. */
  readonly creditsPerSecond: number;
  readonly seed: number;
  /** False: the backlog goes through the inbound queue, message by message, as it did before there were packs. */
  readonly packs?: boolean;
}

export interface VirtualSamples {
  /** Milliseconds until a write was acknowledged. */
  readonly writeMs: readonly number[];
  /** Until it could be read at the other site. */
  readonly lagMs: readonly number[];
  readonly failed: number;
}

export interface VirtualFindings {
  readonly tookMs: number;
  readonly spent: number;
  readonly refused: number;
  readonly dead: number;
  /** Keys of the backlog that are not at the other site, or still carry a marker. */
  readonly missing: number;
  readonly alone: VirtualSamples;
  readonly during: VirtualSamples;
}

const SITES = { aws: 'aws-us-east-1', azure: 'azure-eastus' } as const;
const OTHER = { aws: 'azure', azure: 'aws' } as const;
const POLL_MS = 20;
const CHECK_EVERY_MS = 250;
const FILLING = 'x'.repeat(700);
/** Of half the way of a request, in milliseconds. */
const LATENCY = { least: 2, most: 6 } as const;

export async function runVirtually(options: VirtualRun): Promise<VirtualFindings> {
  const { keys, from, baselineSeconds, unitsPerSecond, creditsPerSecond, seed, packs = true } = options;
  const random = new Random(seed, 'catch-up');
  const time = new VirtualTime(Date.UTC(2026, 0, 1));
  const { now, sleep } = time;
  const units = new Budget({ perSecond: unitsPerSecond, now });
  const open = (
    cloud: CloudName,
    own: Pick<VirtualSiteOptions, 'budget' | 'credits' | 'peer'>,
  ): VirtualSite =>
    new VirtualSite({
      ...own,
      name: SITES[cloud],
      cloud,
      time,
      latencyMs: () => LATENCY.least + random.next() * (LATENCY.most - LATENCY.least),
      peerName: SITES[OTHER[cloud]],
      packs,
    });
  const sites: Record<CloudName, VirtualSite> = {
    aws: open('aws', {
      budget: new Budget({ perSecond: undefined, now }),
      credits: undefined,
      peer: () => sites.azure,
    }),
    azure: open('azure', {
      budget: units,
      credits: new Credits({ perSecond: creditsPerSecond, now }),
      peer: () => sites.aws,
    }),
  };
  const at = sites[from];
  const other = sites[OTHER[from]];
  const ending = { isOver: false, error: undefined as unknown };
  const work = async (): Promise<VirtualFindings> => {
    for (const site of [at, other]) await site.beat();
    await sleep(1_000);
    for (const site of [at, other]) void site.tick();
    const live = (run: string, until: () => Promise<unknown>): Promise<VirtualSamples> =>
      writeLive({ at, other, time, run, perSecond: options.livePerSecond, random }, until);
    const alone = await live('alone', () => sleep(baselineSeconds * 1_000));
    const nowMs = now();
    const backlog = { site: SITES[from], peer: SITES[OTHER[from]], keys, nowMs };
    for (let n = 0; n < keys; n += 1) at.data.set(backlogRecord(n, backlog));
    for (const site of [at, other]) site.isHeld = false;
    const before = units.totals;
    let tookMs = 0;
    const during = await live('during', async () => {
      // Live writes are never pending for long: what is left is younger than the backlog.
      const isSent = (): boolean => at.data.pending(nowMs - 30_000, 1, undefined).length === 0;
      while (!isSent() || other.in.count > 0 || other.verify.count > 0) await sleep(CHECK_EVERY_MS);
      tookMs = now() - nowMs;
    });
    let missing = 0;
    for (let n = 0; n < keys; n += 1) {
      const { key, version } = backlogRecord(n, backlog);
      const left = Object.keys(at.data.get(key)?.record.pending ?? {}).length;
      const held = JSON.stringify(other.data.get(key)?.record.state ?? null);
      if (left > 0 || !held.includes(version ?? '?')) missing += 1;
    }
    const { spent, refused } = units.totals;
    const queues = [at, other].flatMap((site) => [site.out, site.in, site.verify]);
    return {
      tookMs,
      spent: spent - before.spent,
      refused: refused - before.refused,
      dead: queues.reduce((sum, queue) => sum + queue.dead, 0),
      missing,
      alone,
      during,
    };
  };
  const done = work().finally(() => (ending.isOver = true));
  done.catch(() => undefined);
  await time.run(() => ending.isOver);
  return done;
}

interface LiveOptions {
  readonly at: VirtualSite;
  readonly other: VirtualSite;
  readonly time: VirtualTime;
  readonly run: string;
  readonly perSecond: number;
  readonly random: Random;
}

async function writeLive(
  { at, other, time, run, perSecond, random }: LiveOptions,
  until: () => Promise<unknown>,
): Promise<VirtualSamples> {
  const writeMs: number[] = [];
  const lagMs: number[] = [];
  const calls: Promise<void>[] = [];
  let failed = 0;
  const one = async (key: string): Promise<void> => {
    const beganMs = time.now();
    try {
      await at.write(key, key, FILLING);
    } catch {
      failed += 1;
      return;
    }
    writeMs.push(time.now() - beganMs);
    while (!(await other.isReadable(key).catch(() => false))) await time.sleep(POLL_MS);
    lagMs.push(time.now() - beganMs);
  };
  const state = { isOver: false };
  const writing = (async () => {
    for (let n = 0; !state.isOver; n += 1) {
      calls.push(one(`item:live-${run}-${n}`));
      // As independent clients write: not at every tenth of a second.
      await time.sleep((-Math.log(1 - random.next()) * 1_000) / perSecond);
    }
  })();
  await until();
  state.isOver = true;
  await writing;
  await Promise.all(calls);
  return { writeMs, lagMs, failed };
}
