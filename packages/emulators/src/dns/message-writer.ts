/**
 * Writes the records of an answer, with name compression (RFC 1035, section 4.1.4).
 *
 * Invariant: what is written is valid behind any packet that asks the same question, whatever the case of its letters:
 * pointers lead into the question or into the written records, and both keep their places.
 */
import net from 'node:net';
import { CLASS_IN, HEADER_BYTES, TYPE } from './wire.ts';

/** The data of one record. Names are in lower case, without a final dot. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'NS'; readonly target: string }
  | { readonly type: 'MX'; readonly preference: number; readonly target: string }
  | { readonly type: 'TXT'; readonly text: string }
  | { readonly type: 'CAA'; readonly flags: number; readonly tag: string; readonly value: string }
  | { readonly type: 'HINFO'; readonly cpu: string; readonly os: string }
  | ServiceData
  | BindingData
  | SoaData;

/** RFC 2782. */
interface ServiceData {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** RFC 9460. */
interface BindingData {
  readonly type: 'SVCB' | 'HTTPS';
  readonly priority: number;
  readonly target: string;
  readonly port?: number;
  readonly ipv4hint?: readonly string[];
  readonly ipv6hint?: readonly string[];
}

interface SoaData {
  readonly type: 'SOA';
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
  /** How long a negative answer may be kept (RFC 2308). */
  readonly minimumSeconds: number;
}

export interface ResourceRecord {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly data: RecordData;
}

/** A pointer has 14 bits. */
const POINTER_MAX = 0x3f_ff;
/** TCP carries more; a zone within bounds.ts can ask for more, and then has no answer. */
const MESSAGE_BYTES_MAX = 65_535;
const FIRST_BYTES = 1_024;
/** RFC 1035, section 3.3. */
const STRING_BYTES_MAX = 255;

const SVC_PORT = 3;
const SVC_IPV4HINT = 4;
const SVC_IPV6HINT = 6;

/** A name in wire form, one character per byte: the key of all tables. */
export function wireName(name: string): string {
  const labels = name === '' ? [] : name.toLowerCase().split('.');
  return `${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0`;
}

/** The bytes of an IPv4 or IPv6 address in text form. @throws RangeError for anything else. */
export function addressBytes(address: string): Buffer {
  if (net.isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!net.isIPv6(address)) throw new RangeError(`'${address}' is not an IP address`);
  // The URL parser knows all forms, the embedded IPv4 address included, and compresses one run of zeros.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

export class MessageWriter {
  readonly #start: number;
  /** Suffixes that have been written, by their place in the message. */
  readonly #places = new Map<string, number>();
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  /** @param question The name that is asked for, in wire form. */
  constructor(question: string) {
    this.#start = HEADER_BYTES + question.length + 4;
    this.#remember(question, HEADER_BYTES);
  }

  get length(): number {
    return this.#length;
  }

  /** A copy of what has been written. */
  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  record({ name, ttlSeconds, data }: ResourceRecord): void {
    this.#name(wireName(name));
    this.#u16(TYPE[data.type]);
    this.#u16(CLASS_IN);
    this.#u32(ttlSeconds);
    this.#u16(0);
    const start = this.#length;
    this.#data(data);
    this.#bytes.writeUInt16BE(this.#length - start, start - 2);
  }

  #data(data: RecordData): void {
    switch (data.type) {
      case 'A':
      case 'AAAA':
        this.#append(addressBytes(data.address));
        break;
      case 'CNAME':
      case 'NS':
        this.#name(wireName(data.target));
        break;
      case 'MX':
        this.#u16(data.preference);
        this.#name(wireName(data.target));
        break;
      case 'TXT':
        this.#strings(Buffer.from(data.text));
        break;
      case 'CAA':
        this.#append(Buffer.from([data.flags]));
        this.#strings(Buffer.from(data.tag));
        this.#append(Buffer.from(data.value));
        break;
      case 'HINFO':
        this.#strings(Buffer.from(data.cpu));
        this.#strings(Buffer.from(data.os));
        break;
      case 'SRV':
        for (const value of [data.priority, data.weight, data.port]) this.#u16(value);
        this.#append(Buffer.from(wireName(data.target), 'latin1'));
        break;
      case 'SVCB':
      case 'HTTPS':
        this.#binding(data);
        break;
      case 'SOA':
        this.#soa(data);
        break;
    }
  }

  #soa(soa: SoaData): void {
    this.#name(wireName(soa.mname));
    this.#name(wireName(soa.rname));
    this.#u32(soa.serial);
    for (const seconds of [soa.refreshSeconds, soa.retrySeconds, soa.expireSeconds, soa.minimumSeconds]) {
      this.#u32(seconds);
    }
  }

  /** Parameters in the order of their keys; names are not compressed (RFC 9460, section 2.2). */
  #binding({ priority, target, port, ipv4hint = [], ipv6hint = [] }: BindingData): void {
    this.#u16(priority);
    this.#append(Buffer.from(wireName(target), 'latin1'));
    if (port !== undefined) this.#parameter(SVC_PORT, Buffer.from([port >> 8, port & 0xff]));
    if (ipv4hint.length > 0) this.#parameter(SVC_IPV4HINT, Buffer.concat(ipv4hint.map(addressBytes)));
    if (ipv6hint.length > 0) this.#parameter(SVC_IPV6HINT, Buffer.concat(ipv6hint.map(addressBytes)));
  }

  #parameter(key: number, value: Buffer): void {
    this.#u16(key);
    this.#u16(value.length);
    this.#append(value);
  }

  /** As one string or, when it is longer than a string can be, as several. */
  #strings(text: Buffer): void {
    for (let at = 0; at === 0 || at < text.length; at += STRING_BYTES_MAX) {
      const part = text.subarray(at, at + STRING_BYTES_MAX);
      this.#append(Buffer.from([part.length]));
      this.#append(part);
    }
  }

  /** Writes a name, from its longest known end on as a pointer. */
  #name(wire: string): void {
    let at = 0;
    let place = this.#places.get(wire);
    while (place === undefined && at < wire.length - 1) {
      at += wire.charCodeAt(at) + 1;
      place = this.#places.get(wire.slice(at));
    }
    this.#remember(wire, this.#start + this.#length);
    if (place === undefined) {
      this.#append(Buffer.from(wire, 'latin1'));
    } else {
      this.#append(Buffer.from(wire.slice(0, at), 'latin1'));
      this.#u16(0xc0_00 | place);
    }
  }

  #remember(wire: string, place: number): void {
    for (let at = 0; at < wire.length - 1; at += wire.charCodeAt(at) + 1) {
      const suffix = wire.slice(at);
      if (place + at > POINTER_MAX || this.#places.has(suffix)) return;
      this.#places.set(suffix, place + at);
    }
  }

  #u16(value: number): void {
    this.#reserve(2);
    this.#length = this.#bytes.writeUInt16BE(value, this.#length);
  }

  #u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
  }

  #append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (this.#start + needed > MESSAGE_BYTES_MAX)
      throw new RangeError('the answer is larger than a DNS message');
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
