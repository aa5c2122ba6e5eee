/** DNS packets as a client makes and reads them, independent of the server's own code. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

export interface QueryOptions {
  readonly id?: number;
  readonly flags?: number;
  readonly class?: number;
  /** The size that is announced; absent: no OPT record. */
  readonly edns?: number;
  readonly version?: number;
  /** Of the OPT record. */
  readonly options?: Buffer;
}

export const QTYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, HINFO: 13, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, SVCB: 64, HTTPS: 65, AXFR: 252, ANY: 255 } as const; // prettier-ignore

export function encodeName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

export function query(name: string, type: number, options: QueryOptions = {}): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(options.id ?? 0x1234, 0);
  header.writeUInt16BE(options.flags ?? 0x0100, 2);
  header.writeUInt16BE(1, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(options.class ?? 1, 2);
  const question = Buffer.concat([header, encodeName(name), tail]);
  if (options.edns === undefined) return question;
  question.writeUInt16BE(1, 10);
  const data = options.options ?? Buffer.alloc(0);
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(QTYPE.OPT, 1);
  opt.writeUInt16BE(options.edns, 3);
  opt[6] = options.version ?? 0;
  opt.writeUInt16BE(data.length, 9);
  return Buffer.concat([question, opt, data]);
}

/** The client subnet option of RFC 7871, for IPv4. */
export function clientSubnet(address: string, prefixBits: number, scopeBits = 0): Buffer {
  const bytes = Buffer.from(address.split('.').map(Number)).subarray(0, Math.ceil(prefixBits / 8));
  return Buffer.concat([Buffer.from([0, 8, 0, 4 + bytes.length, 0, 1, prefixBits, scopeBits]), bytes]);
}

export interface AnswerRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly data: Buffer;
  /** Where the data is in the packet: names in it may point back. */
  readonly at: number;
}

export interface Answer {
  readonly bytes: Buffer;
  readonly id: number;
  readonly rcode: number;
  readonly aa: boolean;
  readonly tc: boolean;
  readonly rd: boolean;
  readonly questionName: string | undefined;
  readonly answers: readonly AnswerRecord[];
  readonly authority: readonly AnswerRecord[];
  readonly additional: readonly AnswerRecord[];
}

/** Reads a name; throws when a pointer does not lead back, or the name is too long. */
export function readName(packet: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  for (;;) {
    const length = packet.readUInt8(at);
    if (length >= 0xc0) {
      const place = packet.readUInt16BE(at) & 0x3fff;
      end ??= at + 2;
      if (place >= at || place < 12) throw new Error(`a pointer at ${at} leads to ${place}`);
      at = place;
    } else if (length === 0) {
      const name = labels.join('.');
      if (name.length > 253) throw new Error('a name is too long');
      return { name, end: end ?? at + 1 };
    } else {
      if (length > 63 || at + 1 + length > packet.length) throw new Error(`a label at ${at} is too long`);
      labels.push(packet.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
}

/** Reads a whole answer; throws on anything that is not well-formed, bytes at the end included. */
export function decode(packet: Buffer): Answer {
  const flags = packet.readUInt16BE(2);
  if ((flags & 0x8000) === 0) throw new Error('not an answer');
  let at = 12;
  let questionName: string | undefined;
  for (let i = packet.readUInt16BE(4); i > 0; i -= 1) {
    const question = readName(packet, at);
    questionName = question.name;
    at = question.end + 4;
  }
  const section = (count: number): AnswerRecord[] =>
    Array.from({ length: count }, () => {
      const { name, end } = readName(packet, at);
      const dataAt = end + 10;
      const length = packet.readUInt16BE(end + 8);
      if (dataAt + length > packet.length) throw new Error('a record is cut off');
      at = dataAt + length;
      return {
        name,
        type: packet.readUInt16BE(end),
        class: packet.readUInt16BE(end + 2),
        ttl: packet.readUInt32BE(end + 4),
        data: packet.subarray(dataAt, at),
        at: dataAt,
      };
    });
  const answers = section(packet.readUInt16BE(6));
  const authority = section(packet.readUInt16BE(8));
  const additional = section(packet.readUInt16BE(10));
  if (at !== packet.length) throw new Error(`${packet.length - at} bytes are left over`);
  return {
    bytes: packet,
    id: packet.readUInt16BE(0),
    rcode: flags & 0xf,
    aa: (flags & 0x0400) !== 0,
    tc: (flags & 0x0200) !== 0,
    rd: (flags & 0x0100) !== 0,
    questionName,
    answers,
    authority,
    additional,
  };
}

/** The addresses of the A records, in order. */
export function addressesOf({ answers }: Answer): string[] {
  return answers.filter(({ type }) => type === QTYPE.A).map(({ data }) => [...data].join('.'));
}

/** Sends one packet over UDP and waits for the answer. @throws AbortError when none comes within the bound. */
export async function queryUdp(port: number, packet: Buffer, withinMs = 5_000): Promise<Buffer> {
  const socket = dgram.createSocket('udp4');
  try {
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.send(packet);
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(withinMs) })) as [Buffer];
    return answer;
  } finally {
    socket.close();
  }
}

/** Sends packets over one TCP connection, in pieces of `pieceBytes`, and reads as many answers. */
export async function queryTcp(
  port: number,
  packets: readonly Buffer[],
  pieceBytes = 65_537,
): Promise<Buffer[]> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const answers: Buffer[] = [];
  try {
    await once(socket, 'connect');
    const framed = Buffer.concat(
      packets.flatMap((packet) => [Buffer.from([packet.length >> 8, packet.length & 0xff]), packet]),
    );
    for (let at = 0; at < framed.length; at += pieceBytes) socket.write(framed.subarray(at, at + pieceBytes));
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        answers.push(received.subarray(2, end));
        received = received.subarray(end);
      }
      if (answers.length === packets.length) break;
    }
    return answers;
  } finally {
    socket.destroy();
  }
}
