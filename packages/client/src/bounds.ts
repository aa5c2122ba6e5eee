/** Every bound of the client. Units are part of a name. */

/**
 * One attempt. A read that must wait for a session takes a site up to five seconds (two of waiting, three of asking the
 * site that wrote), a write that must be durable everywhere two and a half.
 */
export const attemptMsDefault = 6_000;
/** How much longer an attempt at a read may take that prefers to wait: as long as a site waits. */
export const waitMsMax = 10_000;
/** One call, all attempts and pauses together. */
export const totalMsDefault = 30_000;
/** What is left of a call that is worth another attempt. */
export const attemptMsMin = 50;
/** Attempts of one call, however much time is left: with pauses, more than a minute at each of two sites. */
export const attemptsMax = 100;
/** Between two rounds over all sites: doubles from the first to the second, and each is between half of it and all of it. */
export const pauseMs = { first: 100, longest: 2_000 } as const;
/** A `Retry-After` that asks for more is taken for this much. */
export const retryAfterMsMax = 30_000;
/** How long a site that failed is avoided: doubles with every failure in a row. */
export const circuitMs = { first: 1_000, longest: 30_000 } as const;

/** Tokens and bytes of one `X-Tandem-Session`: what a site takes (16), and what leaves room for other headers of 10 kB. */
export const sessionTokensMax = 16;
export const sessionBytesMax = 4_096;
/** Records of which a session remembers what was seen; beyond them the one that was used least recently is forgotten. */
export const sessionRecordsMax = 1_000;
/** Tokens of one record: more only after so many writes of it at once. */
export const sessionTokensPerRecordMax = 4;

/** Tokens that custom routes answered and that are carried; beyond them the oldest is forgotten. */
export const sessionSeveralMax = 64;

/** Keys of one call whose time a site takes for too old, before it gets one without a time. */
export const keysMax = 2;

/** Rounds of reading and writing of one `update`. */
export const updateRoundsMax = 5;
export const sitesMax = 16;
