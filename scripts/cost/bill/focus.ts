/**
 * Exports of bills in the FOCUS format, 1.0 to 1.2, as CSV, also compressed (`.gz`): AWS Data Exports and Azure Cost
 * Management write it.
 *
 * Invariant: one row at a time is held, whatever the size of the file; and no row is left out in silence: what cannot be
 * read ends the reading with its file, line, column and the rule.
 * @see https://focus.finops.org/focus-specification/v1-2/
 */
import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { CATEGORIES, type Category, type Charge, cloudOf, tagName } from './charge.ts';

/** Without these there is nothing to add up. */
const NEEDED = [
  'BilledCost',
  'EffectiveCost',
  'BillingCurrency',
  'ChargeCategory',
  'ChargePeriodStart',
  'ServiceName',
] as const;
/** Who the row is from; one of them is enough. */
const PROVIDERS = ['ProviderName', 'PublisherName', 'InvoiceIssuerName'] as const;
/** Our own: the longest rows of real exports have a few kB, most of it tags. */
const ROW_BYTES_MAX = 1024 * 1024;
/** FOCUS, numeric format: digits with a point, perhaps an exponent; no thousands, no currency. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** RFC 3339 is the rule; what databases write when they export (a space, no zone) is UTC too. */
const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC|\+00:?00)?)?$/;

type Row = Readonly<Record<string, string>>;

/** @throws CommandError */
export async function* readFocus(file: string): AsyncGenerator<Charge> {
  const name = path.basename(file);
  const source = fs.createReadStream(file);
  const bytes = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  // A file that cannot be opened would otherwise be an error that nobody hears while the other one is waited for.
  if (bytes !== source) source.on('error', (error) => bytes.destroy(error));
  yield* readFocusText(bytes, name);
}

/**
 * @param name Of the source, for messages.
 * @throws CommandError
 */
export async function* readFocusText(bytes: Readable, name: string): AsyncGenerator<Charge> {
  const parser = parse({
    bom: true,
    columns: (header: string[]) => checkedHeader(header, name),
    info: true,
    max_record_size: ROW_BYTES_MAX,
    skip_empty_lines: true,
  });
  bytes.on('error', (error) => parser.destroy(error));
  bytes.pipe(parser);
  try {
    let rows = 0;
    for await (const { record, info } of parser as AsyncIterable<{ record: Row; info: { lines: number } }>) {
      rows += 1;
      yield chargeOf(record, `${name}, row that ends in line ${info.lines}`);
    }
    if (rows === 0) throw new CommandError(`${name}: there is no row in it`);
  } catch (error) {
    throw error instanceof CsvError || isOfFile(error) ? unreadable(error, name) : error;
  } finally {
    bytes.destroy();
  }
}

function isOfFile(error: unknown): error is NodeJS.ErrnoException {
  return typeof (error as Partial<NodeJS.ErrnoException> | undefined)?.code === 'string';
}

/** What ends early is what happens most: a download that broke off. */
function unreadable(error: CsvError | NodeJS.ErrnoException, name: string): CommandError {
  const { code = '' } = error;
  const at =
    error instanceof CsvError && typeof error['lines'] === 'number' ? `, line ${error['lines']}` : '';
  const reasons: Readonly<Record<string, string>> = {
    CSV_QUOTE_NOT_CLOSED: 'a quoted field has no end: the file is truncated',
    CSV_RECORD_INCONSISTENT_COLUMNS:
      'the row has another number of fields than the header: the file is truncated, or a field with a comma is not quoted',
    CSV_MAX_RECORD_SIZE: `a row has more than ${ROW_BYTES_MAX} bytes: a quote is missing, or this is no CSV`,
    Z_BUF_ERROR: 'the compressed file ends early: it is truncated',
    Z_DATA_ERROR: 'it is not compressed by gzip, or is damaged',
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder, not a file',
  };
  return new CommandError(`${name}${at}: ${reasons[code] ?? error.message}`, { cause: error });
}

