/**
 * Keyed requests over two sites that forget, merge, delete and begin anew, under clients whose clocks disagree: a key that
 * carries its time takes effect once at a site, or is refused.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { eventBytesMax } from '@tandem-clouds/replication/bounds';
import { messageText } from '@tandem-clouds/replication/message';
import { bodyBytesMax, requestsRemembered } from '../../../src/shared/bounds.ts';
import { EntityService } from '../../../src/shared/domain/entity-service.ts';
import { ItemService } from '../../../src/shared/domain/item-service.ts';
import type { KeyedRequest } from '../../../src/shared/domain/request-memory.ts';
import { user } from '../../../src/shared/entities/user.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { checkUser } from '../../helpers/check-user.ts';
import { delivered, TestSite } from '../../helpers/test-site.ts';

const [AWS, AZURE] = ['aws-us-east-1', 'azure-eastus'];
const ADA = { userId: 'ada', name: 'Ada', email: 'ada@example.com' };

type Step =
  | { readonly kind: 'burst'; readonly at: 0 | 1; readonly skewMs: number; readonly count: number }
  | { readonly kind: 'repeat'; readonly at: 0 | 1; readonly back: number }
  | { readonly kind: 'cross'; readonly at: 0 | 1 }
  | { readonly kind: 'anew'; readonly at: 0 | 1 };

const at = fc.constantFrom(0 as const, 1 as const);
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('burst' as const),
        at,
        skewMs: fc.integer({ min: -9_000, max: 4_000 }),
        count: fc.integer({ min: 1, max: requestsRemembered }),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('repeat' as const), at, back: fc.nat(60) }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Step>(
        { kind: 'cross', at: 0 },
        { kind: 'cross', at: 1 },
        { kind: 'anew', at: 0 },
        { kind: 'anew', at: 1 },
      ),
    },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

/** The greatest number of effects that one key had at one site. */
async function mostEffects(plan: readonly Step[], isTimed: boolean): Promise<number> {
  const sites = [new TestSite(AWS, [AZURE]), new TestSite(AZURE, [AWS])] as const;
  const services = sites.map((site) => new EntityService(user, site.replica(), checkUser));
  const made: KeyedRequest[] = [];
  const effects = new Map<string, number>();
  const count = async (where: 0 | 1, request: KeyedRequest): Promise<void> => {
    const done = await services[where]!.change('ada', { signIns: { increment: 1 } }, { request }).catch(
      (error: unknown) => (error as { code: string }).code,
    );
    // Absent at a site that has not received it, or that has deleted it.
    if (typeof done === 'string') {
      expect(['request_forgotten', 'not_found']).toContain(done);
      return;
    }
    const name = `${where} ${request.key}`;
    if (!done.replayed) effects.set(name, (effects.get(name) ?? 0) + 1);
  };
  const cross = async (from: 0 | 1): Promise<void> => {
    const messages = sites[from].outbox.sent.splice(0).map(delivered);
    const other = sites[from === 0 ? 1 : 0];
    if (messages.length > 0) await other.run(applyBatch(other.site, messages, checkEvent));
  };
  await services[0]!.create(ADA, { request: { id: 'ada', key: 'first', body: 'b' } });
  await cross(0);
  for (const step of plan) {
    for (const site of sites) site.nowMs += 500;
    if (step.kind === 'cross') await cross(step.at);
    else if (step.kind === 'anew') {
      await services[step.at]!.remove('ada', {}).catch(() => undefined);
      await services[step.at]!.create(ADA, {}).catch(() => undefined);
    } else if (step.kind === 'repeat') {
      const request = made.at(-1 - step.back);
      if (request !== undefined) await count(step.at, request);
    } else
      for (let n = 0; n < step.count; n += 1) {
        const madeAtMs = sites[step.at].nowMs + step.skewMs + n;
        const key = `k${made.length}`;
        made.push({ id: 'ada', key, body: 'b', ...(isTimed && { madeAtMs }) });
        await count(step.at, made.at(-1)!);
      }
  }
  return Math.max(0, ...effects.values());
}

test('a key that carries its time takes effect once at a site, whatever is forgotten, merged and begun anew', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      expect(await mostEffects(plan, true)).toBeLessThanOrEqual(1);
    }),
    { numRuns: 150 },
  );
});

test('without the time in its key it would take effect again: the check above would find that', async () => {
  const plan: Step[] = [
    { kind: 'burst', at: 0, skewMs: 0, count: requestsRemembered },
    { kind: 'repeat', at: 0, back: requestsRemembered - 1 },
  ];
  expect(await mostEffects(plan, false)).toBe(2);
  expect(await mostEffects(plan, true)).toBe(1);
});

test('what is remembered fits beside the largest body, also when two sites have remembered at once', async () => {
  const data = { text: 'x'.repeat(bodyBytesMax - '{"id":"i","data":{"text":""}}'.length) };
  const sites = [new TestSite(AWS, [AZURE]), new TestSite(AZURE, [AWS])] as const;
  const digest = (n: number): string => String(n).padStart(43, 'd');
  let bytes = 0;
  for (const [index, site] of sites.entries()) {
    const items = new ItemService(site.replica());
    for (let n = 0; n < 40; n += 1) {
      const request = { id: 'i', key: digest(100 * index + n), body: digest(n), madeAtMs: site.nowMs + n };
      const { record } = await items.write({ id: 'i', data }, { request });
      bytes = Buffer.byteLength(messageText(record.state));
    }
  }
  const [one, other] = sites;
  await other.run(applyBatch(other.site, one.outbox.sent.slice(-1).map(delivered), checkEvent));
  const merged = Buffer.byteLength(messageText(other.held('item:i')!.state));
  expect(bytes).toBeLessThan(eventBytesMax / 2);
  expect(merged).toBeLessThan(eventBytesMax);
  await new ItemService(other.replica()).write({ id: 'i', data: {} }, {});
});
