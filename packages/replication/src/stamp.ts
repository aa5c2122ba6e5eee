/**
 * Hybrid logical clock stamps (Kulkarni et al., "Logical Physical Clocks", 2014) as text that sorts.
 *
 * Invariant: comparing two stamps as strings orders them by milliseconds, then counter, then site. There is no
 * clock state: a new stamp is later than the wall clock and than every stamp that the caller names, which are
 * those of the record being changed.
 */

/** `<milliseconds, 9 base-36 digits><counter, 4 base-36 digits>.<site>`, for example `0mk3v9x2p0000.aws-us-east-1`. */
export type Stamp = string;

/** A site's id, for example `azure-eastus`. */
export type SiteId = string;

const TIME_DIGITS = 9;
const COUNTER_DIGITS = 4;
const HEAD = TIME_DIGITS + COUNTER_DIGITS;
const COUNTER_MAX = 36 ** COUNTER_DIGITS - 1;
const SHAPE = /^[0-9a-z]{13}\.[a-z0-9-]{1,48}$/;

/** Builds a stamp. @throws RangeError when a part does not fit its width. */
export function encodeStamp(ms: number, counter: number, site: SiteId): Stamp {
  const time = Math.floor(ms).toString(36).padStart(TIME_DIGITS, '0');
  const count = counter.toString(36).padStart(COUNTER_DIGITS, '0');
  if (time.length > TIME_DIGITS || count.length > COUNTER_DIGITS || ms < 0 || counter < 0) {
    throw new RangeError(`no stamp for ${ms} ms and counter ${counter}`);
  }
  return `${time}${count}.${site}`;
}

/** Whether a text, say from a message, is a stamp. */
export function isStamp(text: string): boolean {
  return SHAPE.test(text);
}

/** Epoch milliseconds of a stamp. */
export function stampMs(stamp: Stamp): number {
  return Number.parseInt(stamp.slice(0, TIME_DIGITS), 36);
}

/** The site that made a stamp. */
export function stampSite(stamp: Stamp): SiteId {
  return stamp.slice(HEAD + 1);
}

/** The later of two stamps; either may be missing. */
export function laterStamp<T extends Stamp | undefined>(a: T, b: T): T {
  if (a === undefined) return b;
  return b === undefined || a > b ? a : b;
}

/**
 * The next stamp of `site`: later than `wallMs` and, strictly, than `after`.
 * When the counter is used up the millisecond moves on, so the order always holds.
 */
export function nextStamp(options: { wallMs: number; site: SiteId; after: Stamp | undefined }): Stamp {
  const { wallMs, site, after } = options;
  if (after === undefined) return encodeStamp(wallMs, 0, site);
  const ms = stampMs(after);
  if (Math.floor(wallMs) > ms) return encodeStamp(wallMs, 0, site);
  const counter = Number.parseInt(after.slice(TIME_DIGITS, HEAD), 36);
  return counter >= COUNTER_MAX ? encodeStamp(ms + 1, 0, site) : encodeStamp(ms, counter + 1, site);
}
