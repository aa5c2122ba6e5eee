/**
 * The composition root of every function: configuration, clock, ids, log, and the cloud that the bundle was built
 * for. What a function does not import from here is not in its bundle.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Resources } from '@tandem-clouds/replication/drive';
import { own } from '@tandem-clouds/replication/own';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { entityOf } from '@tandem-clouds/replication/record';
import {
  cloudName,
  httpEntry,
  openCentralLogsToken,
  openMetrics,
  openObjectsQueue,
  openOutbox,
  openReactQueue,
  openStore,
} from '#cloud';
import { fetchClient } from './adapters/fetch-client.ts';
import { jsonLogger } from './adapters/json-logger.ts';
import { centralLogs } from './adapters/logging/central-logs.ts';
import { siteLogs } from './adapters/logging/site-logs.ts';
import { siteMetering } from './adapters/metering/site-metering.ts';
import { siteTracing } from './adapters/tracing/site-tracing.ts';
import { archiveAt, type Config, hasObjects, loadConfig } from './config/config.ts';
import { digest, sha256 } from './digest.ts';
import { cachedStore } from './domain/caching/cached-store.ts';
import type { RecordCache } from './domain/caching/record-cache.ts';
import { contentsOf } from './domain/content.ts';
import type { Entity } from './domain/entity.ts';
import { indexEntries } from './domain/indexes/index-entry.ts';
import { placementOf } from './domain/placement.ts';
import { type Own, reactionsOf } from './domain/reactions.ts';
import { Replica } from './domain/replica.ts';
import { uniqueValues } from './domain/unique/unique-values.ts';
import { LimitsOfCallers } from './http/caller-limits.ts';
import { elsewhere } from './http/elsewhere.ts';
import { readThrough } from './http/read-through.ts';
import type { Route } from './http/route.ts';
import { httpService } from './http/service.ts';
import { openRecordCache } from './open-record-cache.ts';
import type { Urgency } from './ports/cloud.ts';
import type { Metering } from './ports/metering.ts';
import type { Logger, Metrics } from './ports/telemetry.ts';
import type { Tracing } from './ports/tracing.ts';
import { entitySites, entityWriters } from './registry/entity-sites.ts';
import { indexes, storeIndexes } from './registry/indexes.ts';
import { type Waker, wakerBy, wakerOn } from './wake-message.ts';

export interface Runtime {
  readonly config: Config;
  readonly cloudName: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What ports are wrapped in; of a site that does not trace, nothing. */
  readonly tracing: Tracing;
  /** What sends metrics to a collector; of a site that sends none, nothing. */
  readonly metering: Metering;
  readonly site: Site;
}

/** Reads the configuration. @throws InvalidError that lists every mistake in it. */
export function openRuntime(): Runtime {
  const config = loadConfig(cloudName);
  const write = (line: string): void => void process.stdout.write(line);
  const keptAt = placementOf(entitySites);
  const logger = jsonLogger({
    level: config.logLevel,
    site: config.site,
    write,
    span: () => tracing.current(),
    also: (line) => {
      logs.line?.(line);
      central.line?.(line);
    },
  });
  const logs = siteLogs(config, cloudName, logger);
  const central = centralLogs({ config, cloud: cloudName, logger, token: openCentralLogsToken(config) });
  const metering = siteMetering(config, cloudName, logger);
  const tracing = central.tracing(logs.tracing(metering.tracing(siteTracing(config, cloudName, logger))));
  return {
    config,
    cloudName,
    logger,
    tracing,
    metering,
    metrics: metering.metrics(openMetrics({ site: config.site, write, now: Date.now })),
    site: {
      site: config.site,
      peers: config.peers.map(({ site }) => site),
      archiveAt: archiveAt(config.peers),
      retired: config.retiredSites,
      rebuilding: config.rebuilding,
      ...(keptAt !== undefined && { keptAt }),
      ...(Object.keys(entityWriters).length > 0 && {
        declaredWriter: Object.assign((key: string) => own(entityWriters, entityOf(key)), {
          entities: Object.keys(entityWriters),
        }),
      }),
      now: Date.now,
    },
  };
}

