import { describe, expect, test } from '@jest/globals';
import type { ZoneRecord } from '@tandem-clouds/zone/model';
import {
  addressesOf,
  type Answer,
  clientSubnet,
  decode,
  encodeName,
  QTYPE,
  query,
  readName,
} from '../../../../tests/helpers/dns-packets.ts';
import { API, plain, routed, target, ZONE } from '../../../../tests/helpers/dns-zone.ts';
import { Locator } from '../../src/dns/locations.ts';
import { Responder } from '../../src/dns/responder.ts';
import { ServedZone } from '../../src/dns/served-zone.ts';
import { readZone } from '../../src/dns/zone.ts';

const check = { protocol: 'http', host: '127.0.0.1', port: 3000, path: '/', intervalSeconds: 10, failureThreshold: 2 } as const; // prettier-ignore
const RECORDS: readonly ZoneRecord[] = [
  routed('weighted', [target('aws', '127.0.0.2', { check }), target('azure', '127.0.0.3', { weight: 0 })]),
  routed('failover', [{ site: 'aws', values: ['edge.example.net'] }], { name: `www.${ZONE}`, type: 'CNAME' }),
  plain(`deep.down.${ZONE}`, 'AAAA', '2001:db8::1'),
  plain(`big.${ZONE}`, 'TXT', ...Array.from({ length: 40 }, (_, i) => `${i}`.padStart(100, 'x'))),
  plain(`long.${ZONE}`, 'TXT', 'y'.repeat(300)),
  plain(`mx.${ZONE}`, 'MX', `10 mail.${ZONE}`, '20 mail.example.net'),
  plain(`ca.${ZONE}`, 'CAA', '0 issue "ca.example.net"'),
];

function responderOf(records: readonly ZoneRecord[]): Responder {
  const served = new ServedZone({
    zone: readZone({ zone: ZONE, records }),
    revision: 7,
    serverAddress: '127.0.0.1',
    latencies: {},
    isHealthy: () => true,
    random: Math.random,
  });
  return new Responder(() => served, new Locator([]));
}

const responder = responderOf(RECORDS);

function raw(packet: Buffer, transport: 'udp' | 'tcp' = 'udp'): Buffer {
  const answer = responder.answer(packet, transport, '127.0.0.1');
  if (answer === undefined) throw new Error('there is no answer');
  return answer;
}

const fetchFrom = (...args: Parameters<typeof query>): Answer => decode(raw(query(...args)));

