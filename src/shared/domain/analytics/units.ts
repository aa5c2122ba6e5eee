/** Minutes, quarters, hours and days of UTC, by which counts are kept. */
import { TALLY } from '@tandem-clouds/replication/reserved';
import type { SiteId } from '@tandem-clouds/replication/stamp';

export const MINUTE_MS = 60_000;
export const QUARTER_MS = 15 * MINUTE_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const HOUR_CHARS = '2026-11-30T11'.length;
const DAY_CHARS = '2026-11-30'.length;

export function minuteStart(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
}

/** `2026-11-30T11` */
export function hourOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, HOUR_CHARS);
}

/** `2026-11-30` */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, DAY_CHARS);
}

/** Epoch milliseconds of the start of an hour or a day. */
export function startOf(unit: string): number {
  return Date.parse(unit.length === HOUR_CHARS ? `${unit}:00Z` : unit);
}

/** What was counted of an hour, by minutes, or of a day, by quarters of an hour. */
export function tallyKey(site: SiteId, unit: string): string {
  return `${TALLY}:${site}.${unit}`;
}

/** Which minutes of an hour, or hours of a day, are to be counted anew. */
export function marksKey(site: SiteId, unit: string): string {
  return `${TALLY}:${site}.${unit}~marks`;
}
