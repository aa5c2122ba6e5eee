/**
 * Removing tombstones.
 *
 * Invariant: a tombstone is removed only when nothing is pending on it, it is older than the horizon by every site's
 * clock, and every peer holds the very same tombstone or nothing. A message about its key that is older than the horizon
 * is refused where the key is absent (`apply.ts`), so nothing can come back.
 */
import { compareStepMs, horizonMs, offerCharactersMax, offerPageSize } from '../../bounds.ts';
import { getMany, remove, scan, type Protocol, type Site } from '../protocol.ts';
import { isDeleted, stateName, type StoredRecord } from '../record.ts';
import { goneForMs } from './elements.ts';
import { pass, type Burial } from './job.ts';

/** Asks the peers about tombstones of this site that are old enough; as many as fit one message. */
export function* beginBurial(site: Site): Protocol<void> {
  const untilMs = site.now() + compareStepMs;
  const states: (readonly [string, string])[] = [];
  let characters = 0;
  let cursor: string | undefined;
  do {
    const page = yield* scan(cursor, offerPageSize);
    for (const record of page.records) {
      if (!mayGo(record, site.now())) continue;
      const name = stateName(record.state);
      states.push([record.key, name]);
      characters += record.key.length + name.length;
    }
    cursor = page.next;
  } while (cursor !== undefined && characters < offerCharactersMax && site.now() < untilMs);
  if (states.length > 0) yield* passOn({ kind: 'bury', from: site.site, left: site.peers, states });
}

/** Leaves out what this site holds otherwise, and passes the rest on; where it began, removes what is left. */
export function* bury(site: Site, step: Burial): Protocol<void> {
  const held = yield* getMany(step.states.map(([key]) => key));
  const nowMs = site.now();
  const same = step.states.filter(([key, name]) => {
    const record = held.get(key)?.record;
    return record === undefined || (stateName(record.state) === name && mayGo(record, nowMs));
  });
  if (step.from !== site.site) {
    const left = step.left.filter((peer) => peer !== site.site);
    if (same.length > 0) yield* passOn({ ...step, left, states: same });
    return;
  }
  for (const [key] of same) {
    const versioned = held.get(key);
    if (versioned !== undefined) yield* remove(key, versioned.revision);
  }
}

function* passOn(step: Burial): Protocol<void> {
  yield* pass(step.left[0] ?? step.from, step);
}

function mayGo(record: StoredRecord, nowMs: number): boolean {
  return (
    isDeleted(record.state) &&
    Object.keys(record.pending).length === 0 &&
    goneForMs(record.state, nowMs) > horizonMs
  );
}