describe('an answer', () => {
  test('is authoritative, has the id and the recursion bit of the query, and the TTL of the record', () => {
    const answer = fetchFrom(API, QTYPE.A, { id: 4711 });
    expect(answer).toMatchObject({ id: 4711, rcode: 0, aa: true, tc: false, rd: true });
    expect(answer.answers).toMatchObject([{ name: API, type: QTYPE.A, class: 1, ttl: 10 }]);
    expect(addressesOf(answer)).toEqual(['127.0.0.2']);
    expect(fetchFrom(API, QTYPE.A, { flags: 0 }).rd).toBe(false);
  });

  test('gives the letters of the name back in the case in which they came', () => {
    const answer = fetchFrom('aPi.TaNdEm.tESt', QTYPE.A);
    expect(answer.questionName).toBe('aPi.TaNdEm.tESt');
    expect(answer.answers).toMatchObject([{ name: 'aPi.TaNdEm.tESt' }]);
  });

  test('names its owner with a pointer: 16 bytes for an address', () => {
    const packet = query(API, QTYPE.A);
    expect(raw(packet)).toHaveLength(packet.length + 16);
  });

  test('a name that does not exist, and one without this type, get the SOA record', () => {
    const missing = fetchFrom(`nowhere.${ZONE}`, QTYPE.A);
    expect(missing).toMatchObject({ rcode: 3, aa: true, answers: [] });
    expect(missing.authority).toMatchObject([{ name: ZONE, type: QTYPE.SOA, ttl: 10 }]);
    const none = fetchFrom(API, QTYPE.AAAA);
    expect(none).toMatchObject({ rcode: 0, aa: true, answers: [] });
    expect(none.authority).toMatchObject([{ name: ZONE, type: QTYPE.SOA, ttl: 10 }]);
  });

  test('a name that only has names below it exists', () => {
    expect(fetchFrom(`down.${ZONE}`, QTYPE.A)).toMatchObject({ rcode: 0, answers: [] });
    expect(fetchFrom(`_tcp.${API}`, QTYPE.A)).toMatchObject({ rcode: 0, answers: [] });
    expect(fetchFrom(`other.down.${ZONE}`, QTYPE.A).rcode).toBe(3);
  });

  test('the serial number of the SOA record is the revision', () => {
    const [soa] = fetchFrom(ZONE, QTYPE.SOA).answers;
    expect(soa!.data.readUInt32BE(soa!.data.length - 20)).toBe(7);
  });

  test('outside of the zone, in another class, and a transfer: refused', () => {
    for (const [name, type, options] of [
      ['example.org', QTYPE.A, {}],
      ['test', QTYPE.A, {}],
      [`x${ZONE}`, QTYPE.A, {}],
      ['', QTYPE.NS, {}],
      [API, QTYPE.A, { class: 3 }],
      [ZONE, QTYPE.AXFR, {}],
    ] as const) {
      expect(fetchFrom(name, type, options)).toMatchObject({
        rcode: 5,
        aa: false,
        answers: [],
        authority: [],
      });
    }
  });

  test('a label that contains the bytes of the zone does not make a name part of it', () => {
    const label = 'x\u0006tandem';
    expect(fetchFrom(`${label}.test`, QTYPE.A).rcode).toBe(5);
  });

  test('a CNAME answers for every type', () => {
    for (const type of [QTYPE.A, QTYPE.CNAME, QTYPE.TXT, QTYPE.ANY]) {
      const answer = fetchFrom(`www.${ZONE}`, type);
      expect(answer.answers).toMatchObject([{ type: QTYPE.CNAME }]);
      expect(readName(answer.bytes, answer.answers[0]!.at).name).toBe('edge.example.net');
    }
  });

  test('ANY gets one small record', () => {
    expect(fetchFrom(API, QTYPE.ANY).answers).toMatchObject([{ type: QTYPE.HINFO }]);
    expect(fetchFrom(`down.${ZONE}`, QTYPE.ANY)).toMatchObject({ rcode: 0, answers: [] });
  });

  test('a site without a port has no SRV record; one with a port has SRV and SVCB records that carry it', () => {
    const srv = fetchFrom(`_http._tcp.${API}`, QTYPE.SRV);
    expect(srv.answers[0]!.data.readUInt16BE(4)).toBe(3000);
    expect(readName(srv.bytes, srv.answers[0]!.at + 6).name).toBe(`aws.${API}`);
    expect(srv.additional).toMatchObject([{ name: `aws.${API}`, type: QTYPE.A }]);
    const svcb = fetchFrom(`_http.${API}`, QTYPE.SVCB).answers[0]!;
    const wanted = [[0, 1], encodeName(`aws.${API}`), [0, 3, 0, 2, 0x0b, 0xb8], [0, 4, 0, 4, 127, 0, 0, 2]];
    expect(svcb.data).toEqual(Buffer.concat(wanted.map((part) => Buffer.from(part))));
    expect(addressesOf(fetchFrom(`azure.${API}`, QTYPE.A))).toEqual(['127.0.0.3']);
  });

  test('a text that is longer than a string is several', () => {
    const { data } = fetchFrom(`long.${ZONE}`, QTYPE.TXT, { edns: 1232 }).answers[0]!;
    expect([data[0], data[256], data.length]).toEqual([255, 45, 302]);
  });

  test('mail and certificate authority records are encoded as their RFCs say', () => {
    const mx = fetchFrom(`mx.${ZONE}`, 15);
    expect(mx.answers.map(({ at }) => readName(mx.bytes, at + 2).name)).toEqual([
      `mail.${ZONE}`,
      'mail.example.net',
    ]);
    expect(fetchFrom(`ca.${ZONE}`, 257).answers[0]!.data.toString('latin1')).toBe(
      '\0\x05issueca.example.net',
    );
  });
});

describe('an answer that is too large', () => {
  const name = `big.${ZONE}`;

  test('is cut to nothing and marked, within what the client takes and never above 1,232 bytes', () => {
    for (const edns of [undefined, 0, 512, 4_096, 65_535]) {
      const answer = fetchFrom(name, QTYPE.TXT, edns === undefined ? {} : { edns });
      expect(answer).toMatchObject({ tc: true, answers: [] });
      expect(answer.bytes.length).toBeLessThanOrEqual(512);
    }
  });

  test('is whole over TCP', () => {
    expect(decode(raw(query(name, QTYPE.TXT), 'tcp'))).toMatchObject({ tc: false, answers: { length: 40 } });
  });

  test('loses its additional records before it is cut', () => {
    const sites = Array.from({ length: 16 }, (_, i) => `127.0.1.${i}`);
    const many = responderOf([routed('weighted', [{ site: 'aws', values: sites.slice(0, 16), check }]), plain(`x.${ZONE}`, 'SRV', ...Array.from({ length: 12 }, (_, i) => `0 0 ${i + 1} aws.${API}`))]); // prettier-ignore
    const packet = many.answer(query(`x.${ZONE}`, QTYPE.SRV, { edns: 700 }), 'udp', '127.0.0.1');
    const answer = decode(packet!);
    expect(answer).toMatchObject({ tc: false, answers: { length: 12 } });
    expect(answer.additional).toMatchObject([{ type: QTYPE.OPT }]);
  });
});

