/** Whatever arrives: an answer that is well-formed and small, or none. The seed is printed and replays the run. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clientSubnet, decode, QTYPE, query } from '../../../../tests/helpers/dns-packets.ts';
import { API, plain, routed, target, ZONE } from '../../../../tests/helpers/dns-zone.ts';
import { Locator } from '../../src/dns/locations.ts';
import { Responder } from '../../src/dns/responder.ts';
import { ServedZone } from '../../src/dns/served-zone.ts';
import { readZone } from '../../src/dns/zone.ts';

const location = { countries: ['CH'], continents: [], default: false };
const served = new ServedZone({
  zone: readZone({
    zone: ZONE,
    records: [
      routed('geolocation', [target('aws', '127.0.0.2', { location })]),
      plain(`big.${ZONE}`, 'TXT', ...Array.from({ length: 60 }, (_, i) => `${i}`.padStart(200, 'x'))),
    ],
  }),
  revision: 1,
  serverAddress: '127.0.0.1',
  latencies: {},
  isHealthy: () => false,
  random: Math.random,
});
const responder = new Responder(() => served, new Locator([{ subnet: '10.0.0.0/8', country: 'CH' }]));
const UDP_BYTES_MAX = 1_232;

function check(packet: Buffer): void {
  const before = Buffer.from(packet);
  const answer = responder.answer(packet, 'udp', '127.0.0.1');
  expect(packet.equals(before)).toBe(true);
  if (answer === undefined) return;
  expect(answer.length).toBeLessThanOrEqual(UDP_BYTES_MAX);
  expect(decode(answer)).toMatchObject({ id: packet.readUInt16BE(0) });
}

test('random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => check(Buffer.from(bytes))),
    { numRuns: 4_000 },
  );
  expect(responder.counters.rcodes.SERVFAIL).toBe(0);
});

test('good queries with some bytes changed, cut off or added', () => {
  const names = fc.constantFrom(API, ZONE, `big.${ZONE}`, `no.${API}`, 'example.org', `aws.${API}`, '');
  const types = fc.oneof(fc.constantFrom(...Object.values(QTYPE)), fc.integer({ min: 0, max: 65_535 }));
  const edns = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined });
  const edits = fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(
      names,
      types,
      edns,
      edits,
      fc.integer({ min: -20, max: 20 }),
      (name, type, size, changes, extra) => {
        const options = clientSubnet('10.1.2.0', 24);
        const good = query(name, type, size === undefined ? {} : { edns: size, options });
        for (const [at, value] of changes) good[at % good.length] = value;
        check(extra < 0 ? good.subarray(0, extra) : Buffer.concat([good, Buffer.alloc(extra, 0xc0)]));
      },
    ),
    { numRuns: 4_000 },
  );
  expect(responder.counters.rcodes.SERVFAIL).toBe(0);
});

test('an answer to one packet is at most 1,232 bytes, and a refusal is never larger than the question', () => {
  const refused = responder.answer(query('example.org', QTYPE.ANY), 'udp', '127.0.0.1');
  expect(refused?.length).toBeLessThanOrEqual(query('example.org', QTYPE.ANY).length);
  const large = responder.answer(query(`big.${ZONE}`, QTYPE.TXT, { edns: 65_535 }), 'udp', '127.0.0.1');
  expect(large?.length).toBeLessThan(100);
});
