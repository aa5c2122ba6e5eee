/**
 * Uploads and reads at both sites under faults; then everything that was acknowledged must be held at both, and is read there
 * whole.
 */
import type { Violation } from '../../checkers/judge.ts';
import type { Endpoint } from '../../cluster/request.ts';
import { TestCluster } from '../../cluster/test-cluster.ts';
import type { Finding } from '../../history/facts.ts';
import { workInLanes } from '../lanes.ts';
import { mapped } from '../mapped.ts';
import type { InjectedFaults } from '../nemesis.ts';
import { type Episode, makeObjectPlan } from '../plan.ts';
import { type Planned, planned } from '../planned.ts';
import { pause, until } from '../reactions/until.ts';
import type { ChaosOptions } from '../run.ts';
import { ask, isHeldBy, type ReadResult, UploadClients, type Uploaded } from './uploads.ts';

const LANES = 8;
const READERS = 2;
const READ_EVERY_MS = 400;
const PROGRESS_MS = 15_000;
/** After the pauses of attempts in vain, of 5 minutes at most. */
const HELD_WITHIN_MS = 900_000;
const LOOK_AT_ONCE = 16;
const READ_AT_ONCE = 4;
const VIOLATIONS_MAX = 50;

export const LOST = 'objects lost';
export const CORRUPT = 'objects corrupt';
export const NOT_FOUND = 'objects 404 after acknowledgement';
export const NOT_HELD = 'objects not held everywhere';

export interface ObjectChaosResult {
  readonly plan: readonly Episode[];
  readonly injectedFaults: InjectedFaults;
  readonly trafficMs: number;
  /** By the site that they were sent to. */
  readonly acknowledged: ReadonlyMap<string, { readonly uploads: number; readonly bytes: number }>;
  readonly givenUp: number;
  /** While faults were on. */
  readonly reads: readonly ReadResult[];
  /** After healing until both held everything; undefined: not in time. */
  readonly heldMs: number | undefined;
  /** In the end, at each site. */
  readonly finalReads: readonly ReadResult[];
  readonly findings: readonly Finding[];
  readonly violations: readonly Violation[];
}

/** @throws Error when the stack does not come up, or the run itself fails. */
export async function runObjectChaos(options: ChaosOptions): Promise<ObjectChaosResult> {
  const { progress } = options;
  const run = planned(options, makeObjectPlan);
  progress('starting a stack of its own');
  const cluster = await TestCluster.open(run.order);
  try {
    return await runIn(cluster, { ...options, ...run });
  } finally {
    await cluster.close();
  }
}

type Prepared = ChaosOptions & Planned;

async function runIn(cluster: TestCluster, options: Prepared): Promise<ObjectChaosResult> {
  const { plan, random, writes, progress } = options;
  const sites = cluster.endpoints().filter(({ name }) => name !== 'edge');
  const clients = new UploadClients(random.stream('clients'), sites);
  const reader = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await pause(READ_EVERY_MS);
      await clients.readSome();
    }
  };
  const traffic = await workInLanes(cluster, options, {
    lanes: LANES,
    shown: () => `${clients.count} uploads, ${clients.reads.length} reads`,
    goesOn: (started) => clients.count < writes && started < writes * 1.5,
    act: () => clients.upload(random.pick(sites)),
    beside: (signal) => Promise.all(Array.from({ length: READERS }, () => reader(signal))),
  });
  progress('healing');
  await cluster.heal();
  const latest = latestOf(clients.uploads);
  const heldMs = await untilHeld(sites, latest, progress);
  progress(heldMs === undefined ? 'NOT HELD everywhere' : 'held everywhere; reading everything');
  const finalReads = await readAll(clients, sites, latest, progress);
  const findings = [
    ...(heldMs === undefined ? [{ invariant: NOT_HELD, detail: 'see the log of the run' }] : []),
    ...clients.reads.flatMap((read) => (read.outcome === 'not found' ? [finding(NOT_FOUND, read)] : [])),
    ...finalReads.flatMap((read) => (read.outcome === 'right' ? [] : [finding(invariantOf(read), read)])),
    ...(await checkNames(sites, clients.uploads, latest)),
  ];
  return {
    plan,
    ...traffic,
    acknowledged: clients.acknowledged,
    givenUp: clients.givenUp,
    reads: clients.reads,
    heldMs,
    finalReads,
    findings,
    violations: findings.slice(0, VIOLATIONS_MAX).map((each) => ({ ...each, log: [], states: {} })),
  };
}

