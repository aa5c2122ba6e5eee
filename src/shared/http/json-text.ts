/**
 * JSON text of a client as a value that every store and every queue behind the boundary carries unchanged (I-JSON,
 * RFC 7493, with a bound for its depth).
 *
 * Invariant: no number is changed in silence. What a double does not bring back as the same decimal number is refused.
 */
import { MalformedError } from '@tandem-clouds/replication/errors';
import { jsonDepthMax } from '../bounds.ts';
import { type Failure, InvalidError } from '../errors.ts';
import { escapePointer } from '../validation/validate.ts';

/**
 * Reads JSON.
 * @param depthMax Levels of objects and arrays; the outermost one is the first.
 * @throws MalformedError when it is no JSON
 * @throws InvalidError that names every value that could not be kept as it is, by its JSON pointer
 */
export function parseJson(text: string, depthMax = jsonDepthMax): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MalformedError('the body is not JSON', { cause });
  }
  refuse(unkeepable(value, depthMax));
  // Only now: with a reviver, JSON.parse calls itself for every level.
  if (MAY_BE_INEXACT.test(text)) refuse(unkeepable(JSON.parse(text, markInexact as Reviver), depthMax));
  return value;
}

function refuse(failures: readonly Failure[]): void {
  if (failures.length > 0) throw new InvalidError('the body holds what cannot be kept as it is', failures);
}

/** A number with more than fifteen digits or with an exponent: a double brings back every other one. */
const MAY_BE_INEXACT = /\d(?:\.?\d){15}|\d[eE]/;

type Reviver = (name: string, value: unknown) => unknown;

/** Stands in a revived value for a number that was not read as it was written. */
const inexact: object = Object.freeze({});

/**
 * What `JSON.parse` calls for each value, innermost first.
 * @see https://tc39.es/proposal-json-parse-with-source/
 */
function markInexact(_name: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && !isSameDecimal(source, String(value))
    ? inexact
    : value;
}

const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Whether two numbers in JSON's notation are the same number. `Infinity` is none. */
function isSameDecimal(a: string, b: string): boolean {
  const [left, right] = [decimalOf(a), decimalOf(b)];
  return left !== undefined && left === right;
}

/** A number's digits without zeros at either end, and its exponent: one text per number. */
function decimalOf(text: string): string | undefined {
  const [, whole, fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${text.startsWith('-') ? '-' : ''}${significant}e${scale}`;
}

interface Place {
  readonly value: unknown;
  readonly name: string;
  readonly parent: Place | undefined;
  /** Levels of objects and arrays around the value. */
  readonly depth: number;
}

/** What is wrong inside a value. Not recursive: a body nests as deep as it has bytes. */
function unkeepable(root: unknown, depthMax: number): Failure[] {
  const failures: Failure[] = [];
  const open: Place[] = [{ value: root, name: '', parent: undefined, depth: 0 }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value, depth } = place;
    if (typeof value === 'string') {
      if (!value.isWellFormed()) failures.push(failure(place, 'unicode', NOT_UNICODE));
    } else if (value === inexact) {
      failures.push(failure(place, 'number', 'is a number that a double does not hold exactly'));
    } else if (typeof value === 'object' && value !== null) {
      if (depth === depthMax) {
        failures.push(failure(place, 'depth', `is nested deeper than ${depthMax} levels`));
        continue;
      }
      const members = Object.entries(value);
      for (let i = members.length - 1; i >= 0; i -= 1) {
        const [name = '', member] = members[i] ?? [];
        const child: Place = { value: member, name, parent: place, depth: depth + 1 };
        if (name.isWellFormed()) open.push(child);
        else failures.push(failure(child, 'unicode', `has a name that ${NOT_UNICODE}`));
      }
    }
  }
  return failures;
}

const NOT_UNICODE = 'holds half of a surrogate pair, which is no Unicode character';

function failure(place: Place, rule: string, detail: string): Failure {
  const names: string[] = [];
  for (let at: Place | undefined = place; at.parent !== undefined; at = at.parent) {
    names.push(`/${escapePointer(at.name.toWellFormed())}`);
  }
  return { pointer: names.reverse().join(''), rule, detail };
}
