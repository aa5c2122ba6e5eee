import { describe, expect, test } from '@jest/globals';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { cachedSecrets } from '../../../src/shared/adapters/cached-secrets.ts';
import { maskedLogger } from '../../../src/shared/adapters/masked-logger.ts';
import { secretsKeptMax } from '../../../src/shared/bounds.ts';
import type { Vault } from '../../../src/shared/ports/secrets.ts';

function vaultOf(read: (name: string) => Promise<string> | string): Vault & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    read: async (name) => {
      asked.push(name);
      return await read(name);
    },
    howToSet: (name) => `set ${name}`,
  };
}

describe('secrets that are kept', () => {
  test.each(['', 'Stripe-Key', 'stripe_key', '-key', 'key-', 'a--b', 'shop/key', 'n'.repeat(128)])(
    'the name %p, which one of the vaults would not take, is refused before it is asked for',
    async (name) => {
      const vault = vaultOf(() => 'value');
      const secrets = cachedSecrets({ vault });
      await expect(secrets.get(name)).rejects.toThrow(RangeError);
      await expect(secrets.refresh(name, 'old')).rejects.toThrow(RangeError);
      expect(vault.asked).toEqual([]);
    },
  );

  test('are bounded in number: the one that was used longest ago goes', async () => {
    const vault = vaultOf((name) => `of ${name}`);
    const secrets = cachedSecrets({ vault, now: () => 0 });
    for (let i = 0; i < secretsKeptMax; i += 1) await secrets.get(`s${i}`);
    await secrets.get('s0');
    await secrets.get('one-more');
    expect(secrets.held()).toHaveLength(secretsKeptMax);
    vault.asked.length = 0;
    await secrets.get('s0');
    await secrets.get('s1');
    expect(vault.asked).toEqual(['s1']);
  });

  test('a storm of refusals by a provider asks the vault once in five seconds', async () => {
    let now = 0;
    const vault = vaultOf(() => 'the same');
    const secrets = cachedSecrets({ vault, now: () => now });
    await secrets.get('key');
    for (let i = 0; i < 100; i += 1) {
      now += 100;
      expect(await secrets.refresh('key', 'the same')).toBe('the same');
    }
    expect(vault.asked).toHaveLength(3);
  });

  test('a refusal of a value that was replaced meanwhile asks nothing', async () => {
    let now = 0;
    const vault = vaultOf(() => 'new');
    const secrets = cachedSecrets({ vault, now: () => now });
    await secrets.get('key');
    now += 60_000;
    expect(await secrets.refresh('key', 'old')).toBe('new');
    expect(vault.asked).toHaveLength(1);
  });

  test('a refresh that fails leaves the value to others', async () => {
    let now = 0;
    let fails = false;
    const vault = vaultOf(() => {
      if (fails) throw new UnavailableError('the vault is away');
      return 'value';
    });
    const secrets = cachedSecrets({ vault, now: () => now });
    await secrets.get('key');
    fails = true;
    now += 60_000;
    await expect(secrets.refresh('key', 'value')).rejects.toThrow(UnavailableError);
    expect(await secrets.get('key')).toBe('value');
  });
});

describe('a log beside secrets', () => {
  test('shows no value that was read, wherever it stands, and short ones as they are', async () => {
    const lines: unknown[] = [];
    const vault = vaultOf((name) => (name === 'short' ? 'on' : 'sk_"quoted"_1'));
    const secrets = cachedSecrets({ vault });
    const log = maskedLogger({ log: (...line) => void lines.push(line) }, () => secrets.held(), {
      requestId: 'r1',
    });
    await secrets.get('key');
    await secrets.get('short');
    log.log('info', 'with sk_"quoted"_1', { header: 'Bearer sk_"quoted"_1', state: 'on' });
    expect(lines).toEqual([['info', 'with ***', { requestId: 'r1', header: 'Bearer ***', state: 'on' }]]);
  });
});
