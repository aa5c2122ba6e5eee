/** Entities of our own: no entity of an application has their names, and none of them is in a list of the API. */
import { entityOf } from './record.ts';

export const HEARTBEAT = 'heartbeat';
export const PAUSE = 'pause';
export const CONFLICT = 'conflict';
export const VERIFICATION = 'verification';
/** Who claims a value that is to be unique; about users' data, so it counts as exposed and as different. */
export const UNIQUE = 'unique';

/** How much of what a caller may ask is left at a site. */
export const LIMIT = 'limit';

const RESERVED: ReadonlySet<string> = new Set([HEARTBEAT, PAUSE, CONFLICT, VERIFICATION, LIMIT, UNIQUE]);

export function isReservedEntity(entity: string): boolean {
  return RESERVED.has(entity);
}

/** What a site writes about itself: no data of users, so it counts neither as exposed nor as different. */
export function isOwnBusiness(key: string): boolean {
  const entity = entityOf(key);
  return entity === HEARTBEAT || entity === PAUSE || entity === VERIFICATION || entity === LIMIT;
}
