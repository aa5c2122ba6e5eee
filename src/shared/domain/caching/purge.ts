/**
 * Purging what shared caches in front of a site keep of a record: what every site does, where it has such a cache, for each state
 * of a record that it comes to hold, wherever that was written.
 *
 * Invariant: it is done after the state is in this site's store, so a cache that asks again is answered with that state or a
 * later one. What cannot be purged waits in the record and is tried again, until nothing old can be in a cache any more: from
 * then on it has purged itself.
 */
import { get, type Site } from '@tandem-clouds/replication/protocol';
import type { OutsideEffect, StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { PurgeCall } from '../../ports/cdn.ts';
import { type CacheRules, type Entity, recordIdOf } from '../entity.ts';
import { keysOfChange, sharedCache } from './keys.ts';

/** The reaction, and the service that its step asks. */
export const PURGE = 'cdn';

/** For how long after a change an answer from before it may be in a cache. */
export function keptMs({ maxAgeSeconds, staleIfErrorSeconds }: CacheRules): number {
  return (maxAgeSeconds + staleIfErrorSeconds) * 1_000;
}

/** @param record As it was before this attempt. */
export function* purgeRecord(
  site: Site,
  entity: Entity,
  { key, reactions }: StoredRecord,
): StepsProtocol<undefined> {
  const rules = sharedCache(entity);
  const { effectId, tried } = reactions?.[PURGE] ?? {};
  const isOver =
    rules === undefined ||
    (tried !== undefined && tried.effectId === effectId && site.now() - tried.atMs > keptMs(rules));
  if (isOver) return undefined;
  const record = (yield* get(key))?.record;
  const base = `/${entity.collection}`;
  const call: PurgeCall = {
    keys: keysOfChange(entity, key, record),
    paths: [`${base}/${recordIdOf(entity, key)}`, base],
  };
  yield { op: 'outside', service: PURGE, call } satisfies OutsideEffect;
  return undefined;
}
