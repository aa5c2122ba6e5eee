/** Between the model's plain records and Cloudflare's, which are one for each value. Pure. */
import type { RecordResponse, RecordBatchParams } from 'cloudflare/resources/dns/records';
import { normalised, type PlainRecord, type RecordType } from '../../model.ts';
import { plainValue } from '../../policy/records.ts';
import type { Foreign } from '../../provider.ts';
import { BARE } from './edge-rules.ts';

/** Cloudflare's way of saying "automatic"; a record behind the edge has no other. */
export const TTL_AUTO = 1;

export const RECORD_TYPES: readonly RecordType[] = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'SRV', 'TXT'];

/** One string of a TXT record holds so many bytes (RFC 1035, 3.3.14). */
const TXT_STRING_CHARACTERS = 255;

export type NewRecord = NonNullable<RecordBatchParams['posts']>[number];

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
  const groups = [...Map.groupBy(records, ({ name, type }) => `${name.toLowerCase()} ${type}`).values()];
  const read = groups.map((group) => recordFrom(group));
  return {
    records: read.flatMap((one) => ('reason' in one ? [] : [normalised(one)])),
    foreign: read.flatMap((one) => ('reason' in one ? [one] : [])),
  };
}

function recordFrom(group: readonly RecordResponse[]): PlainRecord | Foreign {
  const [first] = group;
  const name = first?.name.toLowerCase() ?? '';
  const type = first?.type ?? '';
  const differs = (pick: (record: RecordResponse) => unknown): boolean => new Set(group.map(pick)).size > 1;
  if (first === undefined || !isKnown(type)) return { name, type, reason: `the type ${type}` };
  if (differs(({ ttl }) => ttl)) return { name, type, reason: 'different TTLs at one name' };
  if (differs(({ proxied }) => proxied === true)) return { name, type, reason: 'partly behind the edge' };
  return {
    kind: 'plain',
    name,
    type,
    ttlSeconds: first.ttl,
    values: group.map(valueOf),
    ...(first.proxied === true && { edge: BARE }),
  };
}

function valueOf(record: RecordResponse): string {
  const content = record.content ?? '';
  if (record.type === 'MX') return plainValue('MX', `${record.priority ?? 0} ${content}`);
  if (record.type === 'SRV') {
    const { priority = 0, weight = 0, port = 0, target = '' } = record.data ?? {};
    return plainValue('SRV', `${priority} ${weight} ${port} ${target}`);
  }
  if (record.type === 'CAA') {
    const { flags = 0, tag = '', value = '' } = record.data ?? {};
    return `${flags} ${tag} "${value}"`;
  }
  if (record.type === 'TXT') return unquoted(content);
  return plainValue(record.type as RecordType, content);
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
  return [...strings, string].map((part) => `"${part.replace(/["\\]/g, '\\$&')}"`).join(' ');
}

/** Also of what is not quoted, and of `\DDD` (RFC 1035, 5.1). */
function unquoted(content: string): string {
  if (!content.startsWith('"')) return content;
  const strings = [...content.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, string = '']) => string);
  return strings
    .join('')
    .replace(/\\(\d{3})/g, (_all, decimal: string) => String.fromCharCode(Number(decimal)))
    .replace(/\\(.)/gs, '$1');
}

function isKnown(type: string): type is RecordType {
  return (RECORD_TYPES as readonly string[]).includes(type);
}
