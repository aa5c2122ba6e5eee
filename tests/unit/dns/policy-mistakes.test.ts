/** What a person can write wrong in a policy: every mistake at once, with its line and what would be right. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PolicyError } from '../../../dns/errors.ts';
import { parsePolicy } from '../../../dns/policy/read-policy.ts';
import { recordsOf } from '../../../dns/policy/records.ts';
import { matchesName } from '../../../dns/policy/unmanaged.ts';
import { policyText } from '../../helpers/dns/fixtures.ts';

const HEAD = `zone: example.com
provider: route53
`;

/** The message that a person sees; empty when nothing is wrong. */
function reported(text: string): string {
  try {
    parsePolicy(text, 'policy.yml');
    return '';
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.message;
  }
}

const record = (type: string, value: string, name = 'x'): string =>
  `${HEAD}records:\n  - { name: ${JSON.stringify(name)}, type: ${type}, values: [${JSON.stringify(value)}] }\n`;
const site = (settings: string): string =>
  `${HEAD}sites:\n  a: { ${settings} }\nnames:\n  - { name: api, strategy: failover, healthCheck: false, sites: [a] }\n`;

describe('a value', () => {
  it.each([
    ['MX', '70000 mail.example.net', 'from 0 to 65535, not 70000'],
    ['MX', '10 a..b', "'a..b' is none"],
    ['MX', '10 192.0.2.1', '192.0.2.1 is an address; use the type A or AAAA'],
    ['MX', 'mail.example.net', '<preference> <host>'],
    ['MX', '1e1 mail.example.net', '<preference> <host>'],
    ['SRV', '0 0 70000 a.example.net', 'not 70000'],
    ['SRV', '0 0 443', '<priority> <weight> <port> <host>'],
    ['CNAME', '192.0.2.1', '192.0.2.1 is an address'],
    ['CNAME', '2001:db8::1', '2001:db8::1 is an address'],
    ['CNAME', '.', "'.' is none"],
    ['CNAME', `${'a'.repeat(64)}.example.net`, 'is none'],
    ['NS', 'ns_1..example.net', 'is none'],
    ['CAA', '999 issue "ca.example.net"', 'flags from 0 to 255, not 999'],
    ['CAA', '0 issue ca.example.net', '<flags> <tag> "<value>"'],
    ['AAAA', 'fe80::1%eth0', 'without a zone id'],
    ['A', '010.0.0.1', 'A needs an IPv4 address'],
    ['TXT', '\ud800', 'surrogate'],
  ])('%s of %j is refused by the policy itself', (type, value, detail) => {
    expect(reported(record(type, value))).toMatch(
      /^policy\.yml: 1 mistake\n {2}line 4: \/records\/0\/values\/0: /,
    );
    expect(reported(record(type, value))).toContain(detail);
  });

  it.each([
    ['MX', '0 .'],
    ['SRV', '0 0 0 .'],
    ['TXT', ''],
    ['TXT', 'a\\065b "é" \u0000'],
    ['CAA', '0 issue ";"'],
    ['CNAME', 'Api.Example.com.'],
    ['AAAA', '2001:DB8:0::1'],
  ])('%s of %j is one', (type, value) => {
    expect(reported(record(type, value))).toBe('');
  });

  it('says that no mail is taken only where nothing else says otherwise', () => {
    const both = `${HEAD}records: [{ name: x, type: MX, values: [0 ., 10 mail.example.net] }]`;
    expect(reported(both)).toContain('stands alone (RFC 7505');
  });
});

describe('where a site is', () => {
  it.each([
    ["url: 'http://[::1', endpoint: { cname: a.example.net }", '/sites/a/url', 'its form is https://'],
    ['url: https://a.example.net:70000, endpoint: { cname: a.example.net }', '/sites/a/url', 'up to 65535'],
    ['url: https://a..b, endpoint: { cname: a.example.net }', '/sites/a/url', "'a..b' is neither"],
    ['endpoint: { cname: 192.0.2.1 }', '/sites/a/endpoint/cname', 'say addresses: [192.0.2.1]'],
    [
      'endpoint: { alias: { host: 192.0.2.1, zoneId: Z1 } }',
      '/sites/a/endpoint/alias/host',
      'an alias leads to a name of AWS',
    ],
  ])('is not %s', (settings, pointer, detail) => {
    expect(reported(site(settings))).toContain(`line 4: ${pointer}: `);
    expect(reported(site(settings))).toContain(detail);
  });

  it('may be an address of either kind', () => {
    for (const url of ['http://[::1]:8080', 'http://127.0.0.1', 'https://a.example.net/'])
      expect(reported(site(`url: '${url}', endpoint: { addresses: ['2001:db8::1'] }`))).toBe('');
  });
});

