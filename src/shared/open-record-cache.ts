/** The composition of the cache beside the store of a site; one per process. */
import { GuardedCache } from './adapters/redis/guarded-cache.ts';
import { openRedis } from './adapters/redis/open-redis.ts';
import type { Config } from './config/config.ts';
import { digest } from './digest.ts';
import { RecordCache } from './domain/caching/record-cache.ts';
import type { Logger } from './ports/telemetry.ts';
import { cachedSeconds } from './registry/entity-sites.ts';

const opened = new WeakMap<Config, RecordCache>();

/** Undefined: this site has none, or nothing that it would keep. */
export function openRecordCache({
  config,
  logger,
  now,
  sleep,
}: {
  readonly config: Config;
  readonly logger: Logger;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}): RecordCache | undefined {
  const { cacheUrl, site } = config;
  if (cacheUrl === undefined || Object.keys(cachedSeconds).length === 0) return undefined;
  const known = opened.get(config);
  if (known !== undefined) return known;
  const guarded = new GuardedCache(openRedis(cacheUrl), {
    elapsed: () => performance.now(),
    sleep,
    opened: (error) =>
      logger.log('warn', 'the cache beside the store is not asked for a while', { error: String(error) }),
  });
  const cache = new RecordCache({
    ...{ site, maxAgeSeconds: cachedSeconds, cache: guarded, digest, now },
    lied: (key) => logger.log('warn', 'the cache beside the store gave back what was not kept', { key }),
  });
  opened.set(config, cache);
  return cache;
}
