/** What the DNS server of a stack begins with: dns/local.policy.yml, for the sites and ports that the stack has. */
import path from 'node:path';
import type { Zone } from '@tandem-clouds/emulators/dns/zone';
import { policyFor } from '../../../dns/command/local-stack.ts';
import type { Policy } from '../../../dns/policy/policy.ts';
import { readPolicy } from '../../../dns/policy/read-policy.ts';
import { recordsOf } from '../../../dns/policy/records.ts';
import { HOST } from './ports.ts';

/** A site and the port on 127.0.0.1 where its functions answer. */
export interface DnsSite {
  readonly site: string;
  readonly port: number;
}

const POLICY = path.join(import.meta.dirname, '../../../dns/local.policy.yml');

export function localPolicy(sites: readonly DnsSite[]): Policy {
  return policyFor(
    readPolicy(POLICY),
    sites.map(({ site, port }) => ({ site, url: `http://${HOST}:${port}` })),
  );
}

export function localZone(sites: readonly DnsSite[]): Zone {
  const policy = localPolicy(sites);
  return { zone: policy.zone, records: recordsOf(policy) };
}
