/**
 * What a declaration adds to a write: an index entry that is made, moved or removed, and a reaction that begins and runs.
 * Counted as the difference from the same write of the same record without it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Resources } from '@tandem-clouds/replication/drive';
import type { Json } from '@tandem-clouds/replication/json';
import { noEntries } from '@tandem-clouds/replication/ports/store';
import { driveReact } from '@tandem-clouds/replication/reactions/drive-react';
import { react } from '@tandem-clouds/replication/reactions/react';
import {
  openReactQueue as openAwsQueue,
  openStore as openDynamoStore,
} from '../../../src/shared/adapters/aws/cloud.ts';
import {
  openReactQueue as openAzureQueue,
  openStore as openCosmosStore,
} from '../../../src/shared/adapters/azure/cloud.ts';
import { loadConfig } from '../../../src/shared/config/config.ts';
import { digest } from '../../../src/shared/digest.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import { indexesOf } from '../../../src/shared/domain/indexes/declared-index.ts';
import { indexEntries } from '../../../src/shared/domain/indexes/index-entry.ts';
import { reactionsOf } from '../../../src/shared/domain/reactions.ts';
import { Replica } from '../../../src/shared/domain/replica.ts';
import { anyEntry } from '../../../src/shared/operations/reaction-gauges.ts';
import { wakerOn } from '../../../src/shared/wake-message.ts';
import type { IndexUsage, ReactionUsage, Tally } from '../../cost/usage.ts';
import { OTHER } from '../bridge/two-sites.ts';
import type { CloudName } from '../service-bundles.ts';
import { type Bench, RUNS_PER_BEAT } from './scenarios.ts';
import { perOne, readTally, resetUsage } from './tally.ts';

const OPEN = {
  aws: { store: openDynamoStore, queue: openAwsQueue },
  azure: { store: openCosmosStore, queue: openAzureQueue },
} as const;

const booking = defineEntity({
  name: 'booking',
  collection: 'bookings',
  idField: 'bookingId',
  description: 'What is booked',
  required: [],
  fields: {
    customerId: { type: 'string' },
    mailed: { type: 'boolean', by: 'reaction' },
  },
  indexes: { byCustomer: { on: 'customerId' } },
  reactions: {
    mail: {
      on: ['customerId'],
      when: ({ mailed }) => mailed !== true,
      run: () => Promise.resolve({ mailed: true }),
    },
  },
  example: { customerId: 'ada' },
});

/** What of the declaration a site knows. */
interface Knows {
  readonly index?: true;
  readonly reaction?: true;
}

function openReplica({ sites, fixture }: Bench, at: CloudName, knows: Knows) {
  const { env, site: name } = sites[at];
  const config = loadConfig(at, env);
  const indexes = knows.index === true ? indexesOf(booking) : [];
  const reactions = knows.reaction === true ? reactionsOf([booking], digest) : undefined;
  const site = {
    ...{ site: name, peers: [sites[OTHER[at]].site], now: Date.now },
    ...(reactions !== undefined && { reactions }),
  };
  const resources: Resources = {
    store: OPEN[at].store(config, knows.index === true ? indexEntries(indexes, () => undefined) : noEntries),
    outbox: fixture.site(at).outbox,
    sleep: (ms) => delay(ms),
    ...(reactions !== undefined && { waker: wakerOn(OPEN[at].queue(config)) }),
  };
  return { site, resources, replica: new Replica({ site, resources, indexes, ids: { next: randomUUID } }) };
}

const CREATED = { createdAt: '2026-01-01T00:00:00.000Z', customerId: 'ada' };

/** One kind of write to each of these keys, per write, without its way to the other cloud. */
async function tallyOf(
  { sites, bridge }: Bench,
  at: CloudName,
  {
    replica,
    keys,
    fields,
  }: { replica: Replica; keys: readonly string[]; fields: Readonly<Record<string, Json>> },
): Promise<Tally> {
  await resetUsage(sites);
  await Promise.all(keys.map((key) => replica.write({ key, decide: () => fields })));
  const tally = perOne(await readTally(sites), keys.length);
  // So that no marker of it is part of what is counted next.
  await bridge.round({ from: at, events: keys.length });
  return tally;
}

let runs = 0;

function newKeys(count: number): string[] {
  runs += 1;
  return Array.from({ length: count }, (_, i) => `booking:declared-${runs}-${i}`);
}

/** Counts per entry; that of the other site, where the record arrives, is what its own cloud counts. */
export async function indexCosts(bench: Bench, at: CloudName, count: number): Promise<IndexUsage> {
  const [plain, indexed] = [openReplica(bench, at, {}), openReplica(bench, at, { index: true })];
  const [plainKeys, indexedKeys] = [newKeys(count), newKeys(count)];
  const added = async (fields: Readonly<Record<string, Json>>): Promise<Tally> =>
    difference(
      await tallyOf(bench, at, { replica: indexed.replica, keys: indexedKeys, fields }),
      await tallyOf(bench, at, { replica: plain.replica, keys: plainKeys, fields }),
    );
  return {
    made: await added(CREATED),
    moved: await added({ customerId: 'bob' }),
    removed: await added({ customerId: null }),
  };
}

/** Counts per reaction: what it adds to the write that makes its condition true, and its run, which writes its result. */
export async function reactionCosts(bench: Bench, at: CloudName, count: number): Promise<ReactionUsage> {
  const [plain, reacting] = [openReplica(bench, at, {}), openReplica(bench, at, { reaction: true })];
  const keys = newKeys(count);
  const { site, resources, replica } = reacting;
  const begun = difference(
    await tallyOf(bench, at, { replica, keys, fields: CREATED }),
    await tallyOf(bench, at, { replica: plain.replica, keys: newKeys(count), fields: CREATED }),
  );
  await resetUsage(bench.sites);
  for (const key of keys) {
    const run = (): Promise<() => { mailed: true }> => Promise.resolve(() => ({ mailed: true }));
    const steps = await driveReact(react(site, key), { resources, run });
    if (steps.map(({ kind }) => kind).join() !== 'done') throw new Error(`${key}: ${JSON.stringify(steps)}`);
  }
  const ran = perOne(await readTally(bench.sites), count);
  await bench.bridge.round({ from: at, events: count });
  return { begun, run: ran };
}

/** Counts what a site at rest asks from one heartbeat to the next, to find that nothing is due. */
export async function looksOf(bench: Bench, at: CloudName): Promise<Tally> {
  const { resources } = openReplica(bench, at, { reaction: true });
  await resetUsage(bench.sites);
  for (let i = 0; i < RUNS_PER_BEAT[at]; i += 1) await anyEntry(resources.store);
  return readTally(bench.sites);
}

function difference(having: Tally, without: Tally): Tally {
  const other = without as unknown as Readonly<Record<string, number>>;
  return Object.fromEntries(
    Object.entries(having as unknown as Readonly<Record<string, number>>).map(([name, value]) => [
      name,
      // Halves and hundredths are exact here, but not as doubles.
      Math.round((value - (other[name] ?? 0)) * 1_000) / 1_000,
    ]),
  ) as unknown as Tally;
}
