/**
 * From a query packet to the packet that answers it.
 *
 * Invariants: no packet makes it throw. An answer over UDP is at most as large as the client takes and never above
 * `UDP_BYTES_MAX`, so that a forged sender's address is of little use. What is no DNS message gets a header and nothing
 * more; a message whose OPT makes no sense gets its question and OPT back.
 */
import net from 'node:net';
import type { Located, Locator } from './locations.ts';
import { addressBytes } from './message-writer.ts';
import { type Edns, parseQuery, type Query } from './query.ts';
import type { ServedZone, Tail } from './served-zone.ts';
import {
  CLASS_ANY,
  CLASS_IN,
  FLAG,
  HEADER_BYTES,
  RCODE,
  type Rcode,
  TYPE,
  UDP_BYTES_MAX,
  UDP_BYTES_MIN,
} from './wire.ts';

export type Transport = 'udp' | 'tcp';

export interface Counters {
  udp: number;
  tcp: number;
  /** Not answered at all. */
  dropped: number;
  truncated: number;
  /** Answers by code. */
  readonly rcodes: Record<keyof typeof RCODE, number>;
}

const TCP_BYTES_MAX = 65_535;
const OPT_BYTES = 11;
const OPCODE_AND_RD = 0x79_00;
const CODE_NAMES = new Map(Object.entries(RCODE).map(([name, code]) => [code, name as keyof typeof RCODE]));

const NO_RECORDS: Tail = { bytes: Buffer.alloc(0), coreBytes: 0, answers: 0, authority: 0, additional: 0 };

interface Reply {
  readonly rcode: Rcode;
  readonly tail: Tail;
  readonly authoritative: boolean;
  readonly edns?: Edns | undefined;
  /** For the client subnet that is given back. */
  readonly scopeBits: number;
}

export class Responder {
  readonly counters: Counters = {
    udp: 0,
    tcp: 0,
    dropped: 0,
    truncated: 0,
    rcodes: { NOERROR: 0, FORMERR: 0, SERVFAIL: 0, NXDOMAIN: 0, NOTIMP: 0, REFUSED: 0, BADVERS: 0 },
  };
  readonly #zone: () => ServedZone | undefined;
  readonly #locator: Locator;

  /** @param zone What is served right now. */
  constructor(zone: () => ServedZone | undefined, locator: Locator) {
    this.#zone = zone;
    this.#locator = locator;
  }

  /** The answer; undefined when there must be none. */
  answer(packet: Buffer, transport: Transport, clientAddress: string): Buffer | undefined {
    this.counters[transport] += 1;
    const query = parseQuery(packet);
    if (query === 'drop') {
      this.counters.dropped += 1;
      return undefined;
    }
    if (typeof query === 'number') return this.#bare(packet, query);
    try {
      const reply = this.#reply(query, clientAddress);
      this.#count(reply.rcode);
      return this.#encode(packet, query, reply, transport);
    } catch (error) {
      // A broken invariant of ours, not the client's fault; it shows in the counters.
      process.stderr.write(
        `${JSON.stringify({ level: 'error', message: 'no answer', error: String(error) })}\n`,
      );
      return this.#bare(packet, RCODE.SERVFAIL);
    }
  }

