/** Asks Cloudflare for a zone. */
import { ProviderError } from '../../errors.ts';
import { type Connection, listAll } from './client.ts';
import { readRulesets } from './edge-changes.ts';
import { lockName } from './lock-record.ts';
import type { Raw } from './raw.ts';

const PAGE = 1_000;

export interface ZoneIds {
  readonly zoneId: string;
  readonly accountId: string;
}

/** @param zoneId undefined: looked up by name. @throws ProviderError not-found, or naming the candidates. */
export async function findIds(
  { client, query }: Connection,
  zone: string,
  zoneId: string | undefined,
): Promise<ZoneIds> {
  const zones = await listAll(query, async () => client.zones.list({ name: zone }));
  const found = zones.filter(({ id }) => zoneId === undefined || id === zoneId);
  const [one] = found;
  if (one === undefined) throw new ProviderError('not-found', `this token sees no Cloudflare zone ${zone}`);
  if (found.length > 1) {
    const ids = found.map(({ id }) => id).join(', ');
    throw new ProviderError('rejected', `there are several zones ${zone}; set zoneId to one of ${ids}`);
  }
  return { zoneId: one.id, accountId: one.account.id ?? '' };
}

/** Everything of the zone, but for its lock and its own NS. */
export async function readRaw(
  connection: Connection,
  zone: string,
  { zoneId, accountId }: ZoneIds,
): Promise<Raw> {
  const { client, query } = connection;
  const account = { account_id: accountId };
  const [records, balancers, pools, monitors, rulesets] = await Promise.all([
    listAll(query, async () => client.dns.records.list({ zone_id: zoneId, per_page: PAGE })),
    listAll(query, async () => client.loadBalancers.list({ zone_id: zoneId })),
    listAll(query, async () => client.loadBalancers.pools.list(account)),
    listAll(query, async () => client.loadBalancers.monitors.list(account)),
    readRulesets(connection, zoneId),
  ]);
  const own = records.filter(
    ({ name, type }) => name !== lockName(zone) && !(type === 'NS' && name === zone),
  );
  return { zone, zoneId, accountId, records: own, balancers, pools, monitors, rulesets };
}
