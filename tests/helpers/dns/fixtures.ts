/** A policy with every strategy, and both providers behind their stand-ins. */
import { CloudflareProvider } from '../../../dns/providers/cloudflare/provider.ts';
import { Route53Provider } from '../../../dns/providers/route53/provider.ts';
import { parsePolicy, type Policy } from '../../../dns/policy/policy.ts';
import type { Provider } from '../../../dns/provider.ts';
import { startCloudflare, TOKEN, type CloudflareServer } from './cloudflare-server.ts';
import { startRoute53, type Route53Server } from './route53-server.ts';
import { virtualClock, type VirtualClock } from './virtual-clock.ts';

export const ZONE = 'example.com';

export interface PolicyParts {
  readonly zone?: string;
  readonly provider?: 'cloudflare' | 'route53';
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

export function policyText({
  zone = ZONE,
  provider = 'route53',
  names = ALL_STRATEGIES,
  records = SOME_RECORDS,
  more = '',
}: PolicyParts = {}): string {
  return `
zone: ${zone}
provider: ${provider}
ttlSeconds: 30
sites:
  aws-us-east-1:
    url: https://a.example.net
    endpoint: { cname: a.example.net }
    region: us-east-1
    countries: [US]
    default: true
    weight: 50
  azure-eastus:
    url: https://b.example.net
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

export interface Bench<S = CloudflareServer | Route53Server> {
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
