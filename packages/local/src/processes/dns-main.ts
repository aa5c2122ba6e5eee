/**
 * The DNS server of a stack: the zone of dns/local.policy.yml, in which `api` leads to the sites by their health.
 * Its argument is a `DnsSettings` as JSON. The supervisor of `npm start` runs it.
 */
import { createHash } from 'node:crypto';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { type DnsSite, localZone } from '../dns-zone.ts';
import { endAtStart } from '../exit-codes.ts';
import { HOST } from '../ports.ts';
import { announce } from '../run-registry.ts';

/** What the process is told. */
export interface DnsSettings {
  readonly port: number;
  readonly controlPort: number;
  /** Where the zone is kept; absent: memory only. */
  readonly dataDir?: string | undefined;
  readonly sites: readonly DnsSite[];
}

/** A zone that was kept for other sites or ports would be wrong for these: each set has a file of its own. */
function fileOf({ dataDir, sites }: DnsSettings, zone: string): { file?: string } {
  if (dataDir === undefined) return {};
  const set = createHash('sha256').update(JSON.stringify(sites)).digest('hex').slice(0, 8);
  return { file: path.join(dataDir, `${zone}-${set}.json`) };
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as DnsSettings;
  const zone = localZone(settings.sites);
  const server = await startDnsServer({
    zone,
    port: settings.port,
    controlPort: settings.controlPort,
    ...fileOf(settings, zone.zone),
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

main().catch(endAtStart);
