/**
 * Opens the client of Redis. Its module is loaded when somebody asks for the first time, so where there is no cache it costs a
 * function nothing but its bytes.
 */
import type { Redis } from 'ioredis';
import { cacheConnectMs } from '../../bounds.ts';
import type { KeptText, TextCache } from '../../ports/text-cache.ts';
import { RedisCache } from './redis-cache.ts';

/** @param url `rediss://…`, or `redis://` on this machine. */
export function openRedis(url: string): TextCache & { close(): Promise<void> } {
  let client: Redis | undefined;
  let opening: Promise<RedisCache> | undefined;
  const open = async (): Promise<RedisCache> => {
    const { Redis } = await import('ioredis');
    client = new Redis(url, {
      connectTimeout: cacheConnectMs,
      // What is not answered now is of no use later: no queue of commands, and none is sent twice.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times) => Math.min(200 * times, 5_000),
    });
    // Every command fails by itself.
    client.on('error', () => undefined);
    return new RedisCache(client);
  };
  const cache = (): Promise<RedisCache> => (opening ??= open());
  return {
    getMany: async (names) => (await cache()).getMany(names),
    keep: async (texts: readonly KeptText[]) => (await cache()).keep(texts),
    drop: async (names) => (await cache()).drop(names),
    close: () => {
      client?.disconnect();
      return Promise.resolve();
    },
  };
}
