/** The site that wrote, and the store of its peer, as a round finds them before and leaves them after it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CosmosClient } from '@azure/cosmos';
import { chunk } from '@tandem-clouds/replication/chunk';
import { ThrottledError } from '@tandem-clouds/replication/errors';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { noEntries, type Store, type Versioned } from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { openStore as openDynamoStore } from '../../../src/shared/adapters/aws/cloud.ts';
import { openSqsQueue } from '../../../src/shared/adapters/aws/open-queue.ts';
import { DynamoStore } from '../../../src/shared/adapters/aws/store.ts';
import { openStore as openCosmosStore } from '../../../src/shared/adapters/azure/cloud.ts';
import { openServiceBusQueue } from '../../../src/shared/adapters/azure/open-queue.ts';
import { CosmosStore } from '../../../src/shared/adapters/azure/store.ts';
import { throttleHintMs } from '../../../src/shared/bounds.ts';
import { loadConfig } from '../../../src/shared/config/config.ts';
import { Replica } from '../../../src/shared/domain/replica.ts';
import { type CloudName, CLOUDS } from '../service-bundles.ts';
import { type BenchSite, type BenchSites, OTHER } from './two-sites.ts';
import type { Workload } from './workload.ts';

const AT_ONCE = 100;
const OPEN_STORE = { aws: openDynamoStore, azure: openCosmosStore } as const;

interface OpenSite {
  readonly store: Store;
  readonly outbox: QueueSender;
}

export class Fixture {
  readonly #sites: BenchSites;
  readonly #open: Readonly<Record<CloudName, OpenSite>>;

  constructor(sites: BenchSites) {
    this.#sites = sites;
    Object.assign(process.env, sites.aws.env, sites.azure.env);
    this.#open = { aws: openAws(sites.aws), azure: openAzure(sites.azure) };
  }

  /** Puts the events into the outbound queue, and the records with their markers into the store. */
  async fill(from: CloudName, { bodies, records }: Workload): Promise<void> {
    const { store, outbox } = this.#open[from];
    for (const batch of chunk(records, AT_ONCE)) {
      const results = await store.putMany(batch.map((record) => ({ record, expected: undefined })));
      if (results.some(({ status }) => status !== 'written'))
        throw new Error(`${from}: a record is not stored`);
    }
    for (const batch of chunk(bodies, AT_ONCE)) await sendAll(outbox, batch);
  }

  /** @throws Error when a key did not arrive at `to` as it was last written. */
  async checkArrived(to: CloudName, records: readonly StoredRecord[]): Promise<void> {
    const held = await this.#held(to, records);
    const isRight = ({ key, version = '?' }: StoredRecord): boolean =>
      JSON.stringify(held.get(key)?.record.state ?? null).includes(version);
    const missing = records.filter((record) => !isRight(record)).length;
    if (missing > 0) throw new Error(`${to}: ${missing} of ${records.length} keys did not arrive`);
  }

  /** How many of the records still carry a marker at `from`. */
  async markersLeft(from: CloudName, records: readonly StoredRecord[]): Promise<number> {
    const held = await this.#held(from, records);
    return [...held.values()].filter(({ record }) => Object.keys(record.pending).length > 0).length;
  }

  /** Reads and writes at a site as its handlers do, with a store that is opened as theirs are. */
  replica(cloud: CloudName): Replica {
    const { env, site: name } = this.#sites[cloud];
    const site = { site: name, peers: [this.#sites[OTHER[cloud]].site], now: Date.now };
    const sleep = (ms: number): Promise<void> => delay(ms);
    const store = OPEN_STORE[cloud](loadConfig(cloud, env), noEntries);
    const { outbox } = this.#open[cloud];
    return new Replica({ site, resources: { store, outbox, sleep }, ids: { next: randomUUID } });
  }

  /** The store and the outbound queue of a site. */
  site(cloud: CloudName): OpenSite {
    return this.#open[cloud];
  }

  async close(): Promise<void> {
    await Promise.all(CLOUDS.map((cloud) => this.#open[cloud].outbox.close()));
  }

  #held(cloud: CloudName, records: readonly StoredRecord[]): Promise<ReadonlyMap<string, Versioned>> {
    return this.#open[cloud].store.getMany(records.map(({ key }) => key));
  }
}

/** Sends again what is throttled, as a client must. */
async function sendAll(outbox: QueueSender, bodies: readonly string[]): Promise<void> {
  for (let open = bodies; open.length > 0;) {
    const results = await outbox.send(open.map((body, i) => ({ id: String(i), body })));
    const failed = results.filter((result) => result !== undefined);
    const lasting = failed.find((result) => !(result instanceof ThrottledError));
    if (lasting !== undefined) throw lasting;
    open = open.filter((_, i) => results[i] !== undefined);
    if (open.length > 0) await delay(throttleHintMs);
  }
}

function openAws({ env }: BenchSite): OpenSite {
  const region = env['TANDEM_REGION'] ?? '';
  return {
    store: new DynamoStore(
      new DynamoDBClient({ region, endpoint: env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '' }),
      env['TANDEM_TABLE'] ?? '',
      { entriesOf: noEntries },
    ),
    outbox: openSqsQueue({ region, url: env['TANDEM_OUT_URL'] ?? '' }),
  };
}

function openAzure({ env }: BenchSite): OpenSite {
  const client = new CosmosClient({ endpoint: env['COSMOS_ENDPOINT'] ?? '', key: env['COSMOS_KEY'] ?? '' });
  return {
    store: new CosmosStore(
      client.database(env['COSMOS_DATABASE'] ?? '').container(env['COSMOS_CONTAINER'] ?? ''),
      { entriesOf: noEntries },
    ),
    outbox: openServiceBusQueue({
      queue: 'tandem-out',
      connectionString: env['SERVICE_BUS_CONNECTION'],
    }),
  };
}
