/**
 * `bench caches`: how old an answer of a shared cache can be, and whether a cache beside the store is worth its price.
 *
 * Staleness: from the answer that acknowledged a write at one cloud to the purge that the other cloud's cache has carried out, beside
 * the replication of the same writes (to the first strongly consistent read of the other store that shows them). Each record is in
 * both caches when it is written; in the end what both caches answer is compared with the stores.
 *
 * Price: the share of reads that the store did not have to answer, at several rates, with a write now and then; and from which rate
 * on what that saves is more than the smallest node costs, by the price book of `tandem cost`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Stack, StackSite } from '@tandem-clouds/command-line/running-stack';
import { type CloudFront, startCloudFront } from '@tandem-clouds/emulators/cdn/cloudfront';
import { type FrontDoor, startFrontDoor } from '@tandem-clouds/emulators/cdn/front-door';
import { openSiteStore, type SiteStore } from '@tandem-clouds/local/stack/site-store';
import { withOwnStack } from '@tandem-clouds/testkit/cluster/own-stack';
import { Unavailable } from '@tandem-clouds/testkit/peers/peer';
import { redis, type RedisServer, startRedis } from '@tandem-clouds/testkit/peers/redis';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { percentile } from '@tandem-clouds/testkit/report/statistics';
import { recordKey } from '../../src/shared/domain/caching/keys.ts';
import { PRICES, usdPerMillion } from '../cost/prices.ts';
import { openLoop } from './lag/open-loop.ts';
import { ROOT } from './service-bundles.ts';

const DISTRIBUTION = 'E2EXAMPLE12345';
const ENDPOINT =
  '/subscriptions/local/resourceGroups/local/providers/Microsoft.Cdn/profiles/tandem/afdEndpoints/tandem';
const SEEN_WITHIN_MS = 30_000;
const POLL_MS = 5;
const HOURS_A_MONTH = 730;
/** Of the rate that is asked for: the others are shares of it. */
const RATES = [0.05, 0.25, 1];
const WRITES_A_SECOND = 1;
const time = { now: () => performance.now(), sleep: (ms: number) => sleep(ms) };

interface Options {
  readonly rate: number;
  readonly seconds: number;
  readonly reads: number;
  readonly records: number;
}

/** When something was purged last: `aws #key` or `azure /path` → monotonic milliseconds. */
type Purges = Map<string, number>;

interface Caches {
  readonly front: CloudFront;
  readonly door: FrontDoor;
  readonly purges: Purges;
  /** Where the sites are, once they are there. */
  readonly origins: { aws?: string; azure?: string };
}

async function startCaches(): Promise<Caches> {
  const purges: Purges = new Map();
  const origins: Caches['origins'] = {};
  const note =
    (cloud: string) =>
    (items: readonly string[]): void => {
      for (const item of items) purges.set(`${cloud} ${item}`, time.now());
    };
  const passing = ['X-Tandem-Session', 'Prefer'];
  const front = await startCloudFront({
    origin: () => origins.aws ?? '',
    distribution: DISTRIBUTION,
    keyHeaders: ['Authorization', 'Origin', 'X-Tandem-Read-Through', ...passing],
    tagHeader: 'Cache-Tag',
    onPurge: note('aws'),
  });
  const door = await startFrontDoor({
    origin: () => origins.azure ?? '',
    endpointId: ENDPOINT,
    isToken: () => true,
    ...{ pathsKept: ['/products'], headersPassing: passing, onPurge: note('azure') },
  });
  return { front, door, purges, origins };
}

const FIELDS = { name: 'Tea', priceMinor: 1, currency: 'EUR', category: 'tea' };

