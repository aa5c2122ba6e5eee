import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Strategy, Target } from '@tandem-clouds/zone/model';
import { target } from '../../../../tests/helpers/dns-zone.ts';
import { prepareChoice } from '../../src/dns/choose.ts';
import { type ClientLocation, Locator } from '../../src/dns/locations.ts';

const QUERIES = 10_000;

/** Shares by site. `unhealthy` names sites. */
function shares(
  strategy: Strategy,
  targets: readonly Target[],
  { unhealthy = '', client }: { readonly unhealthy?: string; readonly client?: ClientLocation } = {},
): Record<string, number> {
  const choose = prepareChoice({
    strategy,
    candidates: targets.map((one, index) => ({ index, target: one, healthy: !unhealthy.includes(one.site) })),
    latencies: { home: { near: 10, far: 90, also: 10 } },
    random: Math.random,
  });
  const counts: Record<string, number> = {};
  for (let i = 0; i < QUERIES; i += 1) {
    const site = targets[choose(client) ?? -1]?.site ?? 'nobody';
    counts[site] = (counts[site] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([site, count]) => [site, count / QUERIES]));
}

const weights = (...list: readonly number[]): Target[] =>
  list.map((weight, index) => target('abcdef'[index]!, '127.0.0.1', { weight }));

describe('weighted', () => {
  test.each([
    ['evenly', [1, 1], { a: 0.5, b: 0.5 }],
    ['by weight', [10, 20, 70], { a: 0.1, b: 0.2, c: 0.7 }],
    ['nothing to a weight of zero', [1, 0, 3], { a: 0.25, c: 0.75 }],
    ['evenly when all weights are zero', [0, 0], { a: 0.5, b: 0.5 }],
  ])('spreads 10,000 queries %s, within 2 %%', (_title, list, wanted: Record<string, number>) => {
    const found = shares('weighted', weights(...list));
    expect(Object.keys(found).sort()).toEqual(Object.keys(wanted));
    for (const [site, share] of Object.entries(wanted))
      expect(Math.abs(found[site]! - share)).toBeLessThan(0.02);
  });

  test('gives the share of an unhealthy target to the others, by their weights', () => {
    const found = shares('weighted', weights(50, 10, 30), { unhealthy: 'a' });
    expect(found['a']).toBeUndefined();
    expect(Math.abs(found['b']! - 0.25)).toBeLessThan(0.02);
  });

  test('takes a weight of zero when all others are unhealthy', () => {
    expect(shares('weighted', weights(5, 5, 0), { unhealthy: 'ab' })).toEqual({ c: 1 });
  });

  test('serves all by weight when all are unhealthy', () => {
    const found = shares('weighted', weights(1, 3, 0), { unhealthy: 'abc' });
    expect(Object.keys(found).sort()).toEqual(['a', 'b']);
    expect(Math.abs(found['b']! - 0.75)).toBeLessThan(0.02);
  });
});

describe('failover', () => {
  const three = [target('a', '127.0.0.1'), target('b', '127.0.0.1'), target('c', '127.0.0.1')];

  test.each([
    ['the first while it is healthy', '', 'a'],
    ['the second when the first is not', 'a', 'b'],
    ['the third when nobody else is', 'ab', 'c'],
    ['the first when nobody is', 'abc', 'a'],
  ])('answers %s', (_title, unhealthy, wanted) => {
    expect(shares('failover', three, { unhealthy })).toEqual({ [wanted]: 1 });
  });
});

describe('latency', () => {
  const sites = [
    target('a', '127.0.0.1', { region: 'far' }),
    target('b', '127.0.0.1', { region: 'near' }),
    target('c', '127.0.0.1', { region: 'home' }),
  ];

  test.each([
    ['the own region first', 'home', '', { c: 1 }],
    ['then the nearest that is healthy', 'home', 'c', { b: 1 }],
    ['and so on', 'home', 'bc', { a: 1 }],
    ['the nearest when all are unhealthy', 'home', 'abc', { c: 1 }],
  ])('answers %s', (_title, region, unhealthy, wanted) => {
    expect(shares('latency', sites, { client: { region }, unhealthy })).toEqual(wanted);
  });

  test('spreads evenly over those that are equally near, and over all when nothing is known', () => {
    const near = [...sites.slice(0, 2), target('d', '127.0.0.1', { region: 'also' })];
    expect(Math.abs(shares('latency', near, { client: { region: 'home' } })['b']! - 0.5)).toBeLessThan(0.02);
    for (const client of [undefined, {}, { region: 'moon' }]) {
      const found = shares('latency', sites, client === undefined ? {} : { client });
      expect(Object.keys(found).sort()).toEqual(['a', 'b', 'c']);
    }
  });
});

