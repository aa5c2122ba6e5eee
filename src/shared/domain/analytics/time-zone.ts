/**
 * Hours and days of a time zone, as instants.
 *
 * Since 2000 every zone has been whole quarters of an hour away from UTC, and changes its offset at whole quarters: so an hour or
 * a day of a zone is a run of quarters that have one local name. A day has 23 or 25 hours where the clocks change, and the hour
 * that comes twice is two.
 * @see https://www.iana.org/time-zones
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, minuteStart, QUARTER_MS } from './units.ts';

export const STEPS = ['minute', 'hour', 'day'] as const;
export type Step = (typeof STEPS)[number];

/** An area and a place, or `UTC`: no offsets, which know no summer time. */
const NAME = /^(?:UTC|[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)+)$/;
const OFFSET = /^GMT(?:([+-])(\d{2}):(\d{2}))?$/;

export class TimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;

  private constructor(name: string, format: Intl.DateTimeFormat) {
    this.name = name;
    this.#format = format;
  }

  /** Undefined: there is no such zone. */
  static named(name: string): TimeZone | undefined {
    if (!NAME.test(name)) return undefined;
    try {
      const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
      return new TimeZone(name, format);
    } catch {
      return undefined;
    }
  }

  /** How far its clocks are ahead of UTC. */
  offsetMs(atMs: number): number {
    const text = this.#format.formatToParts(atMs).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign = '+', hours = '0', minutes = '0'] = OFFSET.exec(text) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS);
  }

  /** `2026-10-25T02:00:00+01:00` (RFC 3339). */
  isoOf(atMs: number): string {
    const offsetMs = this.offsetMs(atMs);
    const local = new Date(atMs + offsetMs).toISOString().slice(0, '2026-10-25T02:00:00'.length);
    if (offsetMs === 0) return `${local}Z`;
    const ahead = new Date(Math.abs(offsetMs)).toISOString().slice(11, 16);
    return `${local}${offsetMs < 0 ? '-' : '+'}${ahead}`;
  }

  /** Where the step begins that a moment is in. */
  startOf(step: Step, atMs: number): number {
    if (step === 'minute') return minuteStart(atMs);
    let startMs = Math.floor(atMs / QUARTER_MS) * QUARTER_MS;
    const name = this.#nameOf(step, startMs);
    while (this.#nameOf(step, startMs - QUARTER_MS) === name) startMs -= QUARTER_MS;
    return startMs;
  }

  /** Where the step after it begins. @param startMs Where a step begins. */
  next(step: Step, startMs: number): number {
    if (step === 'minute') return startMs + MINUTE_MS;
    const [offsetMs, lengthMs] = [this.offsetMs(startMs), step === 'hour' ? HOUR_MS : DAY_MS];
    // A day does not begin at midnight where the clocks are put forward then.
    const usualMs = startMs + lengthMs - mod(startMs + offsetMs, lengthMs);
    // Nearly always: the clocks do not change in between.
    if (offsetMs === this.offsetMs(usualMs)) return usualMs;
    const name = this.#nameOf(step, startMs);
    let nextMs = startMs + QUARTER_MS;
    while (this.#nameOf(step, nextMs) === name) nextMs += QUARTER_MS;
    return nextMs;
  }

  /** The start of a day by its date; undefined: there is no such day. */
  startOfDate(date: string): number | undefined {
    const utcMs = Date.parse(date);
    if (Number.isNaN(utcMs) || new Date(utcMs).toISOString().slice(0, 10) !== date) return undefined;
    // No zone is further away than 14 hours.
    for (let atMs = utcMs - DAY_MS; atMs < utcMs + DAY_MS; atMs += QUARTER_MS)
      if (this.#nameOf('day', atMs) === date) return atMs;
    return undefined;
  }

  /** Local date, and for an hour its number and how far it is from UTC. */
  #nameOf(step: 'hour' | 'day', atMs: number): string {
    const offsetMs = this.offsetMs(atMs);
    const local = new Date(atMs + offsetMs).toISOString();
    return step === 'day' ? local.slice(0, 10) : `${local.slice(0, 13)} ${offsetMs}`;
  }
}

function mod(value: number, by: number): number {
  return ((value % by) + by) % by;
}
