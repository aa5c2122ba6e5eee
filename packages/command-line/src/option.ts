/**
 * The options and arguments of commands, as data. Each knows what it is called in a help text and how its text is read.
 *
 * Invariant: nothing is read leniently. A value that is empty, out of its bounds or given twice is a UsageError that names
 * the option and the rule; a default goes through the same reader as what a person types.
 */
import {
  type Bounds,
  type DurationBounds,
  readDecimal,
  readDuration,
  readPercent,
  readWhole,
} from './numbers.ts';
import { HERE, type Place } from './place.ts';
import { suggestion } from './suggest.ts';
import { UsageError } from './usage-error.ts';

/** What a shell can complete by itself. */
export type PathKind = 'file' | 'folder';

export interface Option<T = unknown> {
  readonly summary: string;
  /** What stands for the value in a help text; undefined: a flag, which takes none. */
  readonly placeholder: string | undefined;
  /** May be repeated; as an argument: takes all that follow. */
  readonly isMany: boolean;
  readonly isRequired: boolean;
  /** What holds when it is not given, for the help text. */
  readonly fallback: string | undefined;
  readonly choices: readonly string[];
  readonly completes: PathKind | undefined;
  /** @throws UsageError. @param texts What was given, in order; none: it was not. */
  readonly read: (texts: readonly string[], name: string, place: Place) => T;
}

interface Spec {
  /** As if it was typed, when nothing was. */
  readonly default?: string;
  /** In place of the default in a help text, where there is none or it is not a plain value. */
  readonly fallback?: string;
  readonly required?: true;
}

/** A value is there for certain when it has a default or is required. */
type ValueOf<T, S> = S extends { default: string } | { required: true } ? T : T | undefined;

export function flag(summary: string): Option<boolean> {
  return {
    summary,
    placeholder: undefined,
    isMany: false,
    isRequired: false,
    fallback: undefined,
    choices: [],
    completes: undefined,
    read: (texts) => texts.length > 0,
  };
}

interface Kind<T> {
  readonly placeholder: string;
  readonly choices?: readonly string[];
  readonly completes?: PathKind;
  readonly readOne: (text: string, name: string, place: Place) => T;
}

function single<T, S extends Spec>(summary: string, spec: S, kind: Kind<T>): Option<ValueOf<T, S>> {
  const { placeholder, choices = [], completes, readOne } = kind;
  const read = (texts: readonly string[], name: string, place: Place): T | undefined => {
    if (texts.length > 1) throw new UsageError(`${name} is given ${texts.length} times; give it once`);
    const [text] = texts;
    if (text !== undefined) return readOne(text, name, place);
    if (spec.default !== undefined) return readOne(spec.default, name, HERE);
    if (spec.required === true) throw new UsageError(`${name} is needed: ${summary}`);
    return undefined;
  };
  return {
    summary,
    placeholder,
    choices,
    completes,
    isMany: false,
    isRequired: spec.required === true,
    fallback: spec.fallback ?? spec.default,
    read: read as Option<ValueOf<T, S>>['read'],
  };
}

/** The same, any number of times. */
export function many<T>(option: Option<T>): Option<readonly NonNullable<T>[]> {
  return {
    ...option,
    isMany: true,
    read: (texts, name, place) => texts.map((text) => option.read([text], name, place) as NonNullable<T>),
  };
}

export function whole<S extends Spec & Omit<Bounds, 'name'>>(
  summary: string,
  spec: S & { placeholder?: string },
): Option<ValueOf<number, S>> {
  return single<number, S>(summary, spec, {
    placeholder: spec.placeholder ?? 'n',
    readOne: (text, name) => readWhole(text, boundsOf(name, spec)),
  });
}

export function decimal<S extends Spec & Omit<Bounds, 'name'>>(
  summary: string,
  spec: S,
): Option<ValueOf<number, S>> {
  return single<number, S>(summary, spec, {
    placeholder: 'n',
    readOne: (text, name) => readDecimal(text, boundsOf(name, spec)),
  });
}

function boundsOf(name: string, { min, max }: Omit<Bounds, 'name'>): Bounds {
  return { name, min, ...(max !== undefined && { max }) };
}

/** In milliseconds. */
export function duration<S extends Spec & Omit<DurationBounds, 'name'>>(
  summary: string,
  spec: S,
): Option<ValueOf<number, S>> {
  const { unit, min, max } = spec;
  return single<number, S>(summary, spec, {
    placeholder: unit === 's' ? 'seconds' : 'minutes',
    readOne: (text, name) => readDuration(text, { name, unit, min, ...(max !== undefined && { max }) }),
  });
}

export function percent<S extends Spec & { readonly whole?: true }>(
  summary: string,
  spec: S,
): Option<ValueOf<number, S>> {
  return single<number, S>(summary, spec, {
    placeholder: 'percent',
    readOne: (text, name) => readPercent(text, { name, whole: spec.whole === true }),
  });
}

/** Any text that is not empty. */
export function text<S extends Spec>(
  summary: string,
  spec: S & { placeholder: string },
): Option<ValueOf<string, S>> {
  const { placeholder } = spec;
  return single<string, S>(summary, spec, { placeholder, readOne: notEmpty(placeholder) });
}

/** A path, from where the person stands. */
export function file<S extends Spec>(summary: string, spec: S): Option<ValueOf<string, S>> {
  return pathOption(summary, spec, 'file');
}

export function folder<S extends Spec>(summary: string, spec: S): Option<ValueOf<string, S>> {
  return pathOption(summary, spec, 'folder');
}

function pathOption<S extends Spec>(summary: string, spec: S, kind: PathKind): Option<ValueOf<string, S>> {
  return single<string, S>(summary, spec, {
    placeholder: kind,
    completes: kind,
    readOne: (given, name, place) => place.resolve(notEmpty(kind)(given, name)),
  });
}

function notEmpty(what: string): (text: string, name: string) => string {
  return (given, name) => {
    if (given !== '') return given;
    throw new UsageError(`${name}: a ${what} is needed, not an empty text`);
  };
}

export function url<S extends Spec>(summary: string, spec: S): Option<ValueOf<string, S>> {
  return single<string, S>(summary, spec, {
    placeholder: 'url',
    readOne: (given, name) => {
      if (/^https?:$/.test(URL.parse(given)?.protocol ?? '')) return given;
      throw new UsageError(`${name}: '${given}' is not an http(s) URL`);
    },
  });
}

/** One of a few words. */
export function choice<const T extends string, S extends Spec>(
  summary: string,
  choices: readonly T[],
  spec: S,
): Option<ValueOf<T, S>> {
  return single<T, S>(summary, spec, {
    choices,
    placeholder: choices.join('|'),
    readOne: (given, name) => {
      const found = choices.find((one) => one === given);
      if (found !== undefined) return found;
      throw new UsageError(
        `${name}: '${given}' is not one of ${choices.join(', ')}${suggestion(given, choices)}`,
      );
    },
  });
}
