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

/** Which site writes the records of an entity (`writer-record.ts`). */
export const WRITER = 'writer';

/** Where a scan of a site goes on that must not be said elsewhere: kept by that site alone. */
export const CURSOR = 'cursor';

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
]);

export function isReservedEntity(entity: string): boolean {
  return RESERVED.has(entity);
}

const OWN_BUSINESS: ReadonlySet<string> = new Set([HEARTBEAT, PAUSE, VERIFICATION, LIMIT, CURSOR]);

/** What a site writes about itself: no data of users, so it counts neither as exposed nor as different. */
export function isOwnBusiness(key: string): boolean {
  const entity = entityOf(key);
  return OWN_BUSINESS.has(entity);
}
