import fs from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { PolicyError } from '../../../dns/errors.ts';
import { overridden, type Overrides } from '../../../dns/overrides.ts';
import { parsePolicy } from '../../../dns/policy/read-policy.ts';
import { recordsOf } from '../../../dns/policy/records.ts';
import { policyOf, policyText } from '../../helpers/dns/fixtures.ts';

const mistakesOf = (text: string): readonly (readonly [number, string, string])[] => {
  try {
    parsePolicy(text, 'policy.yml');
    return [];
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.mistakes.map(({ line, pointer, rule }) => [line, pointer, rule]);
  }
};

describe('a policy', () => {
  it('is valid as it ships', () => {
    const file = new URL('../../../dns/policy.yml', import.meta.url);
    expect(mistakesOf(fs.readFileSync(file, 'utf8'))).toEqual([]);
  });

  it('names every mistake at once, with its line', () => {
    const text = `zone: example.com
provider: bind
sites:
  aws: { url: 'https://a.example.net', endpoint: { cname: a.example.net }, weigth: 3 }
  azure: { url: 'https://b.example.net', endpoint: { addresses: [300.1.1.1] } }
names:
  - { name: api, strategy: weighted, sites: [aws, gcp] }
  - { name: zero, strategy: weighted, sites: [{ site: aws, weight: 0 }] }
  - { name: geo, strategy: geolocation, sites: [{ site: aws, countries: [DE] }] }
  - { name: '@', strategy: failover, ttlSeconds: -1, sites: [aws] }
records:
  - { name: api, type: A, values: [192.0.2.1] }
  - { name: api, type: A, values: [not-an-address] }
`;
    expect(mistakesOf(text)).toEqual([
      [2, '/provider', 'enum'],
      [4, '/sites/aws/weigth', 'additionalProperties'],
      [5, '/sites/azure/endpoint/addresses/0', 'format'],
      [5, '/sites/azure/endpoint/addresses/0', 'format'],
      [7, '/names/0/sites/1', 'site'],
      [8, '/names/1', 'weight'],
      [9, '/names/2/sites', 'location'],
      [10, '/names/3/ttlSeconds', 'minimum'],
      [10, '/names/3', 'apex'],
      [12, '/records/0', 'unique'],
      [13, '/records/1/values/0', 'value'],
      [13, '/records/1', 'unique'],
    ]);
  });

  it('says where the YAML itself is wrong', () => {
    expect(mistakesOf('zone: example.com\nnames: [\n')).toEqual([[3, '', 'yaml']]);
  });

  it('makes a health check of each site from its url', () => {
    const [first] = recordsOf(policyOf({ records: '' }));
    expect(first?.kind === 'routed' && first.targets[0]?.check).toEqual({
      protocol: 'https',
      host: 'b.example.net',
      port: 443,
      path: '/health',
      intervalSeconds: 10,
      failureThreshold: 3,
    });
  });

  it('asks for no health check when the policy says false', () => {
    const records = recordsOf(parsePolicy(policyText({ more: 'healthCheck: false' }), 'p'));
    expect(JSON.stringify(records)).not.toContain('"check"');
  });
});

describe('traffic beside the policy', () => {
  const answers = (name: string, overrides: Overrides): unknown => {
    const record = recordsOf(policyOf()).find((one) => one.name === `${name}.example.com`)!;
    const after = overridden(record, overrides);
    return (
      after.kind === 'routed' &&
      after.targets.map(({ site, weight, location }) => [site, weight ?? location?.default])
    );
  };

  it.each([
    [
      'a site at a share',
      { 'azure-eastus': 30 },
      [
        ['aws-us-east-1', 70],
        ['azure-eastus', 30],
      ],
    ],
    [
      'a drained site',
      { 'azure-eastus': 0 },
      [
        ['aws-us-east-1', 100],
        ['azure-eastus', 0],
      ],
    ],
    [
      'shares that are not 100 together',
      { 'azure-eastus': 30, 'aws-us-east-1': 30 },
      [
        ['aws-us-east-1', 50],
        ['azure-eastus', 50],
      ],
    ],
    [
      'every site out',
      { 'azure-eastus': 0, 'aws-us-east-1': 0 },
      [
        ['aws-us-east-1', 0],
        ['azure-eastus', 0],
      ],
    ],
  ])('gives weights for %s', (_title, overrides, expected) => {
    expect(answers('api', new Map(Object.entries(overrides)))).toEqual(expected);
  });

  it('leaves a site that is out away from other strategies, and moves the default of geolocation', () => {
    const out: Overrides = new Map([['aws-us-east-1', 0]]);
    expect(answers('active', out)).toEqual([['azure-eastus', undefined]]);
    expect(answers('geo', out)).toEqual([['azure-eastus', true]]);
  });
});
