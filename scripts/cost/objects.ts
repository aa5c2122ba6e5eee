/**
 * What objects cost (docs/objects.md): each is sent to one cloud, fetched by the other, and kept at both. Calls are those of the
 * code: at the storage that it is sent to the client's PUT, the HEAD that completes it and the GET of the other site; at the
 * other a HEAD, the PUT and the HEAD that is claimed by. Beside it the record is written and crosses, once as it is announced,
 * once as it is completed and once for each claim, and a reaction runs (`docs/cost.md`).
 */
import { ASSUMED } from './model.ts';
import { PRICES } from './prices.ts';

type Cloud = 'aws' | 'azure';

const GB = 1024 ** 3;
const WRITE = { aws: PRICES.s3Write, azure: PRICES.blobWrite } as const;
const READ = { aws: PRICES.s3Read, azure: PRICES.blobRead } as const;
const EGRESS = { aws: PRICES.awsEgress, azure: PRICES.azureEgress } as const;
const KEPT = { aws: PRICES.s3Storage, azure: PRICES.blobStorage } as const;
const SECOND = { aws: PRICES.lambdaSecond, azure: PRICES.functionsSecond } as const;
/** Of memory: infra/aws/features/objects.yml, instanceMemoryMB. */
const MEMORY_GB = { aws: 1, azure: 0.5 } as const;

const usd = ({ usd: price, per }: { readonly usd: number; readonly per: number }, units: number): number =>
  (price / per) * units;

/** USD at each cloud for one object of at most one body (16 MiB) that is sent to `at` and fetched by the other. */
export function objectCost(at: Cloud, bytes: number): Record<Cloud, number> {
  const to = at === 'aws' ? 'azure' : 'aws';
  const seconds = Math.max(
    to === 'azure' ? ASSUMED.flexSecondsMin : 0,
    bytes / (ASSUMED.objectMbPerSecond * 1_000_000),
  );
  const cost = { aws: 0, azure: 0 };
  cost[at] += usd(WRITE[at], 1) + usd(READ[at], 2) + usd(EGRESS[at], bytes / GB);
  cost[to] += usd(WRITE[to], 1) + usd(READ[to], 2) + usd(SECOND[to], seconds * MEMORY_GB[to]);
  return cost;
}

/** USD for a GB that both keep for a month, before it is moved to a cheaper tier. */
export function keptCost(): Record<Cloud, number> {
  return { aws: usd(KEPT.aws, 1), azure: usd(KEPT.azure, 1) };
}
