/** What the model does not say of a Cloudflare record or load balancer stays when something else of it changes. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CloudflareServer } from '@tandem-clouds/emulators/cloudflare/server';
import { applyPlan } from '../../../dns/plan/apply-plan.ts';
import { isEmpty, readAndPlan } from '../../../dns/plan/plan.ts';
import { type Bench, cloudflareBench, policyOf, type PolicyParts } from '../../helpers/dns/fixtures.ts';

let bench: Bench<CloudflareServer>;
beforeEach(async () => {
  bench = await cloudflareBench();
});
afterEach(async () => {
  await bench.server.close();
});

const apply = async (parts: PolicyParts): Promise<void> => {
  const policy = policyOf({ provider: 'cloudflare', names: '', ...parts });
  await applyPlan(await readAndPlan(policy, bench.provider), bench.provider);
  expect(isEmpty(await readAndPlan(policy, bench.provider))).toBe(true);
};
const records = (name: string) => bench.server.records.filter((record) => record['name'] === name);
const addresses = (ttl: number, ...values: string[]): PolicyParts => ({
  records: `\n  - { name: www, type: A, ttlSeconds: ${ttl}, values: [${values.join(', ')}] }`,
});
const REMARKS = { comment: 'asked for by sales', tags: ['team:web'], settings: { ipv4_only: true } };

describe('a record of several values', () => {
  beforeEach(async () => {
    await apply(addresses(300, '192.0.2.1', '192.0.2.2'));
    for (const record of records('www.example.com')) Object.assign(record, REMARKS);
  });

  it('keeps the neighbours of a value that changes as they are, and the value its remarks', async () => {
    const before = records('www.example.com');
    await apply(addresses(300, '192.0.2.1', '192.0.2.3'));
    const after = records('www.example.com');
    const of = (list: typeof after, content: string) => list.find((record) => record['content'] === content);
    expect(of(after, '192.0.2.1')).toEqual(of(before, '192.0.2.1'));
    expect(of(after, '192.0.2.3')).toEqual({ ...of(before, '192.0.2.2'), content: '192.0.2.3' });
  });

  it('asks for nothing but the value that is new, or for the one that goes', async () => {
    const [first] = records('www.example.com');
    await apply(addresses(300, '192.0.2.1', '192.0.2.2', '192.0.2.3'));
    expect(records('www.example.com')).toHaveLength(3);
    await apply(addresses(300, '192.0.2.1'));
    expect(records('www.example.com')).toEqual([first]);
  });

  it('gets another TTL in place', async () => {
    const before = records('www.example.com');
    await apply(addresses(600, '192.0.2.1', '192.0.2.2'));
    expect(records('www.example.com')).toEqual(before.map((record) => ({ ...record, ttl: 600 })));
  });

  it('stays as it is when the rest of the zone changes', async () => {
    const before = records('www.example.com');
    const { records: own = '' } = addresses(300, '192.0.2.1', '192.0.2.2');
    await apply({ records: `${own}\n  - { name: new, type: TXT, ttlSeconds: 300, values: [''] }` });
    expect(records('www.example.com')).toEqual(before);
  });
});

it('a text that stays is not written in another way', async () => {
  const text = (ttl: number): PolicyParts => ({
    records: `\n  - { name: cafe, type: TXT, ttlSeconds: ${ttl}, values: [café, 'a\\065b'] }`,
  });
  await apply(text(300));
  const [first] = records('cafe.example.com').filter((record) => String(record['content']).includes('caf'));
  first!['content'] = '"caf\\195\\169"';
  await apply(text(600));
  expect(records('cafe.example.com').map(({ content }) => content)).toContain('"caf\\195\\169"');
});

it('a CNAME of the zone itself stands beside its mail, and says that there is none where there is none', async () => {
  await apply({
    records: `
  - { name: '@', type: CNAME, ttlSeconds: 300, values: [a.example.net] }
  - { name: '@', type: MX, ttlSeconds: 300, values: [0 .] }
  - { name: _sip._tcp, type: SRV, ttlSeconds: 300, values: [0 0 0 .] }
  - { name: empty, type: TXT, ttlSeconds: 300, values: [''] }`,
  });
  expect(records('example.com').map(({ type, content, priority }) => [type, content, priority])).toEqual([
    ['CNAME', 'a.example.net', undefined],
    ['MX', '.', 0],
  ]);
});

describe('a load balancer', () => {
  const NAMES = (weight: number): PolicyParts => ({
    records: '',
    names: `\n  - { name: api, strategy: weighted, sites: [{ site: aws-us-east-1, weight: ${weight} }, azure-eastus] }`,
  });

  it('keeps the settings that no policy says when a weight changes', async () => {
    await apply(NAMES(50));
    const [balancer] = [...bench.server.balancers.values()];
    Object.assign(balancer!, { session_affinity: 'cookie', session_affinity_ttl: 1_800 });
    await apply(NAMES(20));
    const [after] = [...bench.server.balancers.values()];
    expect(after).toMatchObject({ session_affinity: 'cookie', session_affinity_ttl: 1_800 });
    expect(Object.values((after!['random_steering'] as { pool_weights: object }).pool_weights)).toContain(
      0.2,
    );
  });

  it('that somebody else made keeps its pools when a weight changes', async () => {
    await apply(NAMES(50));
    for (const pool of bench.server.pools.values()) pool['description'] = 'by hand';
    const ids = [...bench.server.pools.keys()];
    for (const [index, site] of ['aws-us-east-1', 'azure-eastus'].entries())
      bench.server.pools.get(ids[index]!)!['name'] = site;
    await apply(NAMES(20));
    expect([...bench.server.pools.keys()]).toEqual(ids);
  });

  it('loses what belonged to another way to share', async () => {
    const geo = `\n  - { name: api, strategy: geolocation, sites: [azure-eastus, aws-us-east-1] }`;
    await apply({ records: '', names: geo });
    await apply(NAMES(50));
    await apply({ records: '', names: geo });
  });
});
