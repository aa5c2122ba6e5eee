/**
 * Whatever a live zone holds: what a policy can say is dumped and then planned to nothing, and what it cannot say is named
 * and never touched.
 */
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { describe, expect, it } from '@jest/globals';
import type { RecordResponse } from 'cloudflare/resources/dns/records';
import fc from 'fast-check';
import { virtualClock } from '@tandem-clouds/testkit/virtual-clock';
import { type HealthCheck, keyOf, type ZoneRecord } from '@tandem-clouds/zone/model';
import { RefusedError } from '../../../dns/errors.ts';
import { isEmpty, makePlan, type Plan } from '../../../dns/plan/plan.ts';
import { dump } from '../../../dns/policy/dump.ts';
import type { Policy, ProviderName } from '../../../dns/policy/policy.ts';
import { parsePolicy } from '../../../dns/policy/read-policy.ts';
import { recordsOf } from '../../../dns/policy/records.ts';
import { supported } from '../../../dns/policy/supported.ts';
import type { LiveZone, Provider } from '../../../dns/provider.ts';
import { CloudflareProvider } from '../../../dns/providers/cloudflare/provider.ts';
import { type Raw, understood } from '../../../dns/providers/cloudflare/raw.ts';
import { LocalProvider } from '../../../dns/providers/local/provider.ts';
import { Route53Provider } from '../../../dns/providers/route53/provider.ts';
import { fromSets } from '../../../dns/providers/route53/record-sets.ts';
import { policyOf, ZONE } from '../../helpers/dns/fixtures.ts';

const clock = virtualClock();
const PROVIDERS: Readonly<Record<ProviderName, Provider>> = {
  route53: new Route53Provider({ zone: ZONE, clock }),
  cloudflare: new CloudflareProvider({ zone: ZONE, clock, token: 'unused' }),
  local: new LocalProvider({ zone: ZONE, controlUrl: 'http://127.0.0.1:9' }),
};

const NAMES = [
  ...[
    '',
    'www.',
    '*.',
    '*.web.',
    'a-*.',
    'x.*.',
    '0/25.',
    'bücher.',
    '_dmarc.',
    'WWW.',
    '\u212Aelvin.',
    'kelvin.',
  ],
  ...[
    '_tandem-traffic.',
    '_tandem-monitor.',
    '_tandem-lock.',
    '-x.',
    'a..',
    `${'a'.repeat(64)}.`,
    'constructor.',
  ],
];
const HOSTS = [
  'a.example.net',
  'A.Example.NET',
  '.',
  'a..b',
  '192.0.2.1',
  'bücher.example.net',
  '-',
  '*.x',
  '',
];
const TEXTS = [
  ...[
    '""',
    '"v=spf1 -all"',
    '"caf\\195\\169"',
    '"a\\\\065b"',
    '"\\377\\376"',
    '"a" "b"',
    '"open',
    'bare words',
    '"\\999"',
  ],
  ...['"tandem1 aws-us-east-1=0"', '"\\010"', '"\u2028 # : - \\""', '', '"é"'],
];
const number = fc.constantFrom(0, 1, 10, 65_535, 70_000);
const host = fc.constantFrom(...HOSTS);
const text = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.string(),
  fc.string({ unit: 'binary' }).map((one) => JSON.stringify(one)),
);
const tag = fc.constantFrom('issue', 'Issue', 'iodef', 'a b', '');
const address = fc.constantFrom(
  '192.0.2.1',
  '192.0.2.2',
  '2001:db8::1',
  '2001:DB8:0::1',
  'fe80::1%eth0',
  'no',
);

/** A value of a type in presentation format, with `dot` behind the hosts. */
function valueOf(type: string, dot: string): fc.Arbitrary<string> {
  switch (type) {
    case 'MX':
      return fc.tuple(number, host).map(([preference, at]) => `${preference} ${at === '.' ? at : at + dot}`);
    case 'SRV':
      return fc
        .tuple(number, number, number, host)
        .map(([a, b, c, at]) => `${a} ${b} ${c} ${at === '.' ? at : at + dot}`);
    case 'CAA':
      return fc.tuple(number, tag, text).map(([flags, name, value]) => `${flags} ${name} "${value}"`);
    case 'TXT':
      return text;
    case 'CNAME':
    case 'NS':
      return host.map((at) => at + dot);
    default:
      return address;
  }
}

