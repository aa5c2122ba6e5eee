/**
 * Taking names out of what a site has written about itself: under an earlier declaration they were of records that every site
 * kept, and what says them is kept everywhere, or stands where such a record is kept no more.
 *
 * Invariant: it runs every hour, so what a function of the release before writes after it is found the next time. Only what
 * this site alone writes is changed. A cursor of a comparison that is still under way is not missed (`scan-place.ts`).
 */
import { cursorKeptMs } from '../bounds.ts';
import { readKeys } from '../isolate.ts';
import { type Protocol, remove, type Site } from '../protocol.ts';
import { newestStamp, type StoredRecord } from '../record.ts';
import { stampMs } from '../stamp.ts';
import { forgetUnusable, noteUnusable } from '../unusable-keys.ts';
import { cursorKey } from './scan-place.ts';
import { forgetExamples, verificationKey } from './verification.ts';

export function* forgetNames(site: Site): Protocol<void> {
  const jobs = site.peers.flatMap((peer) => [
    { from: site.site, to: peer },
    { from: peer, to: site.site },
  ]);
  for (const job of jobs) if (job.from === site.site) yield* forgetExamples(site, verificationKey(job));
  yield* forgetUnusable(site);
  const cursors = jobs.map((job) => cursorKey(site, job, job.from === site.site ? 'from' : 'to'));
  const { held, failed } = yield* readKeys(cursors);
  yield* noteUnusable(site, 'purge', failed);
  for (const [key, { record, revision }] of held) if (isOld(site, record)) yield* remove(key, revision);
}

function isOld(site: Site, { state }: StoredRecord): boolean {
  return site.now() - stampMs(newestStamp(state) ?? '') > cursorKeptMs;
}
