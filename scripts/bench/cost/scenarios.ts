/** What is counted: writes with their way to the other cloud, reads, and an hour in which nothing happens. */
import { itemBytes } from '@tandem-clouds/emulators/dynamodb/item-size';
import { heartbeatMs, sweepTickMs } from '@tandem-clouds/replication/bounds';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { INDEXES_FIELD, indexesField } from '@tandem-clouds/replication/index-phases';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { toItem } from '../../../src/shared/adapters/aws/item.ts';
import type { Replica } from '../../../src/shared/domain/replica.ts';
import { indexes } from '../../../src/shared/registry/indexes.ts';
import type { Tally, WriteCost } from '../../cost/usage.ts';
import type { Contender } from '../bridge/contender.ts';
import type { Fixture } from '../bridge/fixture.ts';
import { type Bundles, loadFunction } from '../bridge/functions.ts';
import type { BenchSites } from '../bridge/two-sites.ts';
import type { CloudName } from '../service-bundles.ts';
import { perOne, readTally, resetUsage } from './tally.ts';

export interface Bench {
  readonly sites: BenchSites;
  readonly fixture: Fixture;
  readonly bridge: Contender;
  readonly bundles: Bundles;
}

/** Largest item that costs one write unit. */
const ITEM_BYTES_MAX = 1_024;
const ITEM_BYTES_MIN = 900;
/** Makes the item of a write fill a kilobyte as it is stored, stamps and marker included. */
const FILLING_CHARACTERS = 570;
const FIELDS = { createdAt: '2026-01-01T00:00:00.000Z', data: { filling: 'x'.repeat(FILLING_CHARACTERS) } };
const PAGE = 20;
const ENTITY = 'item';

/** A kilobyte as the client sends it: the item is larger. */
export const KILOBYTE_PAYLOAD = { ...FIELDS, data: { filling: 'x'.repeat(1_000) } };

let runs = 0;

function newKeys(count: number): string[] {
  runs += 1;
  return Array.from({ length: count }, (_, i) => `${ENTITY}:cost-${runs}-${i}`);
}

/** Counts per write: `count` new records, carried over in full batches. */
export async function creates(
  bench: Bench,
  from: CloudName,
  count: number,
  fields: typeof FIELDS = FIELDS,
): Promise<WriteCost & { readonly keys: readonly string[] }> {
  const keys = newKeys(count);
  const replica = bench.fixture.replica(from);
  const cost = await counted(bench, from, count, async () => {
    const records = await Promise.all(
      keys.map((key) => replica.write({ key, expectNew: true, decide: () => fields })),
    );
    if (fields === FIELDS) assertKilobyte(records);
  });
  return { ...cost, keys };
}

/** Counts per write: one more write to each key, one field changed. */
export async function updates(bench: Bench, from: CloudName, keys: readonly string[]): Promise<WriteCost> {
  const replica = bench.fixture.replica(from);
  return counted(bench, from, keys.length, async () => {
    await Promise.all(keys.map((key) => update(replica, key)));
  });
}

/** As `updates`, each carried over before the next one is written: no batch has two messages. */
export async function updatesAlone(
  bench: Bench,
  from: CloudName,
  keys: readonly string[],
): Promise<WriteCost> {
  const costs: WriteCost[] = [];
  for (const key of keys) costs.push(await updates(bench, from, [key]));
  const mean = (part: keyof WriteCost): Tally =>
    perOne(costs.map((cost) => cost[part]).reduce(add), costs.length);
  return { write: mean('write'), crossing: mean('crossing') };
}

function add(a: Tally, b: Tally): Tally {
  const other = b as unknown as Record<string, number>;
  return Object.fromEntries(
    Object.entries(a as unknown as Record<string, number>).map(([name, value]) => [
      name,
      value + (other[name] ?? 0),
    ]),
  ) as unknown as Tally;
}

function update(replica: Replica, key: string): Promise<StoredRecord> {
  return replica.write({ key, decide: () => ({ createdAt: new Date().toISOString() }) });
}

async function counted(
  { sites, bridge }: Bench,
  from: CloudName,
  events: number,
  write: () => Promise<void>,
): Promise<WriteCost> {
  await resetUsage(sites);
  await write();
  const written = await readTally(sites);
  await resetUsage(sites);
  await bridge.round({ from, events });
  return { write: perOne(written, events), crossing: perOne(await readTally(sites), events) };
}

/** @throws Error when a record is not what is called a kilobyte: then the figures would be about something else. */
function assertKilobyte(records: readonly StoredRecord[]): void {
  for (const record of records) {
    const bytes = itemBytes(
      toItem({ record, expected: undefined }, []) as unknown as Parameters<typeof itemBytes>[0],
    );
    if (bytes > ITEM_BYTES_MAX || bytes < ITEM_BYTES_MIN) throw new Error(`an item of ${bytes} bytes`);
  }
}

/** Counts per read of one record. */
export async function reads(
  { sites, fixture }: Bench,
  at: CloudName,
  keys: readonly string[],
): Promise<Tally> {
  const replica = fixture.replica(at);
  await resetUsage(sites);
  await Promise.all(keys.map((key) => replica.read(key)));
  return perOne(await readTally(sites), keys.length);
}

/** Counts one page of a list. */
export async function list({ sites, fixture }: Bench, at: CloudName): Promise<Tally> {
  await resetUsage(sites);
  await fixture.replica(at).list(ENTITY, { after: undefined, limit: PAGE });
  return readTally(sites);
}

/** A function logs to standard output, which is the report's. */
async function loggingToStandardError(run: () => Promise<unknown>): Promise<void> {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  try {
    await run();
  } finally {
    stdout.write = write;
  }
}

/** Runs of the sweeper from one heartbeat to the next; its schedule on Azure is as long as that (serverless.azure.yml). */
export const RUNS_PER_BEAT: Readonly<Record<CloudName, number>> = {
  aws: heartbeatMs / sweepTickMs,
  azure: 1,
};

/**
 * Counts the runs of the sweeper of a site that finds nothing, from one heartbeat to the next, with its way to the other
 * cloud.
 */
export async function beatOf({ sites, bundles, bridge, fixture }: Bench, at: CloudName): Promise<Tally> {
  const sweep = loadFunction(bundles[at]['sweep'] ?? '', sites[at]);
  const run = async (): Promise<void> => {
    // With records of its own, as the delayed messages of a minute's run have: it sends no further ones.
    await loggingToStandardError(() => (at === 'aws' ? sweep({ Records: [] }) : sweep({}, {})));
  };
  const crossed = (): Promise<unknown> => bridge.round({ from: at, events: 1 });
  // The first heartbeat is created, all others are updates; the next one is due when this one is old. Where indexes are
  // declared, the first run begins to fill them, and says so with another one.
  await run();
  await bridge.round({ from: at, events: indexes.length > 0 ? 2 : 1 });
  // As long after: every index has been filled.
  const open = Object.fromEntries(indexes.map(({ id }) => [id, { phase: 'open' as const, sinceMs: 1 }]));
  await fixture.replica(at).write({
    key: heartbeatKey(sites[at].site),
    decide: () => ({ at: 0, ...(indexes.length > 0 && { [INDEXES_FIELD]: indexesField(open) }) }),
  });
  await crossed();
  await resetUsage(sites);
  await run();
  await crossed();
  for (let i = 1; i < RUNS_PER_BEAT[at]; i += 1) await run();
  return readTally(sites);
}
