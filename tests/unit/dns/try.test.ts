import { expect, it } from '@jest/globals';
import { Route53Provider } from '../../../dns/providers/route53/provider.ts';
import { parsePolicy } from '../../../dns/policy/policy.ts';
import { readAndPlan, isEmpty } from '../../../dns/plan.ts';
import { perform } from '../../../dns/perform.ts';
import { startRoute53 } from '../../helpers/dns/route53-server.ts';
import { virtualClock } from '../../helpers/dns/virtual-clock.ts';

it('works', async () => {
  const clock = virtualClock();
  const server = await startRoute53('example.com', clock);
  try {
    const provider = new Route53Provider({
      zone: 'example.com',
      clock,
      config: { endpoint: server.url, credentials: { accessKeyId: 'A', secretAccessKey: 'b' } },
    });
    const policy = parsePolicy(
      `
zone: example.com
provider: route53
sites:
  aws-us-east-1: { url: 'https://a.example.net', endpoint: { cname: a.example.net }, region: us-east-1, countries: [US], default: true, weight: 50 }
  azure-eastus: { url: 'https://b.example.net', endpoint: { cname: b.example.net }, region: us-east-2, continents: [EU, AF], weight: 50 }
names:
  - { name: api, strategy: weighted, sites: [aws-us-east-1, azure-eastus] }
  - { name: fail, strategy: failover, sites: [azure-eastus, aws-us-east-1] }
  - { name: geo, strategy: geolocation, sites: [azure-eastus, aws-us-east-1] }
  - { name: lat, strategy: latency, sites: [azure-eastus, aws-us-east-1] }
records:
  - { name: '*.w', type: TXT, values: ['hello "you" é'] }
`,
      'p',
    );
    const plan = await readAndPlan(policy, provider);
    await perform(plan, provider);
    const again = await readAndPlan(policy, provider);
    expect(again.changes).toEqual([]);
    expect(isEmpty(again)).toBe(true);
    expect(server.checks.size).toBe(2);
    console.log(server.asked.length, clock.sleeps);
  } finally {
    await server.close();
  }
});