async function write(url: string, method: 'POST' | 'PATCH', path: string, body: object): Promise<void> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const response = await fetch(new URL(path, url), {
    ...{ method, headers: { 'content-type': type }, body: JSON.stringify(body) },
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

const priceIn = async (url: string, path: string, headers: Record<string, string> = {}): Promise<unknown> =>
  ((await (await fetch(new URL(path, url), { headers })).json()) as { priceMinor?: unknown }).priceMinor;

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = time.now() + SEEN_WITHIN_MS;
  while (!(await holds())) {
    if (time.now() > deadline) throw new Error(`${what}: not within ${SEEN_WITHIN_MS} ms`);
    await sleep(POLL_MS);
  }
}

interface Side {
  readonly site: StackSite;
  readonly store: SiteStore['store'];
  /** The cache in front of it. */
  readonly cacheUrl: string;
  /** What a purge of a record is known by there. */
  readonly purgeOf: (sku: string) => string;
}

interface Sample {
  readonly site: string;
  readonly replicatedMs: number;
  readonly purgedMs: number;
}

/** One write of a record of its own, at one side; what becomes of it at the other one. */
async function crossed(
  sku: string,
  price: number,
  [from, to]: readonly [Side, Side],
  purges: Purges,
): Promise<Sample> {
  const path = `/products/${sku}`;
  await priceIn(to.cacheUrl, path);
  await write(from.site.url, 'PATCH', path, { priceMinor: price });
  const acknowledgedMs = time.now();
  const isThere = async (): Promise<boolean> =>
    (await to.store.get(`product:${sku}`))?.record.state.fields['priceMinor']?.[1] === price;
  await until(`${sku} at ${to.site.site}`, isThere);
  const replicatedMs = time.now() - acknowledgedMs;
  // A purge that was carried out before this one's state was there is of a state before.
  const purge = to.purgeOf(sku);
  await until(`the purge of ${sku} at ${to.site.site}`, () => (purges.get(purge) ?? 0) > acknowledgedMs);
  return { site: to.site.site, replicatedMs, purgedMs: (purges.get(purge) ?? 0) - acknowledgedMs };
}

async function measureStaleness(
  sides: readonly [Side, Side],
  purges: Purges,
  { rate, seconds }: Options,
): Promise<{ readonly figures: Figure[]; readonly samples: number }> {
  const count = Math.round(rate * seconds);
  const skus = (at: number): string[] => Array.from({ length: count }, (_, n) => `stale-${at}-${n}`);
  for (const [at, { site }] of sides.entries())
    for (const sku of skus(at)) await write(site.url, 'POST', '/products', { sku, ...FIELDS });
  for (const side of sides)
    for (const sku of [...skus(0), ...skus(1)])
      await until(
        `${sku} at ${side.site.site}`,
        async () => (await side.store.get(`product:${sku}`)) !== undefined,
      );
  const [first, second] = sides;
  const loops = [first, second].map((from, at) =>
    openLoop({ rate, seconds, offsetMs: (at * 500) / rate }, time, (n) =>
      crossed(`stale-${at}-${n}`, 2 + n, [from, from === first ? second : first], purges),
    ),
  );
  const samples = (await Promise.all(loops)).flat();
  let stale = 0;
  for (const { site, store, cacheUrl } of sides)
    for (const sku of [...skus(0), ...skus(1)]) {
      const held = (await store.get(`product:${sku}`))?.record.state.fields['priceMinor']?.[1];
      if (held !== (await priceIn(cacheUrl, `/products/${sku}`))) {
        stale += 1;
        process.stderr.write(`${site.site}: ${sku} is stale\n`);
      }
    }
  const ofSite = (site: string): Sample[] => samples.filter((sample) => sample.site === site);
  const figures = sides.flatMap(({ site: { site } }) =>
    [0.5, 0.99].flatMap((share) => {
      const replicated = percentile(
        ofSite(site).map(({ replicatedMs }) => replicatedMs),
        share,
      );
      const purged = percentile(
        ofSite(site).map(({ purgedMs }) => purgedMs),
        share,
      );
      const p = `p${share * 100}`;
      return [
        figure(`${site}: acknowledged elsewhere to purged here, ${p}`, purged, 'ms'),
        figure(`${site}: acknowledged elsewhere to readable here, ${p}`, replicated, 'ms'),
      ];
    }),
  );
  figures.push(figure('stale answers of caches in the end', stale, '', { exactly: 0 }));
  return { figures, samples: samples.length };
}

/** What the store is asked for a read: half a unit of DynamoDB is for reads that may be stale, which these are not. */
const READ_USD_PER_MILLION = {
  aws: usdPerMillion(PRICES.dynamoDbRead, 1),
  azure: usdPerMillion(PRICES.cosmosRequestUnit, 1),
};
const NODE_USD_A_MONTH = {
  aws: PRICES.elastiCacheHour.usd * HOURS_A_MONTH,
  azure: PRICES.azureRedisHour.usd * HOURS_A_MONTH,
};

/** Reads a second from which on what the store is spared costs more than the node. */
export function paysFrom(cloud: 'aws' | 'azure', hitShare: number): number {
  const usdPerRead = READ_USD_PER_MILLION[cloud] / 1_000_000;
  return NODE_USD_A_MONTH[cloud] / (usdPerRead * hitShare * HOURS_A_MONTH * 3_600);
}

async function hits(client: Redis): Promise<{ hits: number; misses: number }> {
  const info = await client.info('stats');
  const numberOf = (name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1] ?? 0);
  return { hits: numberOf('keyspace_hits'), misses: numberOf('keyspace_misses') };
}

