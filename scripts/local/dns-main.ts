/**
 * The DNS server of a stack: zone `tandem.test`, in which `api` leads to the sites, evenly, by their health.
 * Its argument is a `DnsSettings` as JSON. The supervisor of `npm start` runs it.
 */
import { createHash } from 'node:crypto';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import type { RoutedRecord } from '../../dns/model.ts';
import { startDnsServer } from '../../dns/server/server.ts';
import { announce } from './run-registry.ts';
import { CANNOT_START } from './stack/exit-codes.ts';

/** What the process is told. */
export interface DnsSettings {
  readonly port: number;
  readonly controlPort: number;
  /** Where the zone is kept; absent: memory only. */
  readonly dataDir?: string | undefined;
  /** Where each site's functions answer, on 127.0.0.1. */
  readonly sites: readonly { readonly site: string; readonly port: number }[];
}

const ZONE = 'tandem.test';
const HOST = '127.0.0.1';
const TTL_SECONDS = 10;
/** Noticed within 20 s, and out of every cache 10 s later: below the 35 s that a failover may take. */
const INTERVAL_SECONDS = 10;
const FAILURE_THRESHOLD = 2;
/** The sites' addresses begin here: all of 127.0.0.0/8 is this machine (RFC 1122, section 3.2.1.3). */
const FIRST_ADDRESS = 2;

/** Each site has an address of its own, so that an answer shows which one it is. */
function firstRecord(sites: DnsSettings['sites']): RoutedRecord {
  return {
    kind: 'routed',
    name: `api.${ZONE}`,
    type: 'A',
    ttlSeconds: TTL_SECONDS,
    strategy: 'weighted',
    targets: sites.map(({ site, port }, index) => ({
      site,
      values: [`127.0.0.${FIRST_ADDRESS + index}`],
      weight: 1,
      check: {
        protocol: 'http',
        host: HOST,
        port,
        path: '/health/deep',
        intervalSeconds: INTERVAL_SECONDS,
        failureThreshold: FAILURE_THRESHOLD,
      },
    })),
  };
}

/** A zone that was kept for other sites or ports would be wrong for these: each set has a file of its own. */
function fileOf({ dataDir, sites }: DnsSettings): { file?: string } {
  if (dataDir === undefined) return {};
  const set = createHash('sha256').update(JSON.stringify(sites)).digest('hex').slice(0, 8);
  return { file: path.join(dataDir, `${ZONE}-${set}.json`) };
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as DnsSettings;
  const server = await startDnsServer({
    zone: { zone: ZONE, records: [firstRecord(settings.sites)] },
    port: settings.port,
    controlPort: settings.controlPort,
    ...fileOf(settings),
    onEvent: ({ level, message }) => {
      process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message })}\n`);
    },
  });
  const stop = (): void => void server.close().finally(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce('dns', { dns: `dns://${HOST}:${server.port}`, control: server.controlUrl });
  flushCompileCache();
}

main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(CANNOT_START);
});
