/**
 * One site is lost for good, with changes that it has not acted on: the survivor is fenced off from it and takes them over, by
 * the command that operators have.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { checkTokens } from '../../checkers/judge.ts';
import { checkReacted } from '../../checkers/reacted.ts';
import { ROOT } from '../../cluster/project-copy.ts';
import { depths, redrive } from '../../cluster/queues.ts';
import type { TestCluster } from '../../cluster/test-cluster.ts';
import type { Attempt } from '../../history/client-log.ts';
import type { Finding, Snapshot } from '../../history/facts.ts';
import { changesOf, type Reacted, REACTION } from '../../history/reacted.ts';
import { Clients } from '../../load/clients.ts';
import { whatMovesAt } from '../../observe/converge.ts';
import type { Random } from '../../random.ts';
import { chooseParcel } from './changes.ts';
import { heldAt, parcelsAt, waitsFor } from './look.ts';
import type { Provider } from './provider.ts';
import { until } from './until.ts';

const DRAINED_WITHIN_MS = 120_000;
const REACTED_WITHIN_MS = 240_000;
const QUIET_WITHIN_MS = 180_000;
/** Share of the burst after which the provider does nothing for the site that will be lost. */
const UNHEARD_FROM = 0.6;

export interface LossOptions {
  readonly random: Random;
  /** Changes a second, at each site. */
  readonly rate: number;
  readonly burstMs: number;
  readonly provider: Provider;
  /** Of all before. */
  readonly log: readonly Attempt[];
  readonly progress: (line: string) => void;
}

export interface TakeOver {
  readonly log: readonly Attempt[];
  readonly lost: string;
  readonly survivor: string;
  /** Changes that were acknowledged in the burst, and those of them that went with their cloud. */
  readonly acknowledged: number;
  readonly gone: number;
  /** Records whose condition the lost site had made true and not acted on, before the command. */
  readonly left: number;
  /** What the command said that it had set, the first time and once all had been done. */
  readonly set: number;
  readonly setAgain: number;
  readonly reactedMs: number | undefined;
  /** Of the survivor, in the end. */
  readonly reacted: Reacted;
  readonly findings: readonly Finding[];
}

/** Loses the first site under load, has the second one take over, and judges what that one holds. */
export async function loseSite(cluster: TestCluster, options: LossOptions): Promise<TakeOver> {
  const { provider, progress, log: before } = options;
  const [lost, survivor] = cluster.sites;
  const { log, stop } = await untilLost(cluster, options);
  progress(`${lost} and its data are gone; ${survivor} is fenced off`);
  await cluster.fence(survivor, lost);
  const drainedMs = await until(() => whatComesIn(cluster, survivor), {
    withinMs: DRAINED_WITHIN_MS,
    progress,
  });
  if (drainedMs === undefined) throw new Error(`${survivor} does not apply what had been sent to it`);
  const all = (): Attempt[] => [...before, ...log];
  const look = async (): Promise<{ snapshot: Snapshot; reacted: Reacted }> => {
    const snapshot = await parcelsAt(cluster, [survivor], all());
    return {
      snapshot,
      reacted: { changes: changesOf(all()), calls: provider.calls, held: heldAt(snapshot) },
    };
  };
  const left = leftBy(lost, (await look()).reacted);
  const set = await takeOver(cluster, lost, survivor);
  progress(`${survivor} takes over ${set} of ${left}`);
  await stop();
  const reactedMs = await until(async () => waitsFor((await look()).reacted), {
    withinMs: REACTED_WITHIN_MS,
    progress,
  });
  const quietMs = await until(() => whatMovesAt(cluster, survivor), { withinMs: QUIET_WITHIN_MS, progress });
  const setAgain = await takeOver(cluster, lost, survivor);
  const { snapshot, reacted } = await look();
  const isGone = (attempt: Attempt): boolean => checkTokens([attempt], snapshot).length > 0;
  const acknowledged = log.filter(({ result }) => result === 'acknowledged');
  return {
    log,
    lost,
    survivor,
    acknowledged: acknowledged.length,
    gone: acknowledged.filter((attempt) => attempt.site === lost && isGone(attempt)).length,
    left,
    set,
    setAgain,
    reactedMs,
    reacted,
    findings: [
      ...checkReacted(reacted),
      ...(quietMs === undefined
        ? [{ invariant: '12 messages', detail: `${survivor} still has messages` }]
        : []),
      ...checkTokens([...before, ...log.filter(({ site }) => site === survivor)], snapshot),
    ],
  };
}

/** Clients at both sites; those of the survivor go on until they are stopped. */
async function untilLost(
  cluster: TestCluster,
  { random, rate, burstMs, provider }: LossOptions,
): Promise<{ log: readonly Attempt[]; stop: () => Promise<void> }> {
  const [lost, survivor] = cluster.sites;
  const log: Attempt[] = [];
  const ends = { [lost]: false, [survivor]: false };
  const working = [lost, survivor].map((site) => {
    const { url } = cluster.site(site);
    const clients = new Clients({
      random,
      endpoints: [{ name: site, url }],
      log,
      name: site === lost ? 'l' : 's',
      durableShare: 0,
      chooseWrite: chooseParcel(random),
    });
    return clients.work(
      () => rate,
      () => ends[site] === true,
    );
  });
  await sleep(burstMs * UNHEARD_FROM);
  const heard = provider.impose('down', lost);
  await sleep(burstMs * (1 - UNHEARD_FROM));
  await cluster.lose(lost);
  ends[lost] = true;
  heard();
  return {
    log,
    stop: async () => {
      ends[survivor] = true;
      await Promise.all(working);
    },
  };
}

/** Undefined when all that was sent to a site is applied. */
async function whatComesIn(cluster: TestCluster, site: string): Promise<string | undefined> {
  const { in: inbound, dead } = await depths(cluster.site(site));
  if (dead > 0) await redrive(cluster.site(site));
  return inbound + dead === 0 ? undefined : `${site} has ${inbound} in, ${dead} dead letters`;
}

function leftBy(lost: string, { held }: Reacted): number {
  return [...held.values()]
    .flat()
    .filter(
      ({ origin, change, told, entries }) =>
        origin === lost && change !== told && entries[REACTION]?.parked === undefined,
    ).length;
}

/** `tandem reactions take-over`, as an operator types it. Returns how many it set. @throws Error with what it printed */
async function takeOver(cluster: TestCluster, lost: string, survivor: string): Promise<number> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      path.join(ROOT, 'scripts/tandem.ts'),
      ...['reactions', 'take-over', lost, '--at', survivor, '--stack', cluster.dir, '--json'],
    ],
    { cwd: ROOT },
  );
  return (JSON.parse(stdout) as { set: number }).set;
}
