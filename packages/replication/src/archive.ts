/**
 * The archive: one more receiver of what a site writes, with markers of its own. It is in no list of peers, because it is not
 * compared, holds no entity's turn and confirms no write to a client; what it has not taken is known in the same way.
 *
 * Invariant: a marker for the archive goes only once the file that holds the write is durable in the other cloud.
 */
import { keeps, peersOf } from './placement.ts';
import type { Site } from './protocol.ts';
import { entityOf, type RecordState } from './record.ts';
import { isKeptByItsSite, isOwnBusiness } from './reserved.ts';
import type { SiteId } from './stamp.ts';

/** What the archive is called among the receivers of markers; no site may have this name. */
export const ARCHIVE = 'archive';

type Sender = Pick<Site, 'site' | 'peers' | 'keptAt' | 'archiveAt'>;
interface Named {
  readonly key: string;
  readonly state?: RecordState;
}

/** Whether the archive holds a record: not what sites say about themselves, nor what may not leave for that cloud. */
export function isArchived(site: Sender, record: Named): boolean {
  const { archiveAt } = site;
  if (archiveAt === undefined || isOwnBusiness(record.key) || isKeptByItsSite(entityOf(record.key)))
    return false;
  return keeps(site, archiveAt, record);
}

/** Whoever is sent a record: the peers that keep it, and the archive. */
export function receiversOf(site: Sender, record: Named): readonly SiteId[] {
  const peers = peersOf(site, record);
  return isArchived(site, record) ? [...peers, ARCHIVE] : peers;
}

/** All receivers of a site. */
export function receivers({ peers, archiveAt }: Pick<Site, 'peers' | 'archiveAt'>): readonly SiteId[] {
  return archiveAt === undefined ? peers : [...peers, ARCHIVE];
}