/** @throws CommandError naming every column that is missing. */
function checkedHeader(header: readonly string[], name: string): string[] {
  const names = header.map((column) => column.trim());
  const missing: string[] = NEEDED.filter((column) => !names.includes(column));
  if (!PROVIDERS.some((column) => names.includes(column))) missing.push(PROVIDERS.join(' or '));
  const twice = names.filter((column, at) => names.indexOf(column) !== at);
  if (missing.length > 0)
    throw new CommandError(
      `${name}: the header is not that of a FOCUS export: it has no ${missing.join(', ')}. Its first columns are ${names.slice(0, 5).join(', ')}`,
    );
  if (twice.length > 0) throw new CommandError(`${name}: the header names ${twice.join(', ')} twice`);
  return names;
}

function chargeOf(row: Row, place: string): Charge {
  const text = (column: string): string => {
    const value = row[column]?.trim() ?? '';
    return value.toUpperCase() === 'NULL' ? '' : value;
  };
  const provider = PROVIDERS.map(text).find((value) => value !== '') ?? '';
  const number = (column: string): number | undefined => numberOf(text(column), `${place}, ${column}`);
  const needed = (column: (typeof NEEDED)[number]): number => {
    const value = number(column);
    if (value === undefined)
      throw new CommandError(`${place}, ${column}: it is empty, and an amount is needed`);
    return value;
  };
  const list = number('ListCost');
  return {
    cloud: cloudOf(provider),
    day: dayOf(text('ChargePeriodStart'), place),
    service: text('ServiceName') || 'without a service',
    currency: currencyOf(text('BillingCurrency'), place),
    category: categoryOf(text('ChargeCategory'), text('ChargeClass'), place),
    billed: needed('BilledCost'),
    effective: needed('EffectiveCost'),
    list,
    tags: tagsOf(text('Tags'), place),
    resource: text('ResourceId'),
    quantity: number('ConsumedQuantity') ?? number('PricingQuantity') ?? 0,
    unit: text('ConsumedUnit') || text('PricingUnit'),
  };
}

function numberOf(text: string, place: string): number | undefined {
  if (text === '') return undefined;
  if (!NUMBER.test(text) || !Number.isFinite(Number(text)))
    throw new CommandError(`${place}: '${shortened(text)}' is no number such as -12.5 or 8E-07`);
  return Number(text);
}

function dayOf(text: string, place: string): string {
  const [, day] = MOMENT.exec(text) ?? [];
  if (day === undefined || !isDay(day))
    throw new CommandError(
      `${place}, ChargePeriodStart: '${shortened(text)}' is no date-time in UTC such as 2026-11-03T00:00:00Z`,
    );
  return day;
}

function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

function currencyOf(text: string, place: string): string {
  if (/^[A-Z]{3}$/.test(text)) return text;
  throw new CommandError(
    `${place}, BillingCurrency: '${shortened(text)}' is no code of three capitals such as USD`,
  );
}

function categoryOf(category: string, chargeClass: string, place: string): Category {
  if (chargeClass === 'Correction') return 'Correction';
  const found = CATEGORIES.find((one) => one === category && one !== 'Correction');
  if (found !== undefined) return found;
  throw new CommandError(
    `${place}, ChargeCategory: '${shortened(category)}' is none of Usage, Purchase, Tax, Credit, Adjustment`,
  );
}

/** JSON of names and values; values that are no text (a tag without a value is `true` in FOCUS) become one. */
function tagsOf(text: string, place: string): ReadonlyMap<string, string> {
  if (text === '') return NO_TAGS;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CommandError(`${place}, Tags: '${shortened(text)}' is no JSON`);
  }
  if (value === null) return NO_TAGS;
  if (typeof value !== 'object' || Array.isArray(value))
    throw new CommandError(`${place}, Tags: '${shortened(text)}' is no JSON object`);
  return new Map(Object.entries(value).map(([name, one]) => [tagName(name), String(one)]));
}

const NO_TAGS: ReadonlyMap<string, string> = new Map();

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
