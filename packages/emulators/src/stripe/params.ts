/**
 * The parameters of a request: form-encoded in the body of a POST, in the query of a GET.
 *
 * Invariant: nothing is ignored; `done` refuses what no reader has asked for.
 * @see https://docs.stripe.com/api/request-bodies
 */
import { invalid } from './errors.ts';

const METADATA_KEYS_MAX = 50;
const METADATA_KEY_CHARS_MAX = 40;
const METADATA_VALUE_CHARS_MAX = 500;
const PAGE_MAX = 100;

export class Params {
  readonly #entries: ReadonlyMap<string, string>;
  readonly #read = new Set<string>();

  constructor(given: URLSearchParams) {
    this.#entries = new Map(given);
  }

  text(name: string): string | undefined {
    this.#read.add(name);
    const value = this.#entries.get(name);
    return value === '' ? undefined : value;
  }

  needed(name: string): string {
    const value = this.text(name);
    if (value !== undefined) return value;
    throw invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name });
  }

  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (/^-?\d{1,18}$/.test(value)) return Number(value);
    throw invalid(`Invalid integer: ${value}`, { code: 'parameter_invalid_integer', param: name });
  }

  flag(name: string): boolean | undefined {
    const value = this.text(name);
    if (value === undefined || value === 'true' || value === 'false')
      return value === undefined ? value : value === 'true';
    throw invalid(`Invalid boolean: ${value}`, { param: name });
  }

  oneOf<const Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const value = this.text(name);
    const found = values.find((one) => one === value);
    if (value === undefined || found !== undefined) return found;
    throw invalid(`Invalid ${name}: must be one of ${values.join(', ')}`, { param: name });
  }

  /** `name[]=…` or `name[0]=…`. */
  list(name: string): readonly string[] {
    return this.#under(name)
      .filter(([key]) => /^\d*$/.test(key))
      .map(([, value]) => value);
  }

  /** `metadata[key]=…`; an empty value unsets. @see https://docs.stripe.com/metadata */
  metadata(before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    const after = { ...before };
    for (const [key, value] of this.#under('metadata')) {
      if (key.length > METADATA_KEY_CHARS_MAX || /[[\]]/.test(key))
        throw invalid(`Metadata keys have at most ${METADATA_KEY_CHARS_MAX} characters and no brackets.`, {
          param: 'metadata',
        });
      if (value.length > METADATA_VALUE_CHARS_MAX)
        throw invalid(`Metadata values have at most ${METADATA_VALUE_CHARS_MAX} characters.`, {
          param: `metadata[${key}]`,
        });
      if (value === '') Reflect.deleteProperty(after, key);
      else after[key] = value;
    }
    if (Object.keys(after).length > METADATA_KEYS_MAX)
      throw invalid(`Metadata has at most ${METADATA_KEYS_MAX} keys.`, { param: 'metadata' });
    return after;
  }

  /** Seconds: `created=…`, `created[gte]=…`; a test of them. */
  created(): (seconds: number) => boolean {
    const exact = this.integer('created');
    const [gt, gte, lt, lte] = ['gt', 'gte', 'lt', 'lte'].map((bound) => this.integer(`created[${bound}]`));
    return (at) =>
      (exact === undefined || at === exact) &&
      (gt === undefined || at > gt) &&
      (gte === undefined || at >= gte) &&
      (lt === undefined || at < lt) &&
      (lte === undefined || at <= lte);
  }

  limit(): number {
    const limit = this.integer('limit') ?? 10;
    if (limit >= 1 && limit <= PAGE_MAX) return limit;
    throw invalid(`Invalid limit: must be between 1 and ${PAGE_MAX}`, { param: 'limit' });
  }

  /** @throws StripeError for the first parameter that nothing has read. */
  done(): void {
    for (const name of this.#entries.keys()) {
      if (!this.#read.has(name))
        throw invalid(`Received unknown parameter: ${name.replace(/\[.*/, '')}`, {
          code: 'parameter_unknown',
          param: name,
        });
    }
  }

  #under(name: string): readonly (readonly [string, string])[] {
    return [...this.#entries].flatMap(([key, value]) => {
      if (!key.startsWith(`${name}[`) || !key.endsWith(']')) return [];
      this.#read.add(key);
      return [[key.slice(name.length + 1, -1), value] as const];
    });
  }
}
