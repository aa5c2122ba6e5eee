/**
 * The one reader of numbers that a person types, for every command of the project.
 *
 * JavaScript's own `Number` takes an empty text for 0, and `0x32`, `1e2` and ` 5 ` as well; so a variable that a script
 * forgot to set would be a number. Here a number is its decimal digits and nothing else: no sign, no blank, no leading
 * zero, no exponent. What a double cannot hold exactly is refused too.
 */
import { UsageError } from './usage-error.ts';

export interface Bounds {
  /** What the message calls it: `--clients`, `percent`, `TANDEM_MONITOR_INTERVAL_SECONDS`. */
  readonly name: string;
  /** Inclusive. */
  readonly min: number;
  /** Inclusive; absent: the largest whole number that a double holds exactly. */
  readonly max?: number;
}

const WHOLE = /^(?:0|[1-9]\d*)$/;
const DECIMAL = /^(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** A whole number. @throws UsageError naming the option, the bounds and what was typed. */
export function readWhole(text: string | undefined, bounds: Bounds): number {
  return read(text, bounds, WHOLE, 'a whole number');
}

/** A number that may have a fraction, such as `0.5`. @throws UsageError as `readWhole`. */
export function readDecimal(text: string | undefined, bounds: Bounds): number {
  return read(text, bounds, DECIMAL, 'a number');
}

/** How many milliseconds each unit of a duration has. */
const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^((?:0|[1-9]\d*)(?:\.\d+)?)(ms|s|min|h|d)?$/;

export interface DurationBounds {
  readonly name: string;
  /** What digits alone mean. */
  readonly unit: 's' | 'min';
  /** In `unit`, inclusive, like `max`. */
  readonly min: number;
  readonly max?: number;
}

/** Milliseconds, from `90`, `90s`, `1.5min`, `2h` or `500ms`. @throws UsageError as `readWhole`. */
export function readDuration(text: string | undefined, { name, unit, min, max }: DurationBounds): number {
  const [, digits, given = unit] = DURATION.exec(text ?? '') ?? [];
  const ms = Math.round(Number(digits) * (UNITS_MS[given] ?? NaN));
  const unitMs = UNITS_MS[unit] ?? NaN;
  if (ms >= min * unitMs && ms <= (max === undefined ? Number.MAX_SAFE_INTEGER : max * unitMs)) return ms;
  const range = max === undefined ? `of at least ${min} ${unit}` : `from ${min} to ${max} ${unit}`;
  throw new UsageError(
    `${name}: a duration ${range} is needed, such as 90s, 1.5min or 2h, not '${text ?? ''}'`,
  );
}

/** From 0 to 100, with or without the sign: `10`, `10%`. @throws UsageError as `readWhole`. */
export function readPercent(
  text: string | undefined,
  { name, whole }: { name: string; whole: boolean },
): number {
  const bounds = { name, min: 0, max: 100 };
  const digits = text?.replace(/(?<=\d)%$/, '');
  return whole ? readWhole(digits, bounds) : readDecimal(digits, bounds);
}

function read(text: string | undefined, { name, min, max }: Bounds, form: RegExp, what: string): number {
  const value = text !== undefined && form.test(text) ? Number(text) : NaN;
  if (value >= min && value <= (max ?? Number.MAX_SAFE_INTEGER)) return value;
  const range = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new UsageError(`${name}: ${what} ${range} is needed, in plain digits, not '${text ?? ''}'`);
}
