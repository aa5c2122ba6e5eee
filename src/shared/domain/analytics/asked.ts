/** The time that a request asks about, by strict rules. */
import { analyticsDaysMax, analyticsFromMs, analyticsPointsMax } from '../../bounds.ts';
import { type Failure, InvalidError } from '../../errors.ts';
import { type Asked, stepsOf } from './series.ts';
import { type Step, TimeZone } from './time-zone.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './units.ts';

export interface AskedText {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly step?: Step | undefined;
  readonly timeZone?: string | undefined;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** RFC 3339. */
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;
/** What is shown where no time is named. */
const USUAL_MS: Readonly<Record<Step, number>> = {
  minute: 60 * MINUTE_MS,
  hour: 48 * HOUR_MS,
  day: 30 * DAY_MS,
};

/**
 * The steps from the one that `from` is in to the one that the last moment before `to` is in.
 * @returns Starts of them, and the end of the last.
 * @throws InvalidError that names every broken rule.
 */
export function readAsked(
  { from, to, step = 'minute', timeZone = 'UTC' }: AskedText,
  nowMs: number,
): Asked & { readonly starts: readonly number[] } {
  const zone = TimeZone.named(timeZone);
  if (zone === undefined)
    throw refused([
      failure('timeZone', 'timeZone', 'must be the IANA name of a time zone, such as Europe/Berlin'),
    ]);
  const failures: Failure[] = [];
  const read = (name: 'from' | 'to', text: string): number => {
    const atMs = momentOf(text, zone);
    if (atMs === undefined)
      failures.push(
        failure(
          name,
          'moment',
          'must be a date-time of RFC 3339 with its offset, or a date of the time zone',
        ),
      );
    else if (atMs < analyticsFromMs || atMs > nowMs + 400 * DAY_MS)
      failures.push(failure(name, 'range', 'must not be before 2000 or more than 400 days ahead'));
    return atMs ?? NaN;
  };
  const toMs = to === undefined ? nowMs : read('to', to);
  const fromMs = from === undefined ? toMs - USUAL_MS[step] : read('from', from);
  if (failures.length === 0 && fromMs >= toMs) failures.push(failure('from', 'order', 'must be before to'));
  if (failures.length > 0) throw refused(failures);
  const firstMs = zone.startOf(step, fromMs);
  const most = step === 'day' ? analyticsDaysMax : analyticsPointsMax;
  const starts = stepsOf({ step, zone, fromMs: firstMs, toMs }, most);
  if (starts.length - 1 > most)
    throw refused([
      failure(
        'step',
        'points',
        `makes more than ${most} points of that time: ask for less of it, or for longer steps`,
      ),
    ]);
  return { step, zone, fromMs: firstMs, toMs: starts.at(-1) ?? toMs, starts };
}

function momentOf(text: string, zone: TimeZone): number | undefined {
  if (DATE.test(text)) return zone.startOfDate(text);
  const [, date = ''] = DATE_TIME.exec(text) ?? [];
  // A day that is none, such as the 30th of February, is another one to Date.parse.
  if (date === '' || TimeZone.named('UTC')?.startOfDate(date) === undefined) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

function failure(name: string, rule: string, detail: string): Failure {
  return { pointer: `/query/${name}`, rule, detail };
}

function refused(failures: readonly Failure[]): InvalidError {
  return new InvalidError('the query is invalid', failures);
}
