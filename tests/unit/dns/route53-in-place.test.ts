/** What changes at Route 53 when one value of a record set changes: that value, and nothing of its neighbours. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Route53Server } from '@tandem-clouds/emulators/route53/server';
import { applyPlan } from '../../../dns/plan/apply-plan.ts';
import { isEmpty, readAndPlan } from '../../../dns/plan/plan.ts';
import { type Bench, policyOf, route53Bench } from '../../helpers/dns/fixtures.ts';

let bench: Bench<Route53Server>;
beforeEach(async () => {
  bench = await route53Bench();
});
afterEach(async () => {
  await bench.server.close();
});

const apply = async (parts: Parameters<typeof policyOf>[0]): Promise<void> => {
  const policy = policyOf(parts);
  await applyPlan(await readAndPlan(policy, bench.provider), bench.provider);
  expect(isEmpty(await readAndPlan(policy, bench.provider))).toBe(true);
};
const find = (name: string) => bench.server.sets.filter(({ Name }) => Name === `${name}.example.com.`);

it('a text keeps the strings that somebody split it into', async () => {
  const written = {
    Name: 'key.example.com.',
    Type: 'TXT',
    TTL: 300,
    ResourceRecords: [{ Value: '"k=rsa; " "p=AAA"' }],
  };
  bench.server.edit([...bench.server.sets, written]);
  const value = (more: string) => ({
    names: '',
    records: `\n  - { name: key, type: TXT, ttlSeconds: 300, values: ['k=rsa; p=AAA', ${more}] }`,
  });
  await apply(value('new'));
  await apply(value("''"));
  expect(find('key')[0]?.ResourceRecords).toEqual([{ Value: '""' }, { Value: '"k=rsa; " "p=AAA"' }]);
});

it('a name that others gave a health check keeps it when a weight changes', async () => {
  const weighted = (weight: number) => ({
    records: '',
    names: `\n  - { name: api, strategy: weighted, sites: [{ site: aws-us-east-1, weight: ${weight} }, azure-eastus] }`,
  });
  await apply(weighted(50));
  const sets = find('api');
  for (const [index, set] of sets.entries()) {
    const { HealthCheckConfig } = bench.server.checks.get(set.HealthCheckId ?? '')!;
    bench.server.addCheck(`theirs-${index}`, `by hand ${index}`, HealthCheckConfig);
    set.HealthCheckId = `theirs-${index}`;
  }
  bench.server.edit([...bench.server.sets]);
  await apply(weighted(20));
  expect(
    find('api')
      .map(({ HealthCheckId, Weight }) => [HealthCheckId, Weight])
      .sort(),
  ).toEqual([
    ['theirs-0', 20],
    ['theirs-1', 50],
  ]);
});

it('an alias that leads to another zone of AWS is a change that the plan shows', async () => {
  const alias = (zoneId: string) => ({
    names: '',
    records: `\n  - { name: x, type: A, alias: { host: x.elb.example.net, zoneId: ${zoneId} } }`,
  });
  await apply(alias('Z1'));
  const { planText } = await import('../../../dns/command/render.ts');
  const text = planText(await readAndPlan(policyOf(alias('Z2')), bench.provider), false);
  expect(text).toContain('- alias x.elb.example.net in zone Z1');
  expect(text).toContain('+ alias x.elb.example.net in zone Z2');
});