/**
 * The store of this site. Every function that writes records opens it here, because each write stores what of the record is
 * in the indexes: one that did not know them would take records out of their lists.
 */
export function openSiteStore(runtime: Runtime, urgency: Urgency = 'live'): Store {
  const { config, metrics, tracing, site } = runtime;
  const leftOut = (): void => metrics.record({ ValuesNotIndexed: 1 });
  const store = tracing.store(openStore(config, indexEntries(storeIndexes, leftOut), urgency));
  const cache = recordCache(runtime);
  return cache === undefined ? store : cachedStore(store, cache, site.now);
}

function recordCache({ config, logger, site }: Runtime): RecordCache | undefined {
  return openRecordCache({ config, logger, now: site.now, sleep });
}

/** The site with what is reacted to; a function that writes records of an entity must know its reactions. */
export function reacting(site: Site, entities: readonly Entity[], config: Config): Site {
  const reactions = reactionsOf(entities, digest, uniqueValues(entities, sha256), site, ownOf(config));
  return reactions === undefined ? site : { ...site, reactions };
}

/** What this site does with records of every entity. */
export function ownOf({ sqlUrl, sqlFill = 1, cdn }: Config): Own {
  return { tables: sqlUrl !== undefined, sqlFill, purges: cdn !== undefined };
}

/**
 * Wakes what reacts at this site: the function that has the storages for records that may have content, where this site has a
 * place for objects, and `react` for all others.
 */
export function openWaker(
  { config, tracing }: Pick<Runtime, 'config' | 'tracing'>,
  entities: readonly Entity[],
): Waker {
  const others = wakerOn(tracing.queue(openReactQueue(config), 'tandem-react'));
  const contents = contentsOf(entities);
  if (contents === undefined || !hasObjects(config)) return others;
  return wakerBy(contents.may, {
    content: wakerOn(tracing.queue(openObjectsQueue(config), 'tandem-objects')),
    others,
  });
}

/** The site's own queue, which `forward` empties. */
export function openOwnOutbox({ config, tracing }: Pick<Runtime, 'config' | 'tracing'>): QueueSender {
  return tracing.queue(openOutbox(config), 'tandem-out');
}

/**
 * The replica of this site, for handlers that read and write records.
 * @param entities Those whose records are written.
 * @param options.isCached Whether its reads ask the cache beside the store, where there is one: not where what is read decides.
 */
export function openReplica(
  runtime: Runtime,
  entities: readonly Entity[] = [],
  { isCached = false }: { readonly isCached?: boolean } = {},
): Replica {
  const { site: bare, config } = runtime;
  const site = reacting(bare, entities, config);
  return new Replica({
    site,
    resources: {
      store: openSiteStore(runtime),
      outbox: openOwnOutbox(runtime),
      ...(site.reactions !== undefined && { waker: openWaker(runtime, entities) }),
      sleep,
    },
    ids: { next: uuidv7 },
    indexes,
    uniqueOf: uniqueValues(entities, sha256),
    ...(isCached && { cache: recordCache(runtime) }),
  });
}

/** What one caller may ask of this site; undefined where nothing is limited. */
export function openLimits(runtime: Runtime): LimitsOfCallers | undefined {
  const { config, site } = runtime;
  if (Object.keys(config.callerLimits).length === 0) return undefined;
  const { callerLimits: limits } = config;
  return new LimitsOfCallers({ site: site.site, limits, store: openSiteStore(runtime), now: site.now });
}

/** The function that the platform calls for the routes of one service. */
export function serve({ config, logger, tracing, metering }: Runtime, routes: readonly Route[]): unknown {
  const { site, peers } = config;
  const elapsed = (): number => performance.now();
  const through = readThrough({ site, peers, client: fetchClient, elapsed });
  const away = elsewhere(peers);
  const service = httpService({
    site,
    routes,
    logger,
    elapsed,
    readThrough: through,
    elsewhere: away,
    matched: tracing.route,
    answered: metering.answered,
  });
  return httpEntry(tracing.http(service));
}

export const sleep: Resources['sleep'] = (ms) => delay(ms);
