/**
 * Reads a query packet (RFC 1035, RFC 6891, RFC 7871).
 *
 * Invariant: whatever the bytes are, reading ends within one pass over them and never throws.
 */
import { FLAG, HEADER_BYTES, LABEL_BYTES_MAX, NAME_BYTES_MAX, RCODE, type Rcode, TYPE } from './wire.ts';

/** Where a resolver says its client is (EDNS client subnet, RFC 7871). */
export interface ClientSubnet {
  /** 0: the client asks that nothing of it be used. */
  readonly family: 0 | 4 | 6;
  /** As many bytes as the prefix needs. */
  readonly address: Buffer;
  readonly prefixBits: number;
}

export interface Edns {
  /** The largest UDP answer that the client takes. */
  readonly payloadBytes: number;
  readonly version: number;
  /** The DO bit, given back as it came (RFC 3225). */
  readonly dnssecOk: boolean;
  readonly subnet?: ClientSubnet;
  /** An option of it makes no sense: that is answered with a code, the question, and OPT (RFC 6891, section 7). */
  readonly malformed?: true;
}

export interface Query {
  /** Lower case, in wire form, one character per byte. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Where the question section ends in the packet. */
  readonly questionEnd: number;
  readonly edns?: Edns;
}

/** `drop`: not to be answered at all; a code: answered with nothing but that code. */
export type Parsed = Query | Extract<Rcode, 1 | 4> | 'drop';

const OPCODE_MASK = 0x78_00;
const OPT_FIXED_BYTES = 10;
const OPTION_CLIENT_SUBNET = 8;
/** By their number: https://www.iana.org/assignments/address-family-numbers */
const FAMILIES: ReadonlyMap<number, ClientSubnet['family']> = new Map([
  [0, 0],
  [1, 4],
  [2, 6],
]);
const ADDRESS_BITS = { 0: 0, 4: 32, 6: 128 } as const;

/** Reads a packet. An answer that was sent to us is dropped: answering it could go on for ever. */
export function parseQuery(packet: Buffer): Parsed {
  if (packet.length < HEADER_BYTES) return 'drop';
  const flags = packet.readUInt16BE(2);
  if ((flags & FLAG.QR) !== 0) return 'drop';
  if ((flags & OPCODE_MASK) !== 0) return RCODE.NOTIMP;
  // One question (RFC 9619), nothing in the answer and authority sections.
  if (packet.readUInt16BE(4) !== 1 || packet.readUInt32BE(6) !== 0) return RCODE.FORMERR;
  const nameEnd = skipName(packet, HEADER_BYTES);
  if (nameEnd === undefined || nameEnd + 4 > packet.length) return RCODE.FORMERR;
  const edns = readAdditional(packet, nameEnd + 4);
  if (edns === 'malformed') return RCODE.FORMERR;
  return {
    // Length bytes are below 'A', so lower-casing changes letters only; no served name has bytes above ASCII.
    name: packet.toString('latin1', HEADER_BYTES, nameEnd).toLowerCase(),
    type: packet.readUInt16BE(nameEnd),
    class: packet.readUInt16BE(nameEnd + 2),
    questionEnd: nameEnd + 4,
    ...(edns !== undefined && { edns }),
  };
}

/** The offset after an uncompressed name: queries have nothing that a pointer could point back to. */
function skipName(packet: Buffer, start: number): number | undefined {
  let offset = start;
  for (;;) {
    const length = packet[offset];
    if (length === undefined || length > LABEL_BYTES_MAX) return undefined;
    offset += length + 1;
    if (offset - start > NAME_BYTES_MAX || offset > packet.length) return undefined;
    if (length === 0) return offset;
  }
}

/** The additional section: one OPT record at most; other records are skipped. Nothing may follow it. */
function readAdditional(packet: Buffer, start: number): Edns | 'malformed' | undefined {
  let offset = start;
  let edns: Edns | undefined;
  for (let records = packet.readUInt16BE(10); records > 0; records -= 1) {
    const nameEnd = skipRecordName(packet, offset);
    if (nameEnd === undefined || nameEnd + OPT_FIXED_BYTES > packet.length) return 'malformed';
    const end = nameEnd + OPT_FIXED_BYTES + packet.readUInt16BE(nameEnd + 8);
    if (end > packet.length) return 'malformed';
    if (packet.readUInt16BE(nameEnd) === TYPE.OPT) {
      if (edns !== undefined || nameEnd !== offset + 1) return 'malformed';
      edns = readOpt(packet, nameEnd, end);
    }
    offset = end;
  }
  return offset === packet.length ? edns : 'malformed';
}

/** As `skipName`, also over a pointer, which ends a name. */
function skipRecordName(packet: Buffer, start: number): number | undefined {
  const plain = skipName(packet, start);
  if (plain !== undefined) return plain;
  let offset = start;
  for (let length = packet[offset]; length !== undefined && length !== 0; length = packet[offset]) {
    if (length >= 0xc0) return offset + 2 <= packet.length ? offset + 2 : undefined;
    if (length > LABEL_BYTES_MAX) return undefined;
    offset += length + 1;
  }
  return undefined;
}

function readOpt(packet: Buffer, offset: number, end: number): Edns {
  const version = packet[offset + 5] ?? 0;
  const edns: Edns = {
    payloadBytes: packet.readUInt16BE(offset + 2),
    version,
    dnssecOk: ((packet[offset + 6] ?? 0) & 0x80) !== 0,
  };
  let subnet: ClientSubnet | undefined;
  let at = offset + OPT_FIXED_BYTES;
  while (at < end) {
    if (at + 4 > end) return { ...edns, malformed: true };
    const code = packet.readUInt16BE(at);
    const next = at + 4 + packet.readUInt16BE(at + 2);
    if (next > end) return { ...edns, malformed: true };
    if (code === OPTION_CLIENT_SUBNET && version === 0) {
      subnet = readSubnet(packet.subarray(at + 4, next));
      if (subnet === undefined) return { ...edns, malformed: true };
    }
    at = next;
  }
  return { ...edns, ...(subnet && { subnet }) };
}

/** RFC 7871, section 6: bits beyond the prefix are zero, and a query's scope is zero. A family of 0 has no address. */
function readSubnet(option: Buffer): ClientSubnet | undefined {
  if (option.length < 4) return undefined;
  const family = FAMILIES.get(option.readUInt16BE(0));
  const prefixBits = option[2] ?? 0;
  if (family === undefined || option[3] !== 0 || prefixBits > ADDRESS_BITS[family]) return undefined;
  const address = option.subarray(4);
  if (address.length !== Math.ceil(prefixBits / 8)) return undefined;
  const spare = (8 - (prefixBits % 8)) % 8;
  if (((address.at(-1) ?? 0) & ((1 << spare) - 1)) !== 0) return undefined;
  return { family, address, prefixBits };
}