  #reply(query: Query, clientAddress: string): Reply {
    const { edns, type } = query;
    const plain = { tail: NO_RECORDS, authoritative: false, edns, scopeBits: 0 };
    if (edns !== undefined && edns.version !== 0) return { ...plain, rcode: RCODE.BADVERS };
    if (edns?.malformed === true) return { ...plain, rcode: RCODE.FORMERR };
    if (query.class !== CLASS_IN && query.class !== CLASS_ANY) return { ...plain, rcode: RCODE.REFUSED };
    if (type === TYPE.AXFR || type === TYPE.IXFR) return { ...plain, rcode: RCODE.REFUSED };
    if (type === TYPE.OPT) return { ...plain, rcode: RCODE.FORMERR };
    let located: Located | undefined;
    const found = this.#zone()?.find(query.name, type, () => {
      located = this.#locate(edns, clientAddress);
      return located.location;
    });
    if (found === undefined) return { ...plain, rcode: RCODE.REFUSED };
    return {
      rcode: found.exists ? RCODE.NOERROR : RCODE.NXDOMAIN,
      tail: found.tail,
      authoritative: true,
      edns,
      scopeBits: located?.scopeBits ?? 0,
    };
  }

  /** By the subnet that the resolver names, else by the address that asks. */
  #locate(edns: Edns | undefined, clientAddress: string): Located {
    if (edns?.subnet !== undefined) {
      const { family, address, prefixBits } = edns.subnet;
      if (family === 0) return { location: undefined, scopeBits: 0 };
      return this.#locator.locate(family, address, prefixBits);
    }
    const family = net.isIPv4(clientAddress) ? 4 : 6;
    return this.#locator.locate(family, addressBytes(clientAddress), family === 4 ? 32 : 128);
  }

  #encode(packet: Buffer, query: Query, reply: Reply, transport: Transport): Buffer {
    const { questionEnd, edns } = query;
    const taken = Math.max(UDP_BYTES_MIN, edns?.payloadBytes ?? UDP_BYTES_MIN);
    const room = transport === 'tcp' ? TCP_BYTES_MAX : Math.min(taken, UDP_BYTES_MAX);
    const overheadBytes = questionEnd + optBytes(edns);
    const whole = overheadBytes + reply.tail.bytes.length <= room;
    const fits = whole || overheadBytes + reply.tail.coreBytes <= room;
    const tail = fits ? reply.tail : NO_RECORDS;
    if (!fits) this.counters.truncated += 1;
    const tailBytes = whole ? tail.bytes.length : tail.coreBytes;
    const answer = Buffer.allocUnsafe(overheadBytes + tailBytes);
    // The question goes back as it came, case included: resolvers use it against forged answers.
    packet.copy(answer, 0, 0, questionEnd);
    tail.bytes.copy(answer, questionEnd, 0, tailBytes);
    let flags = FLAG.QR | (packet.readUInt16BE(2) & OPCODE_AND_RD) | (reply.rcode & 0xf);
    if (reply.authoritative) flags |= FLAG.AA;
    if (!fits) flags |= FLAG.TC;
    answer.writeUInt16BE(flags, 2);
    answer.writeUInt16BE(1, 4);
    answer.writeUInt16BE(tail.answers, 6);
    answer.writeUInt16BE(tail.authority, 8);
    answer.writeUInt16BE((whole ? tail.additional : 0) + (edns === undefined ? 0 : 1), 10);
    if (edns !== undefined) writeOpt(answer, questionEnd + tailBytes, edns, reply);
    return answer;
  }

  #bare(packet: Buffer, rcode: Rcode): Buffer {
    this.#count(rcode);
    const answer = Buffer.alloc(HEADER_BYTES);
    packet.copy(answer, 0, 0, 2);
    answer.writeUInt16BE(FLAG.QR | (packet.readUInt16BE(2) & OPCODE_AND_RD) | rcode, 2);
    return answer;
  }

  #count(rcode: Rcode): void {
    this.counters.rcodes[CODE_NAMES.get(rcode) ?? 'SERVFAIL'] += 1;
  }
}

function optBytes(edns: Edns | undefined): number {
  if (edns === undefined) return 0;
  return OPT_BYTES + (edns.subnet === undefined ? 0 : 8 + edns.subnet.address.length);
}

/** RFC 6891, section 6.1; with the client's subnet and for how much of it the answer holds (RFC 7871, section 7.2.1). */
function writeOpt(answer: Buffer, start: number, edns: Edns, { rcode, scopeBits }: Reply): void {
  const { subnet, dnssecOk } = edns;
  answer[start] = 0;
  answer.writeUInt16BE(TYPE.OPT, start + 1);
  answer.writeUInt16BE(UDP_BYTES_MAX, start + 3);
  answer[start + 5] = rcode >> 4;
  answer[start + 6] = 0;
  answer.writeUInt16BE(dnssecOk ? 0x80_00 : 0, start + 7);
  answer.writeUInt16BE(subnet === undefined ? 0 : 8 + subnet.address.length, start + 9);
  if (subnet === undefined) return;
  const at = start + OPT_BYTES;
  answer.writeUInt16BE(8, at);
  answer.writeUInt16BE(4 + subnet.address.length, at + 2);
  answer.writeUInt16BE({ 0: 0, 4: 1, 6: 2 }[subnet.family], at + 4);
  answer[at + 6] = subnet.prefixBits;
  answer[at + 7] = scopeBits;
  subnet.address.copy(answer, at + 8);
}
