/** How clients find a stack by DNS only: the name, what it resolves to, and who listens there. */
import { Resolver } from 'node:dns/promises';
import type { RoutedRecord } from '@tandem-clouds/zone/model';
import { ZONE_PATH, type ZoneState } from '@tandem-clouds/emulators/dns/control';
import type { Arena } from '../cluster/test-cluster.ts';
import { askJson } from '../cluster/request.ts';
import type { Resolved } from './load-generator.ts';
import { openFrontDoors, type FrontDoors } from './site-endpoints.ts';

const ANSWER_WITHIN_MS = 5_000;

export interface Entrance extends FrontDoors {
  readonly record: RoutedRecord;
  readonly resolve: () => Promise<Resolved>;
}

/** @throws Error when the zone answers no name with sites, or an address is none of this machine's. */
export async function openEntrance(arena: Arena): Promise<Entrance> {
  const record = await recordOf(arena);
  const frontDoors = await openFrontDoors(addressesOf(arena, record));
  return { ...frontDoors, record, resolve: () => ask(arena.describe().dns.port, record.name) };
}

/** The one name that is answered with sites. */
async function recordOf(arena: Arena): Promise<RoutedRecord> {
  const url = new URL(ZONE_PATH, arena.describe().dns.controlUrl);
  const { zone } = (await askJson(url, ANSWER_WITHIN_MS)) as ZoneState;
  const record = zone.records.find((one) => one.kind === 'routed');
  if (record === undefined) throw new Error(`the zone ${zone.zone} answers no name with sites`);
  return record;
}

function addressesOf(arena: Arena, { targets }: RoutedRecord) {
  return targets.map(({ site, values: [address = ''] }) => ({
    site,
    address,
    port: Number(new URL(arena.site(site).url).port),
  }));
}

/** One question and no memory of its own: how long an answer is kept is the client's affair. */
async function ask(port: number, name: string): Promise<Resolved> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const [answer] = await resolver.resolve4(name, { ttl: true });
  if (answer === undefined) throw new Error(`no answer for ${name}`);
  return { address: answer.address, ttlSeconds: answer.ttl };
}