function invariantOf({ outcome }: ReadResult): string {
  if (outcome === 'corrupt') return CORRUPT;
  return outcome === 'not found' ? NOT_FOUND : LOST;
}

function finding(invariant: string, { name, site, outcome, detail }: ReadResult): Finding {
  return { invariant, key: name, detail: `${site}: ${outcome}; ${detail}` };
}

/** Name → its record, of what was acknowledged. */
export function latestOf(uploads: readonly Uploaded[]): ReadonlyMap<string, string> {
  return new Map(uploads.filter(({ acknowledged }) => acknowledged).map(({ name, id }) => [name, id]));
}

/** Until each record says, at each site, that every site holds its content. @returns After how long; undefined: not in time */
export async function untilHeld(
  sites: readonly Endpoint[],
  names: ReadonlyMap<string, string>,
  progress: (line: string) => void,
): Promise<number | undefined> {
  let open = sites.flatMap((site) => [...names.values()].map((id) => ({ site, id })));
  return until(
    async () => {
      const looked = await mapped(open, LOOK_AT_ONCE, async (each) =>
        (await isHeld(each, sites)) ? [] : [each],
      );
      open = looked.flat();
      const [first] = open;
      return first && `${open.length} to be held, as ${first.id} at ${first.site.name}`;
    },
    { withinMs: HELD_WITHIN_MS, progress },
  );
}

async function isHeld(
  { site, id }: { readonly site: Endpoint; readonly id: string },
  sites: readonly Endpoint[],
): Promise<boolean> {
  const { status, body } = await ask(site, 'GET', `/objects/${id}`).catch(() => ({ status: 0, body: {} }));
  return status === 200 && sites.every((other) => isHeldBy(body, other));
}

async function readAll(
  clients: UploadClients,
  sites: readonly Endpoint[],
  names: ReadonlyMap<string, string>,
  progress: (line: string) => void,
): Promise<readonly ReadResult[]> {
  const all = [...names].flatMap(([name, id]) => sites.map((site) => ({ name, id, site })));
  let read = 0;
  const telling = setInterval(() => progress(`${read} of ${all.length} read`), PROGRESS_MS);
  try {
    return await mapped(all, READ_AT_ONCE, async ({ name, id, site }) => {
      const result = await clients.read(name, id, site);
      read += 1;
      return result;
    });
  } finally {
    clearInterval(telling);
  }
}

/** Both sites name one content, which somebody uploaded and completed. */
async function checkNames(
  sites: readonly Endpoint[],
  uploads: readonly Uploaded[],
  names: ReadonlyMap<string, string>,
): Promise<readonly Finding[]> {
  const completed = new Map<string, Set<string>>();
  for (const { name, upload } of uploads) completed.set(name, (completed.get(name) ?? new Set()).add(upload));
  const findings = await mapped([...names], LOOK_AT_ONCE, async ([name, id]): Promise<readonly Finding[]> => {
    const shown = await Promise.all(sites.map((site) => ask(site, 'GET', `/objects/${id}`)));
    const found = shown.map(
      ({ body }) => (body['content'] as { upload?: string } | undefined)?.upload ?? 'none',
    );
    if (new Set(found).size > 1)
      return [{ invariant: LOST, key: name, detail: `two contents: ${found.join(', ')}` }];
    const [only = ''] = found;
    if (completed.get(name)?.has(only) === true) return [];
    return [{ invariant: LOST, key: name, detail: `its content is ${only}, which nobody has completed` }];
  });
  return findings.flat();
}