describe('geolocation', () => {
  const place = (countries: string[], continents: string[], others = false) => ({
    location: { countries, continents, default: others },
  });
  const sites = [
    target('a', '127.0.0.1', place(['CH', 'FR'], [])),
    target('b', '127.0.0.1', place([], ['EU'])),
    target('c', '127.0.0.1', place([], [], true)),
  ];

  test.each([
    ['the country', { country: 'CH', continent: 'EU' }, '', 'a'],
    ['the continent', { country: 'DE', continent: 'EU' }, '', 'b'],
    ['the default', { country: 'JP', continent: 'AS' }, '', 'c'],
    ['the continent when the country is unhealthy', { country: 'CH', continent: 'EU' }, 'a', 'b'],
    ['the default when both are', { country: 'CH', continent: 'EU' }, 'ab', 'c'],
    ['the country when all are', { country: 'CH', continent: 'EU' }, 'abc', 'a'],
  ])('answers %s', (_title, client, unhealthy, wanted) => {
    expect(shares('geolocation', sites, { client, unhealthy })).toEqual({ [wanted]: 1 });
  });

  test('answers nobody whom no target is for', () => {
    expect(shares('geolocation', sites.slice(0, 2), { client: { country: 'JP' } })).toEqual({ nobody: 1 });
    expect(shares('geolocation', sites.slice(0, 2))).toEqual({ nobody: 1 });
  });
});

test('an unhealthy target is never chosen while a healthy one could be', () => {
  const strategies = fc.constantFrom<Strategy>('weighted', 'failover', 'latency');
  const someTargets = fc.array(fc.record({ weight: fc.integer({ min: 0, max: 3 }), healthy: fc.boolean() }), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      strategies,
      someTargets,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (strategy, list, point) => {
        const candidates = list.map(({ weight, healthy }, index) => ({
          index,
          healthy,
          target: target(`s${index}`, '127.0.0.1', { weight, region: `r${index}` }),
        }));
        const choose = prepareChoice({ strategy, candidates, latencies: {}, random: () => point });
        const chosen = candidates[choose({ region: 'r0' }) ?? -1];
        expect(chosen).toBeDefined();
        if (list.some(({ healthy }) => healthy)) expect(chosen?.healthy).toBe(true);
      },
    ),
  );
});

describe('the table of places', () => {
  const locator = new Locator([
    { subnet: '10.0.0.0/8', country: 'US' },
    { subnet: '10.1.0.0/16', country: 'CH' },
    { subnet: '10.1.2.128/25', country: 'FR' },
    { subnet: '2001:db8::/33', country: 'JP' },
  ]);

  test.each([
    ['10.9.9.9', 32, 'US', 8],
    ['10.1.9.9', 32, 'CH', 16],
    ['10.1.2.129', 32, 'FR', 25],
    ['10.1.2.127', 32, 'CH', 16],
    ['10.1.2.129', 24, 'CH', 16],
    ['11.0.0.0', 24, undefined, 24],
  ])('finds the longest prefix of %s/%d', (address, bits, country, scopeBits) => {
    const located = locator.locate(4, Buffer.from(address.split('.').map(Number)), bits);
    expect([located.location?.country, located.scopeBits]).toEqual([country, scopeBits]);
  });

  test('knows IPv6', () => {
    const address = Buffer.from('20010db87fff00000000000000000001', 'hex');
    expect(locator.locate(6, address, 128).location?.country).toBe('JP');
    address[4] = 0x80;
    expect(locator.locate(6, address, 128).location).toBeUndefined();
  });

  test('refuses what is no subnet', () => {
    for (const digits of ['33', '', ' 8', '0x8', '1e1', '-1', '1.5', '08', '8/9']) {
      expect(() => new Locator([{ subnet: `10.0.0.0/${digits}` }])).toThrow(`10.0.0.0/${digits}`);
    }
  });
});
