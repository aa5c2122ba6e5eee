/** How fast a schedule goes: minutes of hectic traffic, or months in which ids are deleted, forgotten and created again. */
import type { Faults } from './faults.ts';

export interface Pace {
  /** How long clients are at work. */
  readonly trafficMs: number;
  /** How long all needs to come to rest after healing. */
  readonly restMs: number;
  /** How many times slower than in production sites sweep. */
  readonly slowness: number;
  /** How long a fault lasts at most. */
  readonly lastsMaxMs: number;
  /**
   * Cuts that outlast the horizon: how large a part of all, and how long they last at least and at most. What no queue has
   * accepted stays under a marker for ever, so the protocol owes as much after a cut of months as after one of minutes.
   */
  readonly longCuts: { readonly share: number; readonly leastMs: number; readonly mostMs: number };
  /** How late a message becomes visible that is held back. */
  readonly heldBackMs: number;
  /** Times that somebody moves dead letters back, at least; and how often after healing. */
  readonly redrives: number;
  readonly redriveEveryMs: number;
  /** Times that some site begins to remove its old tombstones. */
  readonly tombstoneCollections: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** How long clients are at work where only minutes pass. */
export const TRAFFIC_MS = 10 * MINUTE_MS;

const MINUTES: Pace = {
  trafficMs: TRAFFIC_MS,
  restMs: 20 * MINUTE_MS,
  slowness: 1,
  lastsMaxMs: 10 * MINUTE_MS,
  longCuts: { share: 0, leastMs: 0, mostMs: 0 },
  heldBackMs: 2 * MINUTE_MS,
  redrives: 0,
  redriveEveryMs: 10 * MINUTE_MS,
  tombstoneCollections: 0,
};

/** Entries of the conflict log stand for 120 days and must outlive a schedule; no message is 30 days late. */
const MONTHS: Pace = {
  trafficMs: 90 * DAY_MS,
  restMs: 26 * DAY_MS,
  slowness: 2_000,
  lastsMaxMs: 9 * DAY_MS,
  longCuts: { share: 0.4, leastMs: 32 * DAY_MS, mostMs: 50 * DAY_MS },
  heldBackMs: 14 * DAY_MS,
  redrives: 180,
  redriveEveryMs: 2 * DAY_MS,
  tombstoneCollections: 360,
};

/** A clock that was an hour ahead leaves stamps that the peers accept only an hour later. */
const REST_AFTER_JUMP_MS = 80 * MINUTE_MS;
/** Everything else must come to rest while keys are bad, and those when they are mended. */
const REST_AFTER_BAD_KEYS_MS = 15 * MINUTE_MS;

export function paceOf({ months, jump, badKey }: Faults): Pace {
  if (months > 0) return MONTHS;
  const restMs = jump > 0 ? REST_AFTER_JUMP_MS : MINUTES.restMs;
  return { ...MINUTES, restMs: restMs + (badKey > 0 ? REST_AFTER_BAD_KEYS_MS : 0) };
}
