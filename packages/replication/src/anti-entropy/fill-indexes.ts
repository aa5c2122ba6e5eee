/**
 * Entering records that are there already in the indexes that a release has added.
 *
 * Invariant: a rewrite changes nothing but what the store keeps beside the record: it puts the very record that was read, on
 * condition of its revision, so it makes no version, sets no marker and overwrites nobody. A step does a bounded amount of
 * work and leaves the rest to a message, so filling goes on where a function died; a step that is taken twice finds
 * nothing left to do. The index is noted as filled only when the last page was seen.
 */
import { comparePageSize, compareStepMs, rewriteAttemptsMax } from '../bounds.ts';
import { isPermanent } from '../errors.ts';
import { heartbeatKey } from '../heartbeat-record.ts';
import { INDEXES_FIELD, indexesField, indexStates } from '../index-phases.ts';
import { readKeys, scanPage } from '../isolate.ts';
import { localWrite } from '../local-write.ts';
import { type Protocol, putMany, type Site } from '../protocol.ts';
import { noteUnusable } from '../unusable-keys.ts';
import { type IndexFill, pass } from './job.ts';

/** Looks at a part of the records of this site, and at the next one in the next step. */
export function* fillIndexes(site: Site, step: IndexFill): Protocol<void> {
  const untilMs = site.now() + compareStepMs;
  let { cursor } = step;
  do {
    const page = yield* scanPage(cursor, comparePageSize);
    yield* noteUnusable(site, 'index', page.unreadable ?? new Map());
    yield* rewriteEntries(site, page.misindexed ?? []);
    cursor = page.next;
  } while (cursor !== undefined && site.now() < untilMs);
  if (cursor !== undefined) yield* pass(site.site, { ...step, cursor });
  else yield* noteFilled(site, step);
}

/**
 * Puts records as they are, so that the store keeps their entries with them. Whoever writes one at the same time has
 * entered it.
 * @throws what a write fails with for a reason that passes.
 */
export function* rewriteEntries(site: Site, keys: readonly string[]): Protocol<void> {
  const failed = new Map<string, Error>();
  let open = keys;
  for (let attempt = 0; open.length > 0 && attempt < rewriteAttemptsMax; attempt += 1) {
    const { held, failed: unreadable } = yield* readKeys(open);
    for (const [key, error] of unreadable) failed.set(key, error);
    const writes = [...held.values()].map(({ record, revision }) => ({ record, expected: revision }));
    const results = writes.length === 0 ? [] : yield* putMany(writes);
    const stale: string[] = [];
    writes.forEach(({ record: { key } }, i) => {
      const result = results[i];
      if (result?.status === 'stale') stale.push(key);
      if (result?.status !== 'failed') return;
      if (!isPermanent(result.error)) throw result.error;
      failed.set(key, result.error);
    });
    open = stale;
  }
  yield* noteUnusable(site, 'index', failed);
}

/** Only what still is this filling: a release that came in between may have begun another. */
function* noteFilled(site: Site, { ids, sinceMs }: IndexFill): Protocol<void> {
  yield* localWrite(site, {
    key: heartbeatKey(site.site),
    operationId: `filled-${sinceMs}-${site.now()}`,
    decide: (heartbeat) => {
      const states = indexStates(heartbeat);
      const done = ids.filter((id) => states[id]?.phase === 'filling' && states[id].sinceMs === sinceMs);
      if (done.length === 0) return heartbeat === undefined ? {} : undefined;
      const filled = Object.fromEntries(done.map((id) => [id, { phase: 'filled', sinceMs } as const]));
      return { [INDEXES_FIELD]: indexesField({ ...states, ...filled }) };
    },
  });
}
