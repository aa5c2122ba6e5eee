/** When a record is purged: for each state, at every site that has a cache, and not when nothing old can be kept any more. */
import { describe, expect, test } from '@jest/globals';
import type { OutsideEffect } from '@tandem-clouds/replication/reactions/react';
import { entityKey, recordKey } from '../../../src/shared/domain/caching/keys.ts';
import { keptMs, PURGE, purgeRecord } from '../../../src/shared/domain/caching/purge.ts';
import { reactionNames, reactionsOf } from '../../../src/shared/domain/reactions.ts';
import { product } from '../../../src/shared/entities/product.ts';
import { user } from '../../../src/shared/entities/user.ts';
import { TestSite } from '../../helpers/test-site.ts';

const own = { purges: true };
const reactions = reactionsOf([product, user], (text) => text, undefined, undefined, own);

function purging(): TestSite {
  const site = new TestSite('aws-us-east-1');
  site.site = { ...site.site, reactions: reactions! };
  return site;
}

/** What a run asks for outside. */
async function asked(site: TestSite, key: string): Promise<readonly unknown[]> {
  const calls: unknown[] = [];
  const steps = purgeRecord(site.site, product, site.held(key)!);
  let { done, value } = steps.next();
  while (done !== true) {
    const effect = value as OutsideEffect | { readonly op: string };
    if (effect.op === 'outside') calls.push((effect as OutsideEffect).call);
    const answer = effect.op === 'outside' ? undefined : await site.store.get(key);
    ({ done, value } = steps.next(answer));
  }
  return calls;
}

test('is declared of what everybody reads and caches keep, where the site has a cache', () => {
  expect(reactionNames(product, own)).toContain(PURGE);
  expect(reactionNames(product)).not.toContain(PURGE);
  expect(reactionNames(user, own)).not.toContain(PURGE);
});

test('names each state, and nothing that is done is due again', async () => {
  const site = purging();
  const effectOf = () => site.held('product:mug')?.reactions?.[PURGE]?.effectId;
  await site.write('product:mug', { name: 'Mug' });
  const first = effectOf();
  site.nowMs += 1;
  await site.write('product:mug', { name: 'Cup' });
  expect(effectOf()).not.toBe(first);
  expect(first).toMatch(/^cdn-/);
});

describe('what is purged', () => {
  test('is what the record is known by to each cache', async () => {
    const site = purging();
    await site.write('product:mug', { name: 'Mug', category: 'kitchen' });
    const [call] = await asked(site, 'product:mug');
    expect(call).toEqual({
      keys: [recordKey('product:mug'), entityKey(product), expect.any(String)],
      paths: ['/products/mug', '/products'],
    });
  });

  test('is nothing once what was kept has gone by itself', async () => {
    const site = purging();
    await site.write('product:mug', { name: 'Mug' });
    const held = site.held('product:mug')!;
    const { effectId } = held.reactions![PURGE]!;
    const triedAt = (atMs: number) => {
      const entry = { ...held.reactions![PURGE], tried: { effectId: effectId!, atMs } };
      site.store.items.get('product:mug')!.record = { ...held, reactions: { [PURGE]: entry } };
    };
    triedAt(site.nowMs - keptMs(product.cache!));
    expect(await asked(site, 'product:mug')).toHaveLength(1);
    triedAt(site.nowMs - keptMs(product.cache!) - 1);
    expect(await asked(site, 'product:mug')).toHaveLength(0);
  });
});
