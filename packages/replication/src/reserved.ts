/** Entities of our own: no entity of an application has their names, and none of them is in a list of the API. */
import { entityOf } from './record.ts';

export const HEARTBEAT = 'heartbeat';
export const PAUSE = 'pause';
export const CONFLICT = 'conflict';
export const VERIFICATION = 'verification';
/** Who claims a value that is to be unique; about users' data, so it counts as exposed and as different. */
export const UNIQUE = 'unique';

/** What the contents of an owner's or a tenant's records take; it says so much about users that it is no site's own business. */
export const USAGE = 'usage';

/** How much of what a caller may ask is left at a site. */
export const LIMIT = 'limit';

/** That a person was erased, under a keyed hash of who it was, and how far each site is with it (`anti-entropy/erase.ts`). */
export const ERASURE = 'erasure';

/** Which site writes the records of an entity (`writer-record.ts`). */
export const WRITER = 'writer';

/** Where a scan of a site goes on that must not be said elsewhere: kept by that site alone. */
export const CURSOR = 'cursor';

/** What a site has counted of what has happened, and what it was counted from (src/shared/domain/analytics). */
export const TALLY = 'tally';
export const HAPPENED = 'happened';

const RESERVED: ReadonlySet<string> = new Set([
  HEARTBEAT,
  PAUSE,
  CONFLICT,
  VERIFICATION,
  LIMIT,
  UNIQUE,
  USAGE,
  CURSOR,
  WRITER,
  ERASURE,
  TALLY,
  HAPPENED,
]);

export function isReservedEntity(entity: string): boolean {
  return RESERVED.has(entity);
}

const KEPT_BY_ITS_SITE: ReadonlySet<string> = new Set([CURSOR, TALLY, HAPPENED]);

/** What no other site may hold: its ids begin with the site, and a full stop. */
export function isKeptByItsSite(entity: string): boolean {
  return KEPT_BY_ITS_SITE.has(entity);
}

const OWN_BUSINESS: ReadonlySet<string> = new Set([
  HEARTBEAT,
  PAUSE,
  VERIFICATION,
  LIMIT,
  CURSOR,
  TALLY,
  HAPPENED,
]);

/** What a site writes about itself: no data of users, so it counts neither as exposed nor as different. */
export function isOwnBusiness(key: string): boolean {
  const entity = entityOf(key);
  return OWN_BUSINESS.has(entity);
}
