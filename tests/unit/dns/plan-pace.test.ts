/**
 * A plan for a zone of 1,000 names spends under 2 s on the provider's request limits. How long its own work takes is
 * measured by `npm run bench -- plan`.
 */
import { expect, it } from '@jest/globals';
import { applyPlan } from '../../../dns/plan/apply-plan.ts';
import { isEmpty, readAndPlan } from '../../../dns/plan/plan.ts';
import { parsePolicy } from '../../../dns/policy/read-policy.ts';
import { cloudflareBench, policyText, route53Bench } from '../../helpers/dns/fixtures.ts';

const NAMES = 1_000;
const PACED_MS_MAX = 2_000;

it.each([
  { provider: 'route53' as const, start: route53Bench },
  { provider: 'cloudflare' as const, start: cloudflareBench },
])(
  'plans a zone of 1,000 routed names within the request limits of $provider',
  async ({ provider, start }) => {
    const bench = await start();
    try {
      const names = Array.from(
        { length: NAMES },
        (_name, index) =>
          `\n  - { name: api${index}, strategy: weighted, sites: [aws-us-east-1, azure-eastus] }`,
      ).join('');
      const text = policyText({ provider, names, records: '' });
      await applyPlan(await readAndPlan(parsePolicy(text, 'policy.yml'), bench.provider), bench.provider);
      const again = bench.fresh();
      await bench.clock.sleep(10_000);
      const waitedFromMs = bench.clock.now();
      const plan = await readAndPlan(parsePolicy(text, 'policy.yml'), again);
      expect(isEmpty(plan)).toBe(true);
      expect(plan.liveRecords).toBe(NAMES);
      expect(bench.clock.now() - waitedFromMs).toBeLessThan(PACED_MS_MAX);
    } finally {
      await bench.server.close();
    }
  },
);