const type = fc.constantFrom('A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'SRV', 'TXT', 'PTR', 'HTTPS');
const ttl = fc.constantFrom(0, 1, 30, 60, 300, 100_000);

/** Plans this zone by the policy that is dumped of it. */
function dumped(live: LiveZone, provider: ProviderName): { plan: Plan; policy: Policy; text: string } {
  const yaml = dump(live, { zone: ZONE, provider });
  const policy = parsePolicy(yaml, 'dump.yml');
  return { policy, plan: makePlan(policy, PROVIDERS[provider], live), text: yaml };
}

/** The two promises, of any live zone. */
function holds(live: LiveZone, provider: ProviderName): void {
  const { plan, policy } = dumped(live, provider);
  expect(plan.changes).toEqual([]);
  expect(isEmpty({ ...plan, leftovers: [] })).toBe(true);
  const reported = new Set(recordsOf(policy).map(keyOf));
  for (const other of [policyOf({ provider }), policyOf({ provider, names: '', records: '' })]) {
    let changes: Plan['changes'];
    try {
      ({ changes } = makePlan(other, PROVIDERS[provider], live));
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      continue;
    }
    const gone = changes.filter(({ after }) => after === undefined).map(({ before }) => keyOf(before!));
    const notes = new Set([`_tandem-traffic.${ZONE} TXT`]);
    expect(gone.filter((key) => !reported.has(key) && !notes.has(key))).toEqual([]);
  }
}

describe('a hosted zone of Route 53', () => {
  /** As the API writes it. */
  const escaped = (name: string): string =>
    [...Buffer.from(name)]
      .map((byte) => {
        const char = String.fromCharCode(byte);
        return /[A-Za-z0-9_.-]/.test(char) ? char : `\\${byte.toString(8).padStart(3, '0')}`;
      })
      .join('');
  const name = fc.oneof(
    fc.constantFrom(...NAMES).map((one) => escaped(`${one}${ZONE}.`)),
    fc.constantFrom(`a\\056b.${ZONE}.`, `a.b.${ZONE}.`),
  );
  const identifier = fc.constantFrom(
    'aws-us-east-1',
    'azure-eastus',
    'constructor',
    '__proto__',
    'a/b',
    'x y',
    'a@EU',
  );
  const checks = new Map<string, HealthCheck | string>([
    [
      'good',
      {
        protocol: 'https',
        host: 'a.example.net',
        port: 443,
        path: '/x',
        intervalSeconds: 30,
        failureThreshold: 3,
      },
    ],
    [
      'odd',
      { protocol: 'http', host: 'Ä.example', port: 80, path: 'x', intervalSeconds: 30, failureThreshold: 3 },
    ],
    ['alien', 'a health check of the type TCP'],
  ]);
  const routing = fc.oneof(
    fc.record({ Weight: fc.constantFrom(0, 1, 255) }),
    fc.record({ Region: fc.constantFrom('us-east-1', 'eu-west-1') }),
    fc.record({ Failover: fc.constantFrom('PRIMARY', 'SECONDARY') }),
    fc.record({
      GeoLocation: fc.constantFrom({ CountryCode: '*' }, { CountryCode: 'US' }, { ContinentCode: 'EU' }),
    }),
    fc.record({ MultiValueAnswer: fc.constant(true) }),
  );
  const set: fc.Arbitrary<ResourceRecordSet> = fc.tuple(name, type, ttl).chain(
    ([Name, Type, TTL]) =>
      fc
        .tuple(
          fc.array(valueOf(Type, '.'), { minLength: 1, maxLength: 3 }),
          fc.option(fc.tuple(identifier, routing), { nil: undefined, freq: 2 }),
          fc.option(fc.constantFrom('good', 'odd', 'alien', 'gone'), { nil: undefined }),
          fc.boolean(),
        )
        .map(([values, routed, HealthCheckId, isAlias]) => ({
          Name,
          Type: Type as NonNullable<ResourceRecordSet['Type']>,
          ...(isAlias && ['A', 'AAAA'].includes(Type)
            ? {
                AliasTarget: {
                  DNSName: 'X.elb.example.net.',
                  HostedZoneId: 'Z1',
                  EvaluateTargetHealth: false,
                },
              }
            : { TTL, ResourceRecords: values.map((Value) => ({ Value })) }),
          ...(routed && { SetIdentifier: routed[0], ...routed[1] }),
          ...(routed && HealthCheckId !== undefined && { HealthCheckId }),
        })) as fc.Arbitrary<ResourceRecordSet>,
  );
  const key = ({ Name, Type, SetIdentifier }: ResourceRecordSet): string =>
    `${Name} ${Type} ${SetIdentifier}`;
  const sets = fc.uniqueArray(set, { selector: key, maxLength: 12 });

  it('is dumped as a policy that plans to nothing, and keeps what no policy can say', () => {
    fc.assert(
      fc.property(sets, (all) => {
        holds(
          supported({ ...fromSets(all, checks), leftovers: [] }, PROVIDERS.route53, 'route53'),
          'route53',
        );
      }),
      { numRuns: 400 },
    );
  });
});

describe('a zone of Cloudflare', () => {
  const record: fc.Arbitrary<RecordResponse> = fc
    .tuple(fc.constantFrom(...NAMES), type, ttl)
    .chain(([prefix, kind, seconds]) =>
      fc.tuple(valueOf(kind, ''), fc.boolean(), fc.boolean()).map(([value, isProxied, isBare]) => {
        const words = value.split(' ');
        const numbers = words.map(Number);
        const quotedValue = words.slice(2).join(' ').slice(1, -1);
        const data =
          kind === 'SRV'
            ? { priority: numbers[0], weight: numbers[1], port: numbers[2], target: words[3] }
            : kind === 'CAA'
              ? { flags: numbers[0], tag: words[1], value: quotedValue }
              : undefined;
        return {
          name: `${prefix}${ZONE}`,
          type: kind,
          ttl: seconds,
          content: kind === 'MX' ? words[1] : value,
          ...(kind === 'MX' && { priority: numbers[0] }),
          ...(data && !isBare && { data }),
          proxied: isProxied && ['A', 'AAAA', 'CNAME'].includes(kind),
          comment: 'of somebody',
        } as unknown as RecordResponse;
      }),
    );
  const weights = fc.dictionary(fc.constantFrom('p1', 'p2'), fc.constantFrom(0, 0.005, 0.29, 1));
  const balancer = fc.record({
    name: fc.constantFrom(`www.${ZONE}`, `*.${ZONE}`, `bücher.${ZONE}`, ZONE),
    enabled: fc.constantFrom(true, true, false),
    proxied: fc.boolean(),
    ttl: fc.constantFrom(30, 60, 5_000),
    steering_policy: fc.constantFrom('random', 'off', 'geo', 'dynamic_latency', 'proximity', ''),
    default_pools: fc.constantFrom(['p1'], ['p1', 'p2'], ['p3'], ['gone'], ['p4']),
    fallback_pool: fc.constant('p1'),
    random_steering: fc.record({ default_weight: fc.constantFrom(0, 0.5, 1), pool_weights: weights }),
    region_pools: fc.constantFrom({}, { WEU: ['p2'], EEU: ['p2'] }, { WEU: ['p2'] }),
    country_pools: fc.constantFrom({}, { DE: ['p1'] }),
  });
  const raw = fc.record({
    records: fc.array(record, { maxLength: 12 }),
    balancers: fc.uniqueArray(balancer, { selector: (one) => one.name, maxLength: 3 }),
  });
  const pool = (id: string, addresses: readonly string[], more: object = {}) => ({
    id,
    name: `pool-${id}`,
    origins: addresses.map((one) => ({ name: one, address: one, enabled: true, weight: 1 })),
    ...more,
  });
  const pools = [
    pool('p1', ['192.0.2.1'], { monitor: 'm1' }),
    pool('p2', ['192.0.2.2', '192.0.2.3']),
    pool('p3', ['a.example.net', 'b.example.net']),
    pool('p4', ['bücher.example.net']),
  ];
  const monitors = [
    { id: 'm1', type: 'https', header: { Host: ['a.example.net'] }, path: '/x', interval: 60 },
  ];
  const none = { rules: [] };
  const rulesets = {
    http_ratelimit: none,
    http_request_cache_settings: none,
    http_request_firewall_managed: none,
  };

  it('is dumped as a policy that plans to nothing, and keeps what no policy can say', () => {
    fc.assert(
      fc.property(raw, (parts) => {
        const ids = { zone: ZONE, zoneId: 'z', accountId: 'a' };
        const all = { ...ids, ...parts, pools, monitors, rulesets } as unknown as Raw;
        holds(
          supported({ ...understood(all), leftovers: [] }, PROVIDERS.cloudflare, 'cloudflare'),
          'cloudflare',
        );
      }),
      { numRuns: 400 },
    );
  });
});

describe('a zone of the local server', () => {
  const record: fc.Arbitrary<ZoneRecord> = fc
    .tuple(fc.constantFrom(...NAMES), type, ttl)
    .chain(([prefix, kind, ttlSeconds]) =>
      fc.array(valueOf(kind, ''), { minLength: 1, maxLength: 2 }).map(
        (values) =>
          ({
            kind: 'plain',
            name: `${prefix}${ZONE}`,
            type: kind,
            ttlSeconds,
            values: [...new Set(values)].sort(),
          }) as ZoneRecord,
      ),
    );

  it('is dumped as a policy that plans to nothing, and keeps what no policy can say', () => {
    fc.assert(
      fc.property(fc.uniqueArray(record, { selector: keyOf, maxLength: 12 }), (records) => {
        holds(supported({ records, foreign: [], leftovers: [] }, PROVIDERS.local, 'local'), 'local');
      }),
      { numRuns: 200 },
    );
  });
});

describe('a record', () => {
  const live = (sets: ResourceRecordSet[]): LiveZone =>
    supported({ ...fromSets(sets, new Map()), leftovers: [] }, PROVIDERS.route53, 'route53');
  const set = (Name: string, Type: string, ...values: string[]): ResourceRecordSet => ({
    Name: `${Name}${ZONE}.`,
    Type: Type as NonNullable<ResourceRecordSet['Type']>,
    TTL: 300,
    ResourceRecords: values.map((Value) => ({ Value })),
  });

  it.each([
    ['a null MX', set('', 'MX', '0 .')],
    ['a null SRV', set('_sip._tcp.', 'SRV', '0 0 0 .')],
    ['an empty TXT', set('empty.', 'TXT', '""')],
    ['UTF-8 in octal', set('cafe.', 'TXT', '"caf\\303\\251"')],
    ['a CAA with capitals', set('', 'CAA', '0 ISSUE "ca.example.net"')],
  ])('%s is dumped', (_title, one) => {
    expect(live([one]).foreign).toEqual([]);
    expect(dumped(live([one]), 'route53').policy.records).toHaveLength(1);
  });

  it.each([
    ['a star within a label', set('a-\\052.', 'TXT', '"x"'), /a-\*\.example\.com TXT/],
    ['a delegation of RFC 2317', set('0\\05725.', 'NS', 'ns.example.net.'), /0\\05725\.example\.com NS/],
    [
      'bytes that are no text',
      set('bytes.', 'TXT', '"\\377\\376"'),
      /bytes\.example\.com TXT: a text that is not UTF-8/,
    ],
    ['a CAA with quotes inside', set('', 'CAA', '0 issue "a\\"b"'), /example\.com CAA: CAA needs/],
    [
      'a text of somebody at our name',
      set('_tandem-traffic.', 'TXT', '"mine"'),
      /_tandem-traffic\.example\.com TXT/,
    ],
    ['an address at our name', set('_tandem-monitor.', 'A', '192.0.2.1'), /_tandem-monitor\.example\.com A/],
    [
      'weights that are all 0',
      { ...set('w.', 'A', '192.0.2.1'), SetIdentifier: 'a', Weight: 0 },
      /w\.example\.com A: all weights are 0/,
    ],
  ])('%s is left out of the dump, which says so, and is not deleted', (_title, one, comment) => {
    const { text: yaml, plan } = dumped(live([one]), 'route53');
    expect(yaml).toMatch(comment);
    expect(plan.changes).toEqual([]);
    expect(plan.foreign).toHaveLength(1);
  });

  it('that no policy can say is changed where the policy wants its place', () => {
    const zero = { ...set('api.', 'CNAME', 'a.example.net.'), SetIdentifier: 'aws-us-east-1', Weight: 0 };
    const { changes } = makePlan(policyOf({ records: '' }), PROVIDERS.route53, live([zero]));
    const change = changes.find(({ after }) => after?.name === `api.${ZONE}`);
    expect(change?.before).toMatchObject({ targets: [{ weight: 0 }] });
  });

  it('is told by its name in the dump without breaking its line', () => {
    const yaml = dumped(live([set('a\\012zone: evil.', 'TXT', '"x"')]), 'route53').text;
    expect(yaml.split('\n').filter((line) => line.startsWith('zone:'))).toEqual([`zone: ${ZONE}`]);
  });
});
