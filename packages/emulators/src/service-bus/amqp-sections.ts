/**
 * Cuts an encoded AMQP message into its sections and splices single entries, without decoding the rest.
 *
 * Invariant: what is not replaced keeps its bytes, so a type that JavaScript cannot tell apart (int and long,
 * string and symbol) reaches the receiver as the sender wrote it. Encodings: OASIS AMQP 1.0 part 1 section 1.6
 * (types) and part 3 section 3.2 (message format).
 */
import { decodeError } from './errors.ts';

/** Descriptor codes of the message sections. */
export const SECTION = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
} as const;

const DESCRIBED = 0x00;
const SMALL_ULONG = 0x53;
const ULONG = 0x80;
const NULL = 0x40;
const BINARY_8 = 0xa0;
const BINARY_32 = 0xb0;
const LIST_0 = 0x45;
const LIST_8 = 0xc0;
const LIST_32 = 0xd0;
const MAP_8 = 0xc1;
const MAP_32 = 0xd1;

/** An encoded AMQP null. */
export const NULL_VALUE: Buffer = Buffer.from([NULL]);

/** One section: `[start, end)` with its descriptor, `[valueStart, end)` without. */
export interface Section {
  readonly code: number;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** One entry of an encoded map; `raw` is key and value together. */
export interface RawEntry {
  readonly key: string;
  readonly raw: Buffer;
}

function byteAt(buffer: Buffer, position: number): number {
  const byte = buffer[position];
  if (byte === undefined) throw decodeError('The message ends in the middle of a value.');
  return byte;
}

function uint32At(buffer: Buffer, position: number): number {
  if (position + 4 > buffer.length) throw decodeError('The message ends in the middle of a value.');
  return buffer.readUInt32BE(position);
}

/** Position after the value that starts at `position`; the high half of a constructor says how wide it is. */
function endOfValue(buffer: Buffer, position: number): number {
  const constructor = byteAt(buffer, position);
  const next = position + 1;
  const end = ((): number => {
    switch (constructor >> 4) {
      case 0x0:
        return endOfValue(buffer, endOfValue(buffer, next));
      case 0x4:
        return next;
      case 0x5:
        return next + 1;
      case 0x6:
        return next + 2;
      case 0x7:
        return next + 4;
      case 0x8:
        return next + 8;
      case 0x9:
        return next + 16;
      case 0xa:
      case 0xc:
      case 0xe:
        return next + 1 + byteAt(buffer, next);
      case 0xb:
      case 0xd:
      case 0xf:
        return next + 4 + uint32At(buffer, next);
      default:
        throw decodeError(`0x${constructor.toString(16)} is not an AMQP type constructor.`);
    }
  })();
  if (end > buffer.length) throw decodeError('The message ends in the middle of a value.');
  return end;
}

function descriptorCode(buffer: Buffer, position: number): number {
  const constructor = byteAt(buffer, position);
  if (constructor === SMALL_ULONG) return byteAt(buffer, position + 1);
  if (constructor === ULONG) return byteAt(buffer, position + 8);
  throw decodeError('A message section has a descriptor that is not a number.');
}

/**
 * The sections of an encoded message, in order.
 * @throws BrokerError `amqp:decode-error` when the bytes are not a message.
 */
export function splitSections(buffer: Buffer): Section[] {
  const sections: Section[] = [];
  let start = 0;
  while (start < buffer.length) {
    if (byteAt(buffer, start) !== DESCRIBED) throw decodeError('A message section has no descriptor.');
    const code = descriptorCode(buffer, start + 1);
    const valueStart = endOfValue(buffer, start + 1);
    const end = endOfValue(buffer, valueStart);
    sections.push({ code, start, valueStart, end });
    start = end;
  }
  return sections;
}

/** The content of a data section (a binary). */
export function binaryContent(buffer: Buffer, section: Section): Buffer {
  const constructor = byteAt(buffer, section.valueStart);
  if (constructor === BINARY_8) return buffer.subarray(section.valueStart + 2, section.end);
  if (constructor === BINARY_32) return buffer.subarray(section.valueStart + 5, section.end);
  throw decodeError('A data section holds something other than bytes.');
}

/** The encoded values inside the list or map at `position`. */
function compoundItems(buffer: Buffer, position: number): Buffer[] {
  const constructor = byteAt(buffer, position);
  if (constructor === LIST_0) return [];
  const wide = constructor === LIST_32 || constructor === MAP_32;
  if (!wide && constructor !== LIST_8 && constructor !== MAP_8) {
    throw decodeError('A message section is neither a list nor a map.');
  }
  const end = endOfValue(buffer, position);
  const items: Buffer[] = [];
  for (let at = position + (wide ? 9 : 3); at < end;) {
    const next = endOfValue(buffer, at);
    items.push(buffer.subarray(at, next));
    at = next;
  }
  return items;
}

/** The encoded values of a list section, such as the message properties. */
export function listItems(buffer: Buffer, section: Section): Buffer[] {
  return compoundItems(buffer, section.valueStart);
}

/** Text of an encoded string or symbol; the empty string for any other key type. */
function keyText(raw: Buffer): string {
  switch (byteAt(raw, 0)) {
    case 0xa1:
    case 0xa3:
      return raw.toString('utf8', 2);
    case 0xb1:
    case 0xb3:
      return raw.toString('utf8', 5);
    default:
      return '';
  }
}

function pairs(items: readonly Buffer[]): RawEntry[] {
  const entries: RawEntry[] = [];
  let key: Buffer | undefined;
  for (const item of items) {
    if (key === undefined) {
      key = item;
      continue;
    }
    entries.push({ key: keyText(key), raw: Buffer.concat([key, item]) });
    key = undefined;
  }
  if (key !== undefined) throw decodeError('A map has a key without a value.');
  return entries;
}

/** The entries of a map section, such as annotations and application properties. */
export function mapEntries(buffer: Buffer, section: Section): RawEntry[] {
  return pairs(compoundItems(buffer, section.valueStart));
}

/** The entries in a plain run of encoded keys and values, as they are kept in memory and in the journal. */
export function entriesIn(buffer: Buffer): RawEntry[] {
  const items: Buffer[] = [];
  for (let at = 0; at < buffer.length;) {
    const next = endOfValue(buffer, at);
    items.push(buffer.subarray(at, next));
    at = next;
  }
  return pairs(items);
}

function compoundSection(code: number, constructor: number, items: readonly Buffer[], count: number): Buffer {
  const bytes = items.reduce((sum, item) => sum + item.length, 0);
  const head = Buffer.alloc(12);
  head.set([DESCRIBED, SMALL_ULONG, code, constructor]);
  head.writeUInt32BE(bytes + 4, 4);
  head.writeUInt32BE(count, 8);
  return Buffer.concat([head, ...items]);
}

/** A map section made of entries that are encoded already. */
export function encodeMapSection(code: number, entries: readonly Buffer[]): Buffer {
  return compoundSection(code, MAP_32, entries, entries.length * 2);
}

/** A list section made of values that are encoded already. */
export function encodeListSection(code: number, items: readonly Buffer[]): Buffer {
  return compoundSection(code, LIST_32, items, items.length);
}
