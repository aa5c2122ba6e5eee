/**
 * NCRONTAB, the schedule of a timer trigger: `{second} {minute} {hour} {day} {month} {day-of-week}`, in UTC.
 * A field is `*`, a number, a name (`JAN`, `MON`), a range `a-b`, any of these with a step, or a list of them.
 *
 * Unlike cron, a day must match both of its fields. `?`, `L`, `W` and `#` do not exist in it.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
 */

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names in place of numbers, the first for `min`. */
  readonly names?: readonly string[];
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const FIELDS: readonly Field[] = [
  { name: 'second', min: 0, max: 59 },
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 0, max: 6, names: DAYS },
];

/** A 29 February on a given day of the week comes back within 40 years, 2100 included. */
const YEARS_MAX = 40;

type Matches = ReadonlySet<number>;

/** A parsed schedule. */
export interface Schedule {
  /**
   * The first occurrence later than `afterMs`, both in epoch milliseconds.
   * @throws RangeError when there is none, as for 30 February.
   */
  next(afterMs: number): number;
}

/** @throws SyntaxError that names the field and what is wrong with it. */
export function parseSchedule(expression: string): Schedule {
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== FIELDS.length) {
    throw new SyntaxError(
      `schedule '${expression}': expected six fields (second minute hour day month day-of-week)`,
    );
  }
  const [seconds, minutes, hours, days, months, weekdays] = FIELDS.map((field, i) =>
    parseField(texts[i] ?? '', field),
  ) as [Matches, Matches, Matches, Matches, Matches, Matches];

  const isDay = (date: Date): boolean => days.has(date.getUTCDate()) && weekdays.has(date.getUTCDay());

  return {
    next(afterMs) {
      const date = new Date(Math.floor(afterMs / 1_000) * 1_000 + 1_000);
      const lastYear = date.getUTCFullYear() + YEARS_MAX;
      while (date.getUTCFullYear() <= lastYear) {
        // Each step goes to the start of the next larger unit, so that hours are not searched second by second.
        if (!months.has(date.getUTCMonth() + 1)) startOf(date, { month: 1 });
        else if (!isDay(date)) startOf(date, { day: 1 });
        else if (!hours.has(date.getUTCHours())) date.setUTCHours(date.getUTCHours() + 1, 0, 0);
        else if (!minutes.has(date.getUTCMinutes())) date.setUTCMinutes(date.getUTCMinutes() + 1, 0);
        else if (!seconds.has(date.getUTCSeconds())) date.setUTCSeconds(date.getUTCSeconds() + 1);
        else return date.getTime();
      }
      throw new RangeError(`schedule '${expression}' never comes`);
    },
  };
}

function startOf(date: Date, step: { month?: number; day?: number }): void {
  if (step.month !== undefined) date.setUTCMonth(date.getUTCMonth() + step.month, 1);
  if (step.day !== undefined) date.setUTCDate(date.getUTCDate() + step.day);
  date.setUTCHours(0, 0, 0);
}

function parseField(text: string, field: Field): Matches {
  return new Set(text.split(',').flatMap((part) => parsePart(part, field)));
}

function parsePart(part: string, field: Field): number[] {
  const wrong = (why: string): never => {
    throw new SyntaxError(`schedule, ${field.name} '${part}': ${why}`);
  };
  const [range = '', stepText, ...rest] = part.split('/');
  if (rest.length > 0) wrong('more than one step');
  const step = stepText === undefined ? 1 : Number(/^\d{1,2}$/.exec(stepText)?.[0] ?? 0);
  if (step < 1) wrong('a step is a whole number of at least 1');

  const [fromText = '', toText, ...more] = range.split('-');
  if (more.length > 0) wrong('not a range');
  const from = fromText === '*' ? field.min : parseValue(fromText, field);
  // `5/15` means from 5 to the end in steps of 15.
  const toTheEnd = fromText === '*' || stepText !== undefined;
  const to = toText !== undefined ? parseValue(toText, field) : toTheEnd ? field.max : from;
  if (from === undefined || to === undefined || from > to) {
    return wrong(`expected numbers from ${field.min} to ${field.max}`);
  }
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
}

function parseValue(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return named + min;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
