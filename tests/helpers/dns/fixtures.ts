/** A policy with every strategy, and every provider behind its emulator, or before our own server. */
import { type CloudflareServer, startCloudflare, TOKEN } from '@tandem-clouds/emulators/cloudflare/server';
import { startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { type Route53Server, startRoute53 } from '@tandem-clouds/emulators/route53/server';
import { type VirtualClock, virtualClock } from '@tandem-clouds/testkit/virtual-clock';
import type { Policy, ProviderName } from '../../../dns/policy/policy.ts';
import { parsePolicy } from '../../../dns/policy/read-policy.ts';
import type { Provider } from '../../../dns/provider.ts';
import { CloudflareProvider } from '../../../dns/providers/cloudflare/provider.ts';
import { LocalProvider } from '../../../dns/providers/local/provider.ts';
import { Route53Provider } from '../../../dns/providers/route53/provider.ts';

export const ZONE = 'example.com';

export interface PolicyParts {
  readonly zone?: string;
  readonly provider?: ProviderName;
  readonly names?: string;
  readonly records?: string;
  readonly more?: string;
}

export const ALL_STRATEGIES = `
  - { name: api, strategy: weighted, sites: [aws-us-east-1, azure-eastus] }
  - { name: active, strategy: failover, sites: [azure-eastus, aws-us-east-1] }
  - { name: geo, strategy: geolocation, sites: [azure-eastus, aws-us-east-1] }
  - { name: near, strategy: latency, sites: [azure-eastus, aws-us-east-1] }`;

export const SOME_RECORDS = `
  - { name: '@', type: MX, ttlSeconds: 300, values: [10 mail.example.net, 20 mail2.example.net] }
  - { name: '@', type: CAA, ttlSeconds: 300, values: ['0 issue "ca.example.net"'] }
  - { name: '*.web', type: A, ttlSeconds: 300, values: [192.0.2.1, 192.0.2.2] }
  - { name: v6, type: AAAA, ttlSeconds: 300, values: ['2001:DB8:0::1'] }
  - { name: _sip._tcp, type: SRV, ttlSeconds: 300, values: [1 2 5060 sip.example.net] }
  - { name: note, type: TXT, ttlSeconds: 300, values: ['say "hello" \\\\ é', '${'long '.repeat(100)}'] }
  - { name: www, type: CNAME, ttlSeconds: 300, values: [Api.Example.com.] }`;

const URLS = ['https://a.example.net', 'https://b.example.net'] as const;
const LOCAL_URLS = ['http://127.0.0.1:9', 'http://127.0.0.2:9'] as const;

function withoutWildcards(records: string): string {
  return records
    .split('\n')
    .filter((line) => !line.includes("name: '*"))
    .join('\n');
}

export function policyText({
  zone = ZONE,
  provider = 'route53',
  names = ALL_STRATEGIES,
  records = provider === 'local' ? withoutWildcards(SOME_RECORDS) : SOME_RECORDS,
  more = '',
}: PolicyParts = {}): string {
  // The local server asks its checks at once; nobody listens there.
  const urls = provider === 'local' ? LOCAL_URLS : URLS;
  return `
zone: ${zone}
provider: ${provider}
ttlSeconds: 30
sites:
  aws-us-east-1:
    url: ${urls[0]}
    endpoint: { cname: a.example.net }
    region: us-east-1
    countries: [US]
    default: true
    weight: 50
  azure-eastus:
    url: ${urls[1]}
    endpoint: { cname: b.example.net }
    region: us-east-2
    continents: [EU, AF]
    weight: 50
names: ${names || '[]'}
records: ${records || '[]'}
${more}`;
}

export function policyOf(parts: PolicyParts = {}): Policy {
  return parsePolicy(policyText(parts), 'policy.yml');
}

export interface Bench<S = { close(): Promise<void> }> {
  readonly provider: Provider;
  readonly server: S;
  readonly clock: VirtualClock;
  /** As in another run of the command, which has asked nothing yet. */
  readonly fresh: () => Provider;
}

export async function route53Bench({ key = 'RIGHT' } = {}): Promise<Bench<Route53Server>> {
  const clock = virtualClock();
  const server = await startRoute53(ZONE, clock);
  const config = { endpoint: server.url, credentials: { accessKeyId: key, secretAccessKey: 'secret' } };
  const fresh = (): Provider => new Route53Provider({ zone: ZONE, clock, config });
  return { provider: fresh(), server, clock, fresh };
}

export async function cloudflareBench({ token = TOKEN } = {}): Promise<Bench<CloudflareServer>> {
  const clock = virtualClock();
  const server = await startCloudflare(ZONE);
  const fresh = (): Provider => new CloudflareProvider({ zone: ZONE, clock, token, baseUrl: server.url });
  return { provider: fresh(), server, clock, fresh };
}

export async function localBench(): Promise<Bench> {
  const clock = virtualClock();
  const server = await startDnsServer({ zone: { zone: ZONE, records: [] } });
  const fresh = (): Provider => new LocalProvider({ zone: ZONE, controlUrl: server.controlUrl });
  return { provider: fresh(), server, clock, fresh };
}
