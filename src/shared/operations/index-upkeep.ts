/**
 * What a site does about its indexes at each tick: it begins to fill those that its release has added, and opens those
 * that every site has filled.
 *
 * Invariant: an index of the application is begun only when the store's own index answers, because a deployment adds those
 * one at a time, and goes on while they are made. One that this release does not declare is forgotten, because it is no
 * longer kept: should it come back it is filled again.
 */
import { pass } from '@tandem-clouds/replication/anti-entropy/job';
import { indexFillAgainMs, indexFillDelaySeconds } from '@tandem-clouds/replication/bounds';
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { isPermanent } from '@tandem-clouds/replication/errors';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import {
  INDEXES_FIELD,
  indexesField,
  type IndexState,
  indexStates,
  isFilledElsewhere,
} from '@tandem-clouds/replication/index-phases';
import { localWrite } from '@tandem-clouds/replication/local-write';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { DeclaredIndex } from '../domain/indexes/declared-index.ts';
import { FIRST, LAST } from '../domain/indexes/list-query.ts';
import { readEach } from '../read-each.ts';

/** @param heartbeat The site's own, as it was found; undefined: there is none. */
export async function keepIndexes(
  site: Site,
  indexes: readonly DeclaredIndex[],
  heartbeat: StoredRecord | undefined,
  resources: Resources,
): Promise<void> {
  const known = indexStates(heartbeat);
  const nowMs = site.now();
  const isStuck = ({ phase, sinceMs }: IndexState): boolean =>
    phase === 'filling' && Math.abs(nowMs - sinceMs) > indexFillAgainMs;
  const fresh = indexes.filter(({ id }) => known[id] === undefined || isStuck(known[id]));
  const begun = await beginFilling(site, fresh, resources);
  const changes = new Map<string, IndexState>(begun);
  const filled = indexes.filter(({ id }) => known[id]?.phase === 'filled');
  if (filled.length > 0) {
    const { held } = await readEach(resources.store, site.peers.map(heartbeatKey));
    const peers = site.peers.map((peer) => held.get(heartbeatKey(peer))?.record);
    for (const { id } of filled)
      if (isFilledElsewhere(id, peers)) changes.set(id, { phase: 'open', sinceMs: known[id]?.sinceMs ?? 0 });
  }
  const declared = new Set(indexes.map(({ id }) => id));
  const isKept = ([id]: readonly [string, IndexState]): boolean => declared.has(id);
  if (changes.size === 0 && Object.entries(known).every(isKept)) return;
  await drive(
    localWrite(site, {
      key: heartbeatKey(site.site),
      operationId: `indexes-${nowMs}`,
      decide: (held) => {
        const kept = Object.entries(indexStates(held)).filter(isKept);
        return { [INDEXES_FIELD]: indexesField(Object.fromEntries([...kept, ...changes])) };
      },
    }),
    resources,
  );
}

/**
 * The message first: should the note of it be lost, the next tick sends another, and the one that nobody noted changes
 * nothing. Where there is no record yet, there is nothing to fill.
 */
async function beginFilling(
  site: Site,
  fresh: readonly DeclaredIndex[],
  resources: Resources,
): Promise<readonly (readonly [string, IndexState])[]> {
  const sinceMs = site.now();
  const begun: (readonly [string, IndexState])[] = [];
  for (const index of fresh) {
    if (!(await isThere(resources.store, index))) continue;
    const some = await resources.store.list(index.entity, { after: undefined, limit: 1 });
    begun.push([index.id, { phase: some.length === 0 ? 'filled' : 'filling', sinceMs }]);
  }
  const ids = begun.filter(([, { phase }]) => phase === 'filling').map(([id]) => id);
  if (ids.length > 0)
    await drive(
      pass(site.site, { kind: 'index', site: site.site, ids, sinceMs }, indexFillDelaySeconds),
      resources,
    );
  return begun;
}

/** Whether the store answers questions of the generic index; one that it is only making refuses. */
async function isThere(store: Store, { slot }: DeclaredIndex): Promise<boolean> {
  try {
    await store.entries({ slot, hash: '-', from: FIRST, to: LAST, descending: false, limit: 1 });
    return true;
  } catch (error) {
    if (!isPermanent(error)) throw error;
    return false;
  }
}
