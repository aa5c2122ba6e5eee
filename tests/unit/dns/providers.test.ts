/**
 * What holds for every provider: through the vendor's own client against an emulator that knows the published API, or
 * against our own DNS server.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { applyPlan } from '../../../dns/plan/apply-plan.ts';
import { withLock } from '../../../dns/plan/lock.ts';
import { isEmpty, readAndPlan } from '../../../dns/plan/plan.ts';
import { dump } from '../../../dns/policy/dump.ts';
import { parsePolicy } from '../../../dns/policy/read-policy.ts';
import {
  ALL_STRATEGIES,
  type Bench,
  cloudflareBench,
  localBench,
  policyOf,
  route53Bench,
  ZONE,
} from '../../helpers/dns/fixtures.ts';

const WITH_WEIGHTS = ALL_STRATEGIES.replace(
  'sites: [aws-us-east-1, azure-eastus] }',
  'sites: [{ site: aws-us-east-1, weight: 90 }, { site: azure-eastus, weight: 10 }] }',
);

describe.each([
  { name: 'route53' as const, start: route53Bench },
  { name: 'cloudflare' as const, start: cloudflareBench },
  { name: 'local' as const, start: localBench },
])('a zone at $name', ({ name, start }) => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await start();
  });
  afterEach(async () => {
    await bench.server.close();
  });
  const plan = async (parts: Parameters<typeof policyOf>[0] = {}) =>
    readAndPlan(policyOf({ provider: name, ...parts }), bench.provider);
  const apply = async (parts: Parameters<typeof policyOf>[0] = {}) =>
    applyPlan(await plan(parts), bench.provider);

  it('holds every strategy and type after one apply, so that a second plan is empty', async () => {
    await apply();
    const second = await plan();
    expect(second.changes).toEqual([]);
    expect(second.foreign).toEqual([]);
    expect(isEmpty(second)).toBe(true);
  });

  it('is dumped as a policy that plans to nothing', async () => {
    await apply({ names: WITH_WEIGHTS });
    const text = dump(await bench.provider.read(), { zone: ZONE, provider: name });
    const again = await readAndPlan(parsePolicy(text, 'dump.yml'), bench.provider);
    expect(again.changes).toEqual([]);
    expect(isEmpty(again)).toBe(true);
  });

  it('shows an edit by somebody else in the plan, and apply undoes it', async () => {
    await apply();
    await apply({ names: WITH_WEIGHTS });
    const back = await plan();
    expect(back.changes.map(({ after }) => after?.name)).toEqual(['api.example.com']);
    await applyPlan(back, bench.provider);
    expect(isEmpty(await plan())).toBe(true);
  });

  it('removes the health checks that nothing uses any more', async () => {
    await apply();
    await apply({ more: 'healthCheck: { path: /health/deep }' });
    expect(isEmpty(await plan({ more: 'healthCheck: { path: /health/deep }' }))).toBe(true);
    await apply({ names: '' });
    expect((await bench.provider.read()).leftovers).toEqual([]);
  });

  it('refuses to apply a plan when the record has changed in between', async () => {
    await apply();
    const stale = await plan({ names: WITH_WEIGHTS });
    await apply({ names: WITH_WEIGHTS.replace('90', '80') });
    await expect(applyPlan(stale, bench.provider)).rejects.toThrow(
      /changed by somebody else|not what it was/,
    );
  });

  it('lets one of two operators have the lock, and the other take it over when it is stale', async () => {
    const { provider, clock } = bench;
    const reported: string[] = [];
    const options = (owner: string) => ({
      provider,
      clock,
      owner,
      report: (text: string) => void reported.push(text),
    });
    await withLock(options('first'), async () => {
      await expect(withLock(options('second'), () => Promise.resolve(0))).rejects.toThrow(
        /locked by first until/,
      );
      await clock.sleep(300_000);
      await withLock(options('third'), () => {
        expect(reported).toEqual([expect.stringContaining('took over the stale lock of first')]);
        return Promise.resolve();
      });
    });
    expect(await provider.readLock()).toBeUndefined();
  });

  it('stops an operator whose lock was taken over', async () => {
    const { provider, clock } = bench;
    const report = () => undefined;
    const work = withLock({ provider, clock, report, owner: 'first' }, async (lock) => {
      await clock.sleep(300_000);
      await withLock({ provider, clock, report, owner: 'second' }, async () => lock.renew());
    });
    await expect(work).rejects.toThrow('taken over by somebody else');
  });
});
