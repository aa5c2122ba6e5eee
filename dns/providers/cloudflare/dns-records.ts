/** Between the model's plain records and Cloudflare's, which are one for each value. Pure. */
import type { RecordBatchParams, RecordResponse } from 'cloudflare/resources/dns/records';
import { normalised, type PlainRecord, type RecordType } from '@tandem-clouds/zone/model';
import { lowerCase, plainValue } from '../../policy/records.ts';
import type { Foreign } from '../../provider.ts';
import { textFrom } from '../text.ts';
import { BARE } from './edge-rules.ts';

/** Cloudflare's way of saying "automatic"; a record behind the edge has no other. */
export const TTL_AUTO = 1;

export const RECORD_TYPES: readonly RecordType[] = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'SRV', 'TXT'];

/** One string of a TXT record holds so many bytes (RFC 1035, 3.3.14). */
const TXT_STRING_CHARACTERS = 255;

export type NewRecord = NonNullable<RecordBatchParams['posts']>[number];

const UNREADABLE = 'a value that cannot be read without a loss';

/** Name and type, as `keyOf` says them of the model's records. */
export function keyOfRecord({ name, type }: Pick<RecordResponse, 'name' | 'type'>): string {
  return `${lowerCase(name)} ${type}`;
}

/** What the API needs to make a record; one for each value. */
export function toPosts(record: PlainRecord): readonly NewRecord[] {
  const { name, type, ttlSeconds, edge } = record;
  const head = { name, ttl: ttlSeconds, proxied: edge !== undefined };
  return record.values.map((value): NewRecord => {
    const words = value.split(' ');
    const number = (at: number): number => Number(words[at]);
    switch (type) {
      case 'MX':
        return { ...head, type, priority: number(0), content: words[1] ?? '' };
      case 'SRV':
        return {
          ...head,
          type,
          data: { priority: number(0), weight: number(1), port: number(2), target: words[3] ?? '' },
        };
      case 'CAA':
        return {
          ...head,
          type,
          data: { flags: number(0), tag: words[1] ?? '', value: words.slice(2).join(' ').slice(1, -1) },
        };
      case 'TXT':
        return { ...head, type, content: quoted(value) };
      case 'A':
      case 'AAAA':
      case 'CNAME':
      case 'NS':
        return { ...head, type, content: value };
    }
  });
}

/** Values of one name and type as one record; what a policy cannot say is foreign. */
export function fromRecords(records: readonly RecordResponse[]): {
  readonly records: readonly PlainRecord[];
  readonly foreign: readonly Foreign[];
} {
  const groups = [...Map.groupBy(records, keyOfRecord).values()];
  const read = groups.map((group) => recordFrom(group));
  return {
    records: read.flatMap((one) => ('reason' in one ? [] : [normalised(one)])),
    foreign: read.flatMap((one) => ('reason' in one ? [one] : [])),
  };
}

function recordFrom(group: readonly RecordResponse[]): PlainRecord | Foreign {
  const [first] = group;
  const name = lowerCase(first?.name ?? '');
  const type = first?.type ?? '';
  const differs = (pick: (record: RecordResponse) => unknown): boolean => new Set(group.map(pick)).size > 1;
  if (first === undefined || !isKnown(type)) return { name, type, reason: `the type ${type}` };
  if (differs(({ ttl }) => ttl)) return { name, type, reason: 'different TTLs at one name' };
  if (differs(({ proxied }) => proxied === true)) return { name, type, reason: 'partly behind the edge' };
  const values = group.flatMap((record) => valueOf(record) ?? []);
  if (values.length < group.length) return { name, type, reason: UNREADABLE };
  return {
    kind: 'plain',
    name,
    type,
    ttlSeconds: first.ttl,
    values,
    ...(first.proxied === true && { edge: BARE }),
  };
}

/** As the model says it; undefined when that would lose something. */
export function valueOf(record: RecordResponse): string | undefined {
  const content = record.content ?? '';
  if (record.type === 'MX')
    return record.priority === undefined ? undefined : plainValue('MX', `${record.priority} ${content}`);
  if (record.type === 'SRV') {
    const { priority, weight, port, target } = record.data ?? {};
    const parts = [priority, weight, port, target];
    return parts.includes(undefined) ? undefined : plainValue('SRV', parts.join(' '));
  }
  if (record.type === 'CAA') {
    const { flags, tag, value } = record.data ?? {};
    const isWhole = flags !== undefined && tag !== undefined && value !== undefined;
    return isWhole ? plainValue('CAA', `${flags} ${tag} "${value}"`) : undefined;
  }
  return record.type === 'TXT' ? txtOf(content) : plainValue(record.type as RecordType, content);
}

/** What is not quoted is the text itself; with a quote or a backslash in it nobody can tell. */
function txtOf(content: string): string | undefined {
  if (content.startsWith('"')) return textFrom(content, 10);
  return /["\\]/.test(content) ? undefined : content;
}

/** Quoted strings in a row, as the API asks for TXT; other than Route 53 it takes UTF-8 as it is. */
function quoted(text: string): string {
  const strings: string[] = [];
  let string = '';
  for (const char of text) {
    if (Buffer.byteLength(string + char) > TXT_STRING_CHARACTERS) {
      strings.push(string);
      string = '';
    }
    string += char;
  }
  return [...strings, string].map((part) => `"${part.replace(SPECIAL, escaped)}"`).join(' ');
}

/** Quotes, backslashes, and what is not to be seen. */
const SPECIAL = /["\\\u0000-\u001f\u007f]/g;

function escaped(char: string): string {
  return char === '"' || char === '\\' ? `\\${char}` : `\\${String(char.charCodeAt(0)).padStart(3, '0')}`;
}

function isKnown(type: string): type is RecordType {
  return (RECORD_TYPES as readonly string[]).includes(type);
}
