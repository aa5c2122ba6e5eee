/** What is Cloudflare's alone, against its stand-in. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cloudflareBench, policyText, type Bench } from '../../helpers/dns/fixtures.ts';
import type { CloudflareServer } from '../../helpers/dns/cloudflare-server.ts';
import { operatorOf, type Operator } from '../../helpers/dns/operator.ts';

let bench: Bench<CloudflareServer>;
let operator: Operator;
beforeEach(async () => {
  bench = await cloudflareBench();
  operator = operatorOf(bench);
});
afterEach(async () => {
  await bench.server.close();
  operator.leave();
});

const planned = async (): Promise<string> => (await operator.run(['plan'])).out;
const apply = async (): Promise<void> => {
  expect(await operator.run(['apply', '--yes', '--force'])).toMatchObject({ code: 0 });
};

describe('a load balancer', () => {
  it('whose fallback pool was changed by hand is a change of the plan, and apply sets it right', async () => {
    operator.write(policyText({ provider: 'cloudflare', records: '' }));
    await apply();
    const balancer = [...bench.server.balancers.values()].find(({ name }) => name === 'api.example.com')!;
    const right = balancer['fallback_pool'];
    balancer['fallback_pool'] = [...bench.server.pools.keys()].find((id) => id !== right);
    expect(await planned()).toMatch(
      /~ api\.example\.com CNAME\n {4}- when nobody is healthy: azure-eastus\n/,
    );
    await apply();
    expect(await planned()).toContain('nothing to do');
    expect([...bench.server.balancers.values()].find(({ name }) => name === 'api.example.com')).toMatchObject(
      {
        fallback_pool: right,
      },
    );
  });
});
