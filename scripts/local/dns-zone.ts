/** What the DNS server of a stack begins with: dns/local.policy.yml, for the sites and ports that the stack has. */
import path from 'node:path';
import { readPolicy, type Policy, type SiteSettings } from '../../dns/policy/policy.ts';
import { recordsOf } from '../../dns/policy/records.ts';
import type { Zone } from '../../dns/server/zone.ts';
import { HOST } from './stack/ports.ts';

/** A site and the port on 127.0.0.1 where its functions answer. */
export interface DnsSite {
  readonly site: string;
  readonly port: number;
}

const POLICY = path.join(import.meta.dirname, '../../dns/local.policy.yml');
/** The sites' addresses begin here. */
const FIRST_ADDRESS = 2;

/** The policy's names with these sites; what the policy says of a site stays, but for where it is. */
export function localPolicy(sites: readonly DnsSite[]): Policy {
  const policy = readPolicy(POLICY);
  const settings = sites.map(({ site, port }, index): [string, SiteSettings] => [
    site,
    {
      ...policy.sites[site],
      url: `http://${HOST}:${port}`,
      endpoint: { addresses: [`127.0.0.${FIRST_ADDRESS + index}`] },
    },
  ]);
  return {
    ...policy,
    sites: Object.fromEntries(settings),
    names: policy.names.map((name) => ({ ...name, sites: sites.map(({ site }) => site) })),
  };
}

export function localZone(sites: readonly DnsSite[]): Zone {
  const policy = localPolicy(sites);
  return { zone: policy.zone, records: recordsOf(policy) };
}