describe('EDNS', () => {
  test('is answered only where it was asked with', () => {
    expect(fetchFrom(API, QTYPE.A).additional).toEqual([]);
    expect(fetchFrom(API, QTYPE.A, { edns: 1_400 }).additional).toMatchObject([
      { name: '', type: QTYPE.OPT, class: 1_232 },
    ]);
  });

  test('an unknown version is named as such', () => {
    const { rcode, additional } = fetchFrom(API, QTYPE.A, { edns: 1_232, version: 1 });
    expect([rcode, additional[0]!.ttl >>> 24]).toEqual([0, 1]);
  });

  test('gives the DO bit back', () => {
    const packet = query(API, QTYPE.A, { edns: 1_232 });
    packet[packet.length - 4] = 0x80;
    expect(decode(raw(packet)).additional[0]!.ttl).toBe(0x8000);
  });

  test('gives the subnet of the client back, with scope zero where the answer does not depend on it', () => {
    const options = clientSubnet('192.0.2.0', 24);
    const [opt] = fetchFrom(API, QTYPE.A, { edns: 1_232, options }).additional;
    expect(opt!.data).toEqual(options);
  });

  test.each([
    ['a scope in a query', clientSubnet('192.0.2.0', 24, 24)],
    ['bits beyond the prefix', clientSubnet('192.0.3.0', 23)],
    ['a prefix longer than an address', clientSubnet('192.0.2.1', 33)],
    ['an unknown family', Buffer.from([0, 8, 0, 4, 0, 9, 0, 0])],
    ['an option that is cut off', Buffer.from([0, 8, 0, 9, 0, 1])],
  ])('%s is a format error', (_title, options) => {
    expect(fetchFrom(API, QTYPE.A, { edns: 1_232, options }).rcode).toBe(1);
  });
});

describe('what is no query', () => {
  const good = query(API, QTYPE.A);
  const changed = (offset: number, ...bytes: readonly number[]): Buffer => {
    const packet = Buffer.from(good);
    Buffer.from(bytes).copy(packet, offset);
    return packet;
  };

  test.each([
    ['no question', changed(4, 0, 0), 1],
    ['two questions', changed(4, 0, 2), 1],
    ['records in the answer section', changed(6, 0, 1), 1],
    ['records in the authority section', changed(8, 0, 1), 1],
    ['an additional record that is not there', changed(10, 0, 1), 1],
    ['a pointer in the question', changed(12, 0xc0, 12), 1],
    ['a label that goes beyond the packet', changed(12, 63), 1],
    ['bytes after the end', Buffer.concat([good, Buffer.from([0])]), 1],
    ['a name without an end', good.subarray(0, 20), 1],
    ['a name of more than 255 bytes', query(`${`${'a'.repeat(60)}.`.repeat(5)}${ZONE}`, QTYPE.A), 1],
    ['two OPT records', twoOpts(), 1],
    ['an update', changed(2, 0x28, 0), 4],
    ['a notification', changed(2, 0x20, 0), 4],
  ])('%s gets a header with the reason and nothing more', (_title, packet, rcode) => {
    const answer = raw(packet);
    expect(answer).toHaveLength(12);
    expect(decode(answer)).toMatchObject({ id: 0x1234, rcode, answers: [] });
  });

  test.each([
    ['less than a header', good.subarray(0, 11)],
    ['nothing', Buffer.alloc(0)],
    ['an answer', changed(2, 0x81, 0)],
  ])('%s is not answered', (_title, packet) => {
    expect(responder.answer(packet, 'udp', '127.0.0.1')).toBeUndefined();
  });

  function twoOpts(): Buffer {
    const packet = query(API, QTYPE.A, { edns: 1_232 });
    packet.writeUInt16BE(2, 10);
    return Buffer.concat([packet, packet.subarray(-11)]);
  }
});

