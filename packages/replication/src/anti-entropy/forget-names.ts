/**
 * Taking names out of what a site has written about itself: under an earlier declaration they were of records that every site
 * kept, and what says them is kept everywhere, or stands where such a record is kept no more.
 *
 * Invariant: it runs every hour, so what a function of the release before writes after it is found the next time. Only what
 * this site alone writes is changed. A cursor of a comparison that is still under way is not missed (`scan-place.ts`).
 */
import { isPermanent } from '../errors.ts';
import { heartbeatKey } from '../heartbeat-record.ts';
import type { Protocol, Site } from '../protocol.ts';
import { forgetUnusable, noteUnusable } from '../unusable-keys.ts';
import { cursorKey, forgetPlace } from './scan-place.ts';
import { forgetExamples, verificationKey } from './verification.ts';

export function* forgetNames(site: Site): Protocol<void> {
  const jobs = site.peers.flatMap((peer) => [
    { from: site.site, to: peer },
    { from: peer, to: site.site },
  ]);
  const entities = site.declaredWriter?.entities ?? [];
  const failed = new Map<string, Error>();
  for (const job of jobs) {
    const isOwn = job.from === site.site;
    const results = isOwn ? [undefined, ...entities].map((of) => verificationKey({ ...job, of })) : [];
    for (const result of results) yield* attempt(result, forgetExamples(site, result), failed);
    const cursor = cursorKey(site, job, isOwn ? 'from' : 'to');
    yield* attempt(cursor, forgetPlace(site, cursor), failed);
  }
  yield* attempt(heartbeatKey(site.site), forgetUnusable(site), failed);
  yield* noteUnusable(site, 'purge', failed);
}

/** What fails for good stops neither the others nor what comes after them. */
function* attempt(key: string, act: Protocol<void>, failed: Map<string, Error>): Protocol<void> {
  try {
    yield* act;
  } catch (error) {
    if (!isPermanent(error)) throw error;
    failed.set(key, error);
  }
}