describe('YAML', () => {
  it.each([
    ['a bare *', `${HEAD}unmanaged: [*]\n`, 3],
    ['a bare * as a name', `${HEAD}records:\n  - { name: *, type: A, values: [192.0.2.1] }\n`, 4],
    ['an alias of nothing', `${HEAD}unmanaged: [*nobody]\n`, 3],
  ])('with %s is refused with the line and a hint', (_title, text, line) => {
    expect(reported(text)).toContain(`line ${line}: /: `);
    expect(reported(text)).toContain('a text that begins with * is in quotes');
  });

  it('has as many aliases as a policy needs', () => {
    const records = Array.from({ length: 300 }, (_value, index) => `  - { name: h${index}, <<: *base }`);
    const text = `${HEAD}records:\n  - &base { name: base, type: A, ttlSeconds: 300, values: [192.0.2.1] }\n${records.join('\n')}\n`;
    expect(recordsOf(parsePolicy(text, 'p'))).toHaveLength(301);
  });

  it('is refused when its aliases make it larger than any policy, or lead to themselves', () => {
    const levels = Array.from({ length: 9 }, (_value, level) => {
      const inner = level === 0 ? '1' : Array.from({ length: 10 }, () => `*l${level - 1}`).join(', ');
      return `l${level}: &l${level} [${inner}]`;
    });
    expect(reported(`${levels.join('\n')}\n`)).toContain('larger than');
    expect(reported(`${HEAD}names: &n [*n]\n`)).toContain('a part of');
  });

  it('merges keys, and names the line of a mistake that a merge brings in', () => {
    const text = `${HEAD}records:
  - &base { name: a, type: A, values: [192.0.2.1], ttlSeconds: 60 }
  - { <<: *base, name: b }
  - { <<: *base, name: c, values: [nothing] }
`;
    expect(reported(text)).toContain('line 6: /records/2/values/0: A needs an IPv4 address');
    const right = parsePolicy(text.replace('nothing', '192.0.2.3'), 'p');
    expect(right.records.map(({ name, ttlSeconds }) => [name, ttlSeconds])).toEqual([
      ['a', 60],
      ['b', 60],
      ['c', 60],
    ]);
  });

  it('says what was meant by a setting that does not exist', () => {
    expect(reported(`${HEAD}ttlSecond: 5\n`)).toContain('line 3: /ttlSecond: there is no such setting');
    expect(reported(`${HEAD}ttlSecond: 5\n`)).toContain('did you mean ttlSeconds?');
    expect(reported('zone: example.com\nprovider: route-53\n')).toContain('did you mean route53?');
  });
});

describe('a name', () => {
  it('is not managed and unmanaged at once', () => {
    const text = `${HEAD}unmanaged: ['*.dev', 'api*']
records:
  - { name: api, type: A, values: [192.0.2.1] }
  - { name: x.dev, type: A, values: [192.0.2.1] }
  - { name: www, type: A, values: [192.0.2.1] }
`;
    expect(reported(text)).toContain("line 5: /records/0/name: api is here, and unmanaged by 'api*' as well");
    expect(reported(text)).toContain('line 6: /records/1/name');
    expect(reported(text)).not.toContain('/records/2');
  });

  it('does not take the place of the notes that the zone holds', () => {
    expect(reported(record('A', '192.0.2.1', '_tandem-lock'))).toContain('line 4: /records/0/name: ');
  });

  it('is a CNAME of the zone itself only where the provider flattens it, and then beside anything but addresses', () => {
    const apex = record('CNAME', 'a.example.net', '@');
    expect(reported(apex)).toContain('the zone itself cannot be a CNAME (RFC 1034, 3.6.2)');
    const flattened = apex.replace('route53', 'cloudflare');
    expect(reported(flattened)).toBe('');
    expect(reported(`${flattened}  - { name: '@', type: MX, values: [10 mail.example.net] }\n`)).toBe('');
    expect(reported(`${flattened}  - { name: '@', type: A, values: [192.0.2.1] }\n`)).toContain(
      'something else',
    );
  });

  it('is matched by the patterns that a glob would match, however many stars they have', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
    fc.assert(
      fc.property(text, name, (pattern, value) => {
        const glob = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
        expect(matchesName(pattern, value)).toBe(glob.test(value));
      }),
    );
    expect(matchesName('*'.repeat(10_000), 'a'.repeat(200))).toBe(true);
  });
});

describe('whatever a file holds', () => {
  /** Parts of a valid policy in places where they do not belong, and what is no policy at all. */
  const keys = fc.constantFrom(
    ...[
      'zone',
      'provider',
      'unmanaged',
      'sites',
      'names',
      'records',
      'name',
      'type',
      'strategy',
      'site',
      'values',
    ],
    ...[
      'endpoint',
      'cname',
      'addresses',
      'alias',
      'url',
      'routes',
      'path',
      'weight',
      'continents',
      'countries',
    ],
    ...['default', 'healthCheck', 'edge', '__proto__', 'constructor', 'toString', 'aws-us-east-1'],
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(
        null,
        true,
        0,
        -1,
        1e400,
        '',
        '@',
        '*',
        'A',
        'CNAME',
        'weighted',
        'geolocation',
      ),
      fc.constantFrom<unknown>('http://[::1', 'fe80::1%eth0', '10 a..b', 'constructor', 'aws-us-east-1'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
    ),
  }));

  it('it is a policy or has mistakes, and never ends in anything else', () => {
    fc.assert(
      fc.property(fc.dictionary(keys, tree, { maxKeys: 6 }), fc.boolean(), (parts, withBase) => {
        const base = withBase
          ? (JSON.parse(JSON.stringify({ zone: 'example.com', provider: 'local' })) as object)
          : {};
        const text = JSON.stringify({ ...base, ...parts });
        if (reported(text) === '') recordsOf(parsePolicy(text, 'p'));
      }),
      { numRuns: 3_000 },
    );
  });

  it('a valid policy with one part replaced is a policy or has mistakes', () => {
    const lines = policyText().split('\n');
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.string(), (at, text) => {
        const changed = lines.with(at, text).join('\n');
        if (reported(changed) === '') recordsOf(parsePolicy(changed, 'p'));
      }),
      { numRuns: 1_000 },
    );
  });
});
