/**
 * Where a search goes on, while the other site decides about what was offered. A cursor of a store names a record, and that may
 * be one which the other site does not keep: then the cursor stays at home, in a record that this site alone keeps.
 *
 * Invariant: a step that finds another comparison's cursor at home, or none, begins with the first record again. What is
 * offered twice is no harm. It does not stand for longer than it is needed: the record that it names may have to go
 * (`forget-names.ts`).
 */
import { cursorKeptMs } from '../bounds.ts';
import type { Json } from '../json.ts';
import { localWrite } from '../local-write.ts';
import { get, type Protocol, type Site } from '../protocol.ts';
import { newestStamp, type StoredRecord } from '../record.ts';
import { CURSOR } from '../reserved.ts';
import { stampMs } from '../stamp.ts';
import type { Job, Rest, Side } from './job.ts';

/** Stands for the cursor that is at home; no store makes one that is so short. */
const AT_HOME = '#';

interface Search {
  readonly job: Job;
  readonly side: Side;
  readonly rest: Rest;
}

/** Where it goes on, from what the other site has sent back. */
export function* withCursor(site: Site, { job, side, rest }: Search): Protocol<Rest> {
  if (rest.cursor !== AT_HOME) return rest;
  const { wanted } = rest;
  const place = (yield* get(cursorKey(site, job, side)))?.record.state.fields['place']?.[1];
  const [id, cursor] = Array.isArray(place) ? (place as readonly Json[]) : [];
  return id === job.id && typeof cursor === 'string' ? { wanted, cursor } : { wanted };
}

/** The same for the other site to send back. */
export function* withoutCursor(site: Site, { job, side }: Omit<Search, 'rest'>, rest: Rest): Protocol<Rest> {
  const { cursor } = rest;
  if (site.keptAt === undefined || cursor === undefined) return rest;
  yield* localWrite(site, {
    key: cursorKey(site, job, side),
    operationId: `${job.id}.${job.hops ?? 0}`,
    decide: () => ({ place: [job.id, cursor] }),
  });
  return { ...rest, cursor: AT_HOME };
}

/** Takes out of such a record where a search stood that has not gone on for a while. */
export function* forgetPlace(site: Site, key: string): Protocol<void> {
  const isLeft = (record: StoredRecord | undefined): boolean => {
    if (record === undefined || (record.state.fields['place']?.[1] ?? null) === null) return false;
    return site.now() - stampMs(newestStamp(record.state) ?? '') > cursorKeptMs;
  };
  if (!isLeft((yield* get(key))?.record)) return;
  yield* localWrite(site, {
    key,
    operationId: `open-${site.now()}`,
    decide: (record) => (isLeft(record) ? { place: null } : undefined),
  });
}

/** The key of the record that is kept at home. */
export function cursorKey({ site }: Site, { from, to }: Pick<Job, 'from' | 'to'>, side: Side): string {
  return `${CURSOR}:${site}.${from}.${to}.${side}`;
}