describe('a CNAME of the zone', () => {
  const alias = (name: string, to: string): ZoneRecord => plain(`${name}.${ZONE}`, 'CNAME', to);
  const chain = responderOf([
    ...RECORDS,
    alias('alias', API),
    alias('far', `alias.${ZONE}`),
    alias('lost', `nowhere.${ZONE}`),
    alias('between', `down.${ZONE}`),
    alias('away', 'edge.example.net'),
    alias('loop', `pool.${ZONE}`),
    alias('pool', `loop.${ZONE}`),
    ...Array.from({ length: 40 }, (_, i) => alias(`l${i}`, `l${i + 1}.${ZONE}`)),
  ]);
  const follow = (name: string, type: number = QTYPE.A, options: Parameters<typeof query>[2] = {}): Answer =>
    decode(chain.answer(query(`${name}.${ZONE}`, type, options), 'tcp', '127.0.0.1')!);
  const shown = ({ answers }: Answer) => answers.map(({ name, type }) => [name, type]);

  test('comes with what it leads to, over several names as well', () => {
    expect(shown(follow('alias'))).toEqual([
      [`alias.${ZONE}`, QTYPE.CNAME],
      [API, QTYPE.A],
    ]);
    const far = follow('far');
    expect(far).toMatchObject({ rcode: 0, aa: true, authority: [] });
    expect(addressesOf(far)).toEqual(['127.0.0.2']);
    expect(far.answers).toHaveLength(3);
  });

  test('is answered alone when it was asked for itself, or for anything', () => {
    for (const type of [QTYPE.CNAME, QTYPE.ANY])
      expect(shown(follow('far', type))).toEqual([[`far.${ZONE}`, QTYPE.CNAME]]);
  });

  test('that leads to a name which does not exist has the code of that name, and the SOA record', () => {
    const answer = follow('lost');
    expect(answer).toMatchObject({ rcode: 3, aa: true });
    expect(shown(answer)).toEqual([[`lost.${ZONE}`, QTYPE.CNAME]]);
    expect(answer.authority).toMatchObject([{ name: ZONE, type: QTYPE.SOA }]);
  });

  test('that leads to a name without this type says so by the SOA record alone', () => {
    for (const [name, type] of [
      ['alias', QTYPE.AAAA],
      ['between', QTYPE.A],
    ] as const) {
      const answer = follow(name, type);
      expect(answer.rcode).toBe(0);
      expect(shown(answer)).toEqual([[`${name}.${ZONE}`, QTYPE.CNAME]]);
      expect(answer.authority).toMatchObject([{ type: QTYPE.SOA }]);
    }
  });

  test('that leads elsewhere is left to the resolver', () => {
    expect(follow('away')).toMatchObject({ rcode: 0, authority: [], answers: [{ type: QTYPE.CNAME }] });
  });

  test('that comes back to itself, or never ends, is answered with a bounded number of records', () => {
    expect(shown(follow('loop'))).toEqual([
      [`loop.${ZONE}`, QTYPE.CNAME],
      [`pool.${ZONE}`, QTYPE.CNAME],
    ]);
    expect(follow('l0').answers).toHaveLength(17);
  });

  test('gives each client the target that is chosen for it', () => {
    const counts = new Set(Array.from({ length: 50 }, () => addressesOf(follow('alias')).join()));
    expect([...counts]).toEqual(['127.0.0.2']);
  });
});

describe('a client subnet', () => {
  const option = (...bytes: number[]): Buffer => Buffer.from([0, 8, 0, bytes.length, ...bytes]);

  test('of family 0 is a client that is not to be located, and is given back', () => {
    const packet = query(API, QTYPE.A, { edns: 1232, options: option(0, 0, 0, 0) });
    const bytes = raw(packet);
    expect(addressesOf(decode(bytes))).toEqual(['127.0.0.2']);
    expect(bytes.subarray(-8)).toEqual(option(0, 0, 0, 0));
  });

  test.each([
    ['of a family that nobody knows', option(0, 9, 0, 0)],
    ['of family 0 with an address', option(0, 0, 8, 0, 10)],
    ['with a scope', option(0, 1, 8, 8, 10)],
    ['with bits beyond the prefix', option(0, 1, 4, 0, 0xff)],
    ['with too few bytes', option(0, 1)],
    ['that is longer than its record', Buffer.from([0, 8, 0, 99])],
  ])('%s is refused with the question and OPT', (_title, options) => {
    const packet = query(API, QTYPE.A, { edns: 1232, options });
    const bytes = raw(packet);
    const answer = decode(bytes);
    expect(answer).toMatchObject({ rcode: 1, questionName: API, answers: [] });
    expect(bytes.readUInt16BE(10)).toBe(1);
    expect(bytes.length).toBeLessThanOrEqual(packet.length);
  });
});
