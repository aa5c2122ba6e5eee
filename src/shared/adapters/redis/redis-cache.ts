/**
 * Redis, and what speaks its protocol (Valkey, ElastiCache, Azure Managed Redis), as the cache of texts.
 *
 * Invariant: a text is replaced by a later one alone, in one step at the server, so a reader that is late brings nothing back;
 * and what cannot be replaced, because the server is full, is dropped, which a full server still takes.
 * @see https://redis.io/docs/latest/develop/programmability/eval-intro/
 */
import type { Redis } from 'ioredis';
import { type KeptText, type TextCache, versionDigits } from '../../ports/text-cache.ts';

/** What is there is compared by its digits; what does not begin with digits is nothing of ours. */
const KEEP = `
local held = redis.call('GETRANGE', KEYS[1], 0, ${versionDigits - 1})
if string.len(held) == ${versionDigits} and string.find(held, '^%d+$') and held > string.sub(ARGV[1], 1, ${versionDigits}) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

export class RedisCache implements TextCache {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async getMany(names: readonly string[]): Promise<readonly (string | undefined)[]> {
    const texts = await this.#redis.mget(...names);
    return texts.map((text) => text ?? undefined);
  }

  async keep(texts: readonly KeptText[]): Promise<void> {
    await Promise.all(
      texts.map(async ({ name, text, ttlMs }) => {
        try {
          await this.#redis.eval(KEEP, 1, name, text, ttlMs);
        } catch (error) {
          await this.#redis.unlink(name);
          throw error;
        }
      }),
    );
  }

  async drop(names: readonly string[]): Promise<void> {
    await this.#redis.unlink(...names);
  }
}
