import { expect, test } from '@jest/globals';
import { API, plain, routed, target, ZONE } from '../../../../tests/helpers/dns-zone.ts';
import { readZone, ZoneError } from '../../src/dns/zone.ts';

const check = { protocol: 'http', host: '127.0.0.1', port: 1, path: '/', intervalSeconds: 1, failureThreshold: 1 } as const; // prettier-ignore
const one = target('aws', '127.0.0.2');

function problemsOf(...records: readonly unknown[]): readonly string[] {
  try {
    readZone({ zone: ZONE, records });
    return [];
  } catch (error) {
    if (error instanceof ZoneError) return error.problems;
    throw error;
  }
}

test('what can be served comes back as it is', () => {
  const records = [
    routed('weighted', [{ ...one, check }]),
    routed('weighted', [{ site: 'aws', values: ['::1'] }], { type: 'AAAA' }),
    plain(API, 'TXT', 'next to a strategy'),
    plain(ZONE, 'MX', '10 mail.example.net.'),
  ];
  expect(readZone({ zone: ZONE, records }).records).toEqual(records);
});

test.each([
  [
    'a name outside of the zone',
    [plain('example.org', 'A', '127.0.0.1')],
    /example\.org A is not within tandem\.test/,
  ],
  ['a name that only ends alike', [plain(`x${ZONE}`, 'A', '127.0.0.1')], /is not within/],
  [
    'the same name and type twice',
    [plain(API, 'A', '127.0.0.1'), routed('weighted', [one])],
    /api.* A is there twice/,
  ],
  ['a CNAME next to something else', [plain(API, 'CNAME', 'x.test'), plain(API, 'TXT', 'x')], /stands alone/],
  ['a CNAME at the top', [plain(ZONE, 'CNAME', 'x.test')], /stands alone/],
  ['two values of a CNAME', [plain(API, 'CNAME', 'x.test', 'y.test')], /one value only/],
  ['a site twice', [routed('weighted', [one, one])], /aws: the site is there twice/],
  ['a wrong address', [plain(API, 'A', '127.0.0.256')], /'127\.0\.0\.256' is no value of this type/],
  ['an IPv6 address with a zone', [plain(API, 'AAAA', 'fe80::1%eth0')], /no value/],
  ['an SRV port that is too high', [plain(API, 'SRV', '0 0 65536 x.test')], /no value/],
  ['an MX without a preference', [plain(API, 'MX', 'mail.test')], /no value/],
  ['latency without a region', [routed('latency', [one])], /aws: latency needs a region/],
  ['geolocation without a location', [routed('geolocation', [one])], /needs a location/],
  [
    'a name that the server makes',
    [routed('weighted', [one]), plain(`aws.${API}`, 'A', '127.0.0.1')],
    /makes for api/,
  ],
  ['capital letters', [plain('API.tandem.test', 'A', '127.0.0.1')], /\/records\/0\/name/],
  ['a wildcard', [plain('*.tandem.test', 'A', '127.0.0.1')], /\/records\/0\/name/],
  ['an unknown property', [{ ...plain(API, 'A', '127.0.0.1'), weigth: 1 }], /\/records\/0 .*: weigth/],
  ['an unknown type', [{ ...plain(API, 'A', '127.0.0.1'), type: 'NS' }], /\/records\/0\/type/],
  [
    'an interval of zero',
    [routed('weighted', [{ ...one, check: { ...check, intervalSeconds: 0 } }])],
    /intervalSeconds/,
  ],
])('%s is refused', (_title, records, problem) => {
  expect(problemsOf(...records).join('\n')).toMatch(problem);
});

test('all mistakes are named at once', () => {
  expect(problemsOf(plain('example.org', 'A', 'x'), routed('latency', [one]))).toHaveLength(3);
  expect(problemsOf({ kind: 'plain' }).length).toBeGreaterThan(3);
});

test('a document that is none is refused', () => {
  for (const document of [undefined, null, [], 'zone', { zone: 'tandem.test' }]) {
    expect(() => readZone(document)).toThrow(ZoneError);
  }
});
