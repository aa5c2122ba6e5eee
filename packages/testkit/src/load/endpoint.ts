/** How clients find a stack by DNS only: the name, what it resolves to, and who listens there. */
import { Resolver } from 'node:dns/promises';
import { ZONE_PATH, type ZoneState } from '@tandem-clouds/emulators/dns/control';
import type { RoutedRecord } from '@tandem-clouds/zone/model';
import { queryJson } from '../cluster/request.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import type { Resolved } from './load-generator.ts';
import { openSiteEndpoints, type SiteEndpoints } from './site-endpoints.ts';

const RESPONSE_WITHIN_MS = 5_000;

export interface TrafficEndpoint extends SiteEndpoints {
  readonly record: RoutedRecord;
  readonly resolve: () => Promise<Resolved>;
}

/** @throws Error when the zone answers no name with sites, or an address is none of this machine's. */
export async function openTrafficEndpoint(cluster: TestCluster): Promise<TrafficEndpoint> {
  const record = await recordOf(cluster);
  const siteEndpoints = await openSiteEndpoints(addressesOf(cluster, record));
  return { ...siteEndpoints, record, resolve: () => query(cluster.describe().dns.port, record.name) };
}

/** The one name that is answered with sites. */
async function recordOf(cluster: TestCluster): Promise<RoutedRecord> {
  const url = new URL(ZONE_PATH, cluster.describe().dns.controlUrl);
  const { zone } = (await queryJson(url, RESPONSE_WITHIN_MS)) as ZoneState;
  const record = zone.records.find((one) => one.kind === 'routed');
  if (record === undefined) throw new Error(`the zone ${zone.zone} answers no name with sites`);
  return record;
}

function addressesOf(cluster: TestCluster, { targets }: RoutedRecord) {
  return targets.map(({ site, values: [address = ''] }) => ({
    site,
    address,
    port: Number(new URL(cluster.site(site).url).port),
  }));
}

/** One question and no memory of its own: how long an answer is kept is the client's affair. */
async function query(port: number, name: string): Promise<Resolved> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const [response] = await resolver.resolve4(name, { ttl: true });
  if (response === undefined) throw new Error(`no answer for ${name}`);
  return { address: response.address, ttlSeconds: response.ttl };
}
