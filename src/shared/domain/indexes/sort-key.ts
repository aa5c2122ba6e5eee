/**
 * Values as text that sorts as the values do.
 *
 * Invariant: of two values of one type, the text of the lesser is the lesser, and only equal values have equal texts. Every
 * character is printable ASCII, so a store that compares UTF-8 bytes (DynamoDB) and one that compares UTF-16 code units order
 * alike, which for characters beyond U+FFFF they do not by themselves. No text is followed by something less than
 * `PAST` in another one, so what ends with `END` sorts before everything that is longer.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
 */
import type { Json } from '@tandem-clouds/replication/json';

/** How the values of a field are ordered: `instant` is a date-time of RFC 3339, whatever its offset. */
export type SortType = 'string' | 'number' | 'boolean' | 'instant';

/** Raised when a value gets another text: then indexes are new ones, and are filled anew. */
export const ENCODING_VERSION = 1;

/** Ends a text; less than every character of one. */
export const END = '!';
/** After every text that goes on behind `END`, and not after any longer one. */
export const PAST = '"';

const LOW = '"';
const HIGH = '~';
/** Characters from here to before `~` stand for themselves. */
const PLAIN_FROM = 0x23;
/** In the order of ASCII. */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz|';

/** The text of a value; undefined when it is none of the type. */
export function sortKey(type: SortType, value: Json | undefined): string | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? textKey(value) : undefined;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? numberKey(value) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? String(Number(value)) : undefined;
    case 'instant':
      return typeof value === 'string' ? instantKey(value) : undefined;
  }
}

/** By code points, as UTF-8 orders: what is no plain ASCII is `"` and one character below them, or `~` and four. */
function textKey(value: string): string {
  let key = '';
  for (const character of value) {
    const point = character.codePointAt(0) ?? 0;
    if (point < PLAIN_FROM) key += LOW + String.fromCharCode(PLAIN_FROM + point);
    else if (point < HIGH.charCodeAt(0)) key += character;
    else key += HIGH + digits(point);
  }
  return key;
}

function digits(point: number): string {
  return [18, 12, 6, 0].map((shift) => DIGITS[(point >> shift) & 63] ?? '').join('');
}

/** The bits of a double, of which all are turned when it is negative, and else the sign alone (IEEE 754, totalOrder). */
function numberKey(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value === 0 ? 0 : value);
  const bits = view.getBigUint64(0);
  const turned = bits >> 63n === 1n ? ~bits : bits | (1n << 63n);
  return BigInt.asUintN(64, turned).toString(16).padStart(16, '0');
}

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[tT ](\d{2}:\d{2}):(\d{2})(?:\.(\d+))?([zZ]|[+-]\d{2}:\d{2})$/;
/** Whole seconds of every year that RFC 3339 can name lie within it. */
const SECONDS_RANGE = 2 ** 40;

/** Seconds since the epoch, then whatever is left of a second, to the last digit. */
function instantKey(value: string): string | undefined {
  const [, date, minutes, second = '', fraction = '', offset = ''] = DATE_TIME.exec(value) ?? [];
  // A leap second is the first of the minute after it, as everywhere where time is counted in seconds.
  const [shown, more] = second === '60' ? ['59', 1] : [second, 0];
  const ms = Date.parse(`${date}T${minutes}:${shown}${offset.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  const seconds = Math.floor(ms / 1_000) + more + SECONDS_RANGE;
  return `${seconds.toString(16).padStart(11, '0')}.${fraction.replace(/0+$/, '')}`;
}