async function measurePrice(
  site: StackSite,
  server: RedisServer,
  { reads, records, seconds }: Options,
): Promise<Figure[]> {
  const client = new Redis(server.url);
  try {
    for (let n = 0; n < records; n += 1)
      await write(site.url, 'POST', '/products', { sku: `read-${n}`, ...FIELDS });
    const figures: Figure[] = [];
    for (const share of RATES) {
      const rate = Math.max(1, reads * share);
      await client.flushall();
      const before = await hits(client);
      const ms = { cached: [] as number[], store: [] as number[] };
      const read = (kind: keyof typeof ms) => async (n: number) => {
        const path = `/products/read-${(n * 7) % records}`;
        // With this a read asks the store itself, and is the same otherwise.
        const headers = kind === 'store' ? { prefer: 'wait=0', 'if-none-match': '"none"' } : {};
        const beganMs = time.now();
        await priceIn(site.url, path, headers);
        ms[kind].push(time.now() - beganMs);
      };
      /** Both with the same writes beside them. */
      const reading = (kind: keyof typeof ms): Promise<unknown> =>
        Promise.all([
          openLoop({ rate, seconds, offsetMs: 0 }, time, read(kind)),
          openLoop({ rate: WRITES_A_SECOND, seconds, offsetMs: 0 }, time, (n) =>
            write(site.url, 'PATCH', `/products/read-${n % records}`, { priceMinor: 1 + n }),
          ),
        ]);
      await reading('cached');
      const after = await hits(client);
      await reading('store');
      const [hit, missed] = [after.hits - before.hits, after.misses - before.misses];
      const hitShare = hit / Math.max(1, hit + missed);
      const name = `${rate} reads/s`;
      figures.push(
        figure(`${name}: reads that the store was spared`, hitShare * 100, '%'),
        figure(`${name}: a read by the cache, p50`, percentile(ms.cached, 0.5), 'ms'),
        figure(`${name}: a read by the store, p50`, percentile(ms.store, 0.5), 'ms'),
        figure(`${name}: pays on AWS from`, paysFrom('aws', hitShare), 'reads/s'),
        figure(`${name}: pays on Azure from`, paysFrom('azure', hitShare), 'reads/s'),
      );
    }
    return figures;
  } finally {
    client.disconnect();
  }
}

const siteOf = (stack: Stack, cloud: 'aws' | 'azure'): StackSite => {
  const site = stack.sites.find((one) => one.cloud === cloud);
  if (site === undefined) throw new Error(`the stack has no site on ${cloud}`);
  return site;
};

async function staleness(stack: Stack, { front, door, purges, origins }: Caches, options: Options) {
  const [aws, azure] = [siteOf(stack, 'aws'), siteOf(stack, 'azure')];
  [origins.aws, origins.azure] = [aws.url, azure.url];
  const stores = [openSiteStore(aws), openSiteStore(azure)] as const;
  const sides: readonly [Side, Side] = [
    {
      ...{ site: aws, store: stores[0].store, cacheUrl: front.proxy.url },
      purgeOf: (sku) => `aws #${recordKey(`product:${sku}`)}`,
    },
    {
      ...{ site: azure, store: stores[1].store, cacheUrl: door.proxy.url },
      purgeOf: (sku) => `azure /products/${sku}`,
    },
  ];
  try {
    return await measureStaleness(sides, purges, options);
  } finally {
    for (const { close } of stores) close();
  }
}

/** A stack of its own, whose functions find these variables. */
async function withStackOf<Result>(
  variables: Readonly<Record<string, string>>,
  use: (stack: Stack) => Promise<Result>,
): Promise<Result> {
  Object.assign(process.env, variables);
  try {
    return await withOwnStack(use);
  } finally {
    for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name);
  }
}

/** @throws Error when Redis is there and does not start */
async function redisIfThere(progress: (line: string) => void): Promise<RedisServer | undefined> {
  try {
    return await startRedis(redis.install());
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    progress(`SKIPPED: Redis: ${error.message}`);
    return undefined;
  }
}

async function measure(options: Options, progress: (line: string) => void): Promise<Findings> {
  const caches = await startCaches();
  const server = await redisIfThere(progress);
  const behind = {
    TANDEM_CDN_DISTRIBUTION: DISTRIBUTION,
    AWS_ENDPOINT_URL_CLOUDFRONT: caches.front.api.url,
    TANDEM_CDN_ENDPOINT: ENDPOINT,
    TANDEM_CDN_ENDPOINT_URL: caches.door.api.url,
  };
  try {
    progress('starting a stack of its own, behind caches');
    const { figures, samples } = await withStackOf(behind, (stack) => {
      progress(`${options.rate} writes a second at each site for ${options.seconds} s`);
      return staleness(stack, caches, options);
    });
    const price: readonly Figure[] =
      server === undefined
        ? []
        : await withStackOf({ TANDEM_CACHE_URL: server.url }, (stack) => {
            progress('reads with a cache beside the store');
            return measurePrice(siteOf(stack, 'aws'), server, options);
          });
    return {
      figures: [...figures, ...price],
      notes: [
        `${samples} writes, each of a record that both caches had; the emulators carry a purge out with its answer, which real caches do not: docs/caching.md`,
        ...(server === undefined
          ? ['no Redis could be had, so its price was not measured']
          : [
              `${options.records} records, ${WRITES_A_SECOND} write a second; a node a month is ${NODE_USD_A_MONTH.aws.toFixed(2)} USD on AWS (which also needs the feature network: its NAT is 33 USD) and ${NODE_USD_A_MONTH.azure.toFixed(2)} USD on Azure; the store's own time is that of an emulator, on this machine`,
            ]),
      ],
    };
  } finally {
    await Promise.all([caches.front.close(), caches.door.close(), server?.stop()]);
  }
}

/** Returns the exit status. */
export async function benchCaches({
  json,
  ...options
}: Options & { readonly json: boolean }): Promise<number> {
  const title = `Caches at ${options.rate} writes/s at each site`;
  return report({ title, json, command: commandLine(process.argv, ROOT) }, (progress) =>
    measure(options, progress),
  );
}
