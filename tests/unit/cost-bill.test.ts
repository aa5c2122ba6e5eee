/** `tandem cost --actual`: bills in the FOCUS format, the vendors' APIs, and what is made of them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hmac, partsOf, sha256, signingKey, stringToSign } from '@tandem-clouds/emulators/core/sigv4';
import { type Bill, readBill } from '../../scripts/cost/actual.ts';
import { anomaliesOf } from '../../scripts/cost/bill/anomalies.ts';
import { CATEGORIES, type Charge } from '../../scripts/cost/bill/charge.ts';
import { compare } from '../../scripts/cost/bill/compare.ts';
import { askCostExplorer } from '../../scripts/cost/bill/cost-explorer.ts';
import { askCostManagement } from '../../scripts/cost/bill/cost-management.ts';
import { readFocusText } from '../../scripts/cost/bill/focus.ts';
import { Ledger } from '../../scripts/cost/bill/ledger.ts';
import { serviceOfPrice } from '../../scripts/cost/bill/services.ts';
import { readInventory } from '../../scripts/cost/inventory.ts';
import { estimate } from '../../scripts/cost/model.ts';
import { readUsage } from '../../scripts/cost/usage.ts';
import { runCommand, siteAnswering } from '../helpers/answering-site.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';

const later = closeAfterEach();
const run = runCommand('cost');

const HEADER = [
  ...['BilledCost', 'BillingCurrency', 'ChargeCategory', 'ChargeClass', 'ChargeDescription'],
  ...['ChargePeriodStart', 'ConsumedQuantity', 'ConsumedUnit', 'EffectiveCost', 'ListCost'],
  ...['ProviderName', 'ResourceId', 'ServiceName', 'Tags'],
] as const;
type Fields = Partial<Record<(typeof HEADER)[number], string>>;

const TAGS = '{"app":"tandem","stage":"prod","site":"aws-us-east-1"}';
const BASE: Fields = {
  BilledCost: '1',
  BillingCurrency: 'USD',
  ChargeCategory: 'Usage',
  ChargePeriodStart: '2026-11-03T00:00:00Z',
  EffectiveCost: '1',
  ProviderName: 'AWS',
  ServiceName: 'Amazon DynamoDB',
  Tags: TAGS,
};
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv = (...rows: readonly Fields[]): string =>
  [
    HEADER.join(','),
    ...rows.map((row) => HEADER.map((name) => quoted({ ...BASE, ...row }[name] ?? '')).join(',')),
  ].join('\r\n') + '\r\n';

async function collected<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

async function charges(text: string | Buffer): Promise<Charge[]> {
  return collected(readFocusText(Readable.from([text]), 'bill.csv'));
}

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bills-'));
});
afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});
let files = 0;
function written(text: string | Buffer, ending = '.csv'): string {
  files += 1;
  const file = path.join(folder, `${files}${ending}`);
  fs.writeFileSync(file, text);
  return file;
}

const OPTIONS = {
  ...{ actual: [], ask: [], month: undefined, app: 'tandem', everything: false, by: undefined },
  ...{ requests: undefined, writes: undefined, awsPercent: 50, newPercent: 50, storedGb: 1 },
} as const;
const NOW = new Date('2026-11-30T12:00:00Z');
const bill = (text: string, options: Partial<Parameters<typeof readBill>[0]> = {}): Promise<Bill> =>
  readBill({ ...OPTIONS, actual: [written(text)], ...options }, NOW);

describe('a row of a FOCUS export', () => {
  test('is read with its amounts, tags, resource and usage', async () => {
    const [charge] = await charges(
      csv({
        ...{ BilledCost: '8E-07', EffectiveCost: '0.5', ListCost: '2.25', ConsumedQuantity: '3' },
        ...{ ConsumedUnit: 'Requests', ResourceId: 'arn:x' },
      }),
    );
    expect(charge).toMatchObject({
      ...{ cloud: 'aws', day: '2026-11-03', service: 'Amazon DynamoDB', currency: 'USD', category: 'Usage' },
      ...{ billed: 8e-7, effective: 0.5, list: 2.25, quantity: 3, unit: 'Requests', resource: 'arn:x' },
    });
    expect(Object.fromEntries(charge?.tags ?? [])).toEqual(JSON.parse(TAGS));
  });

  test('may have a byte order mark before it, line breaks and quotes in a field, and no tags', async () => {
    const text = csv(
      { ChargeDescription: 'two\r\nlines, "quoted"', Tags: '' },
      { Tags: 'NULL', ListCost: 'NULL' },
    );
    const [first, second] = await charges(`\uFEFF${text}`);
    expect([first?.tags.size, second?.tags.size, second?.list]).toEqual([0, 0, undefined]);
  });

  test('has its tags by the names that we gave them, and dates as databases write them', async () => {
    const [charge] = await charges(
      csv({
        Tags: '{"user:app":"tandem","Stage":"prod","urgent":true}',
        ChargePeriodStart: '2026-11-30 23:00:00',
      }),
    );
    expect(Object.fromEntries(charge?.tags ?? [])).toEqual({ app: 'tandem', stage: 'prod', urgent: 'true' });
    expect(charge?.day).toBe('2026-11-30');
  });

  test.each([
    ['Amazon Web Services, Inc.', 'aws'],
    ['Microsoft', 'azure'],
    ['Oracle', 'other'],
  ])('from %s is of %s', async (ProviderName, cloud) => {
    expect((await charges(csv({ ProviderName })))[0]?.cloud).toBe(cloud);
  });
});

describe('a bill that cannot be read ends with the place and the rule', () => {
  test.each([
    ['an amount', { BilledCost: '1,5' }, "bill.csv, row that ends in line 3, BilledCost: '1,5' is no number"],
    ['an empty amount', { EffectiveCost: '' }, 'EffectiveCost: it is empty, and an amount is needed'],
    ['a day', { ChargePeriodStart: '2026-02-30T00:00:00Z' }, 'ChargePeriodStart: '],
    ['a day of another zone', { ChargePeriodStart: '2026-11-03T00:00:00+02:00' }, 'is no date-time in UTC'],
    ['a currency', { BillingCurrency: '$' }, "BillingCurrency: '$' is no code of three capitals"],
    ['a category', { ChargeCategory: 'Rebate' }, "ChargeCategory: 'Rebate' is none of Usage"],
    ['tags', { Tags: '{app' }, "Tags: '{app' is no JSON"],
    ['tags in a list', { Tags: '["app"]' }, 'is no JSON object'],
  ])('%s', async (_, row, message) => {
    await expect(charges(csv({}, row))).rejects.toThrow(message);
  });

  test('a file that ends within a field or a row', async () => {
    const whole = csv({}, {});
    await expect(charges(whole.slice(0, -12))).rejects.toThrow('the file is truncated');
    const rowCut = whole.slice(0, whole.lastIndexOf(',"Amazon DynamoDB"'));
    await expect(charges(rowCut)).rejects.toThrow(/another number of fields than the header.*truncated/);
  });

  test('a compressed file that ends early', async () => {
    const compressed = gzipSync(csv(...Array<Fields>(50).fill({})));
    const read = (bytes: Buffer): Promise<Bill> =>
      readBill({ ...OPTIONS, actual: [written(bytes, '.csv.gz')] }, NOW);
    expect((await read(compressed)).money[0]?.billed).toBe(50);
    await expect(read(compressed.subarray(0, -12))).rejects.toThrow('the compressed file ends early');
    await expect(read(Buffer.from('BilledCost\n'))).rejects.toThrow('it is not compressed by gzip');
  });

  test('another header, a column twice, no row, no file', async () => {
    await expect(charges('lineItem/UsageAmount,bill/PayerAccountId\n1,2\n')).rejects.toThrow(
      'the header is not that of a FOCUS export: it has no BilledCost, EffectiveCost, BillingCurrency, ChargeCategory, ChargePeriodStart, ServiceName, ProviderName or PublisherName or InvoiceIssuerName',
    );
    await expect(charges(csv({}).replace('ChargeClass', 'BilledCost'))).rejects.toThrow(
      'names BilledCost twice',
    );
    await expect(charges(csv())).rejects.toThrow('there is no row in it');
    const { code, err } = await run('--actual', path.join(folder, 'nowhere.csv'));
    expect([code, err]).toEqual([1, expect.stringContaining('nowhere.csv: there is no such file')]);
  });
});

describe('the bill of a month', () => {
  test('adds up by cloud, service, entity and stage, and leaves out what is of other applications', async () => {
    const { money, leftOut, month } = await bill(
      csv(
        {
          BilledCost: '2',
          ServiceName: 'AWS Lambda',
          ResourceId: 'arn:aws:lambda:us-east-1:1:function:tandem-prod-orders',
        },
        { BilledCost: '3' },
        {
          ...{ BilledCost: '4', ProviderName: 'Microsoft', ServiceName: 'Azure Cosmos DB' },
          Tags: '{"app":"tandem","stage":"test"}',
        },
        { BilledCost: '50', Tags: '{"app":"other"}' },
        { BilledCost: '60', Tags: '' },
        { BilledCost: '70', ChargePeriodStart: '2026-10-31T23:00:00Z' },
      ),
      { by: 'stage' },
    );
    const rows = (of: readonly { names: readonly string[]; billed: number }[] | undefined) =>
      of?.map(({ names, billed }) => [...names, billed]);
    expect([month, money.length, money[0]?.billed]).toEqual(['2026-11', 1, 9]);
    expect(rows(money[0]?.byCloud)).toEqual([
      ['aws', 5],
      ['azure', 4],
    ]);
    expect(rows(money[0]?.byEntity)).toEqual([
      ['shared', 7],
      ['order', 2],
    ]);
    expect(rows(money[0]?.byTag)).toEqual([
      ['prod', 'aws', 5],
      ['test', 'azure', 4],
    ]);
    expect(leftOut).toEqual({ rows: 2, untagged: 1, billed: { USD: 110 } });
  });

  test('keeps currencies apart', async () => {
    const { money } = await bill(csv({ BilledCost: '2' }, { BilledCost: '3', BillingCurrency: 'EUR' }));
    expect(money.map(({ currency, billed }) => [currency, billed])).toEqual([
      ['EUR', 3],
      ['USD', 2],
    ]);
  });

  test('names what is wrong when there is nothing of ours in it', async () => {
    await expect(bill(csv({ Tags: '' }, { Tags: '{"app":"x"}' }))).rejects.toThrow(
      'of 2 charges none has the tag app=tandem, and 1 have no tag app',
    );
    await expect(bill(csv({}), { month: '2026-10' })).rejects.toThrow(
      '--month: there is no charge in 2026-10; there are 2026-11',
    );
    expect((await bill(csv({ Tags: '' }), { everything: true })).money[0]?.billed).toBe(1);
  });

  test('says what a million costs once it is said how many there were', async () => {
    const { perMillion, comparisons } = await bill(csv({ BilledCost: '6' }), { requests: 2e6, writes: 5e5 });
    expect(perMillion).toEqual({ requests: 3, replicatedWrites: 12 });
    expect(comparisons.map(({ cloud, days }) => [cloud, days])).toEqual([['aws', 1]]);
  });
});

describe('the model beside the bill', () => {
  const load = { requests: 1e6, writes: 2e5, awsPercent: 50, newPercent: 50, storedGb: 1 };
  const compared = (rows: readonly Charge[], days = 30) => {
    const ledger = new Ledger({ app: undefined });
    for (const row of rows) ledger.add(row);
    return compare({ cloud: 'aws', days, load }, ledger.parts('2026-11'), readUsage(), readInventory());
  };
  const charge: Charge = {
    ...{ cloud: 'aws', day: '2026-11-03', service: 'Amazon DynamoDB', currency: 'USD', category: 'Usage' },
    ...{ billed: 1, effective: 1, list: 1, tags: new Map(), resource: '', quantity: 0, unit: '' },
  };

  test('differs by steps that add up, whatever is on the bill', () => {
    const cents = fc.integer({ min: -100_000, max: 100_000 }).map((value) => value / 100);
    const row = fc.record({
      service: fc.constantFrom('Amazon DynamoDB', 'AWS Lambda', 'Amazon Route 53', 'AmazonCloudWatch'),
      category: fc.constantFrom(...CATEGORIES),
      billed: cents,
      effective: cents,
      list: fc.option(cents, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), fc.integer({ min: 1, max: 31 }), (rows, days) => {
        const {
          model,
          steps,
          bill: billed,
        } = compared(
          rows.map((one) => ({ ...charge, ...one })),
          days,
        );
        expect(steps.reduce((sum, { usd }) => sum + usd, model)).toBeCloseTo(billed, 6);
      }),
    );
  });

  test('explains credits, refunds, taxes, commitments and what it does not know', () => {
    const { steps } = compared([
      { ...charge, billed: 0, effective: 6, list: 10 },
      { ...charge, category: 'Purchase', service: 'Savings Plans', billed: 20, effective: 0 },
      { ...charge, category: 'Credit', billed: -3 },
      { ...charge, category: 'Correction', billed: -2 },
      { ...charge, category: 'Tax', service: 'Tax', billed: 1.5 },
      { ...charge, service: 'Amazon Route 53', billed: 0.5, effective: 0.5, list: 0.5 },
    ]);
    const usd = (what: string) => steps.find((step) => step.what.startsWith(what))?.usd;
    expect([usd('free allowances'), usd('used now'), usd('bought'), usd('credits')]).toEqual([
      -4, -6, 20, -3,
    ]);
    expect([usd('refunds'), usd('taxes'), usd('Amazon Route 53: not in the model')]).toEqual([-2, 1.5, 0.5]);
  });

  test('has a service for every line of the model', () => {
    const lines = estimate(load, readUsage(), readInventory());
    for (const { cloud, price } of lines) expect(serviceOfPrice(cloud, price)).not.toBe('');
  });
});

describe('days that cost something else', () => {
  const month = (cost: (at: number) => { cost: number; quantity: number }) => ({
    ...({ cloud: 'aws', service: 'AWS Lambda', currency: 'USD' } as const),
    days: new Map(
      Array.from({ length: 20 }, (_, at) => [
        `2026-11-${String(at + 1).padStart(2, '0')}`,
        new Map([['Requests', cost(at)]]),
      ]),
    ),
  });
  const covered = { from: '2026-11-01', to: '2026-11-20' };

  test('are found beside days that are all a little different, with what was more', () => {
    const found = anomaliesOf(
      month((at) => (at === 9 ? { cost: 9, quantity: 900 } : { cost: 2 + (at % 3) / 10, quantity: 210 })),
      covered,
    );
    expect(found.map(({ day, because }) => [day, because?.unit])).toEqual([['2026-11-10', 'Requests']]);
    expect(found[0]?.because?.quantity).toBeCloseTo(900 / 210);
    expect(found[0]?.because?.price).toBeCloseTo(9 / 900 / (2.1 / 210));
  });

  test('are also found where every other day costs the same, and not for cents', () => {
    const days = (of: number) =>
      anomaliesOf(
        month((at) => ({ cost: at === 4 ? of : 1, quantity: 1 })),
        covered,
      );
    expect(days(3).map(({ day }) => day)).toEqual(['2026-11-05']);
    expect(days(1.04)).toEqual([]);
  });

  test('are days without a charge too, but not the last one, which is not over', () => {
    const gap = month(() => ({ cost: 5, quantity: 1 }));
    for (const day of ['2026-11-07', '2026-11-20']) gap.days.delete(day);
    expect(anomaliesOf(gap, covered).map(({ day, cost }) => [day, cost])).toEqual([['2026-11-07', 0]]);
  });

  test('are not said of less than a week', () => {
    const week = month((at) => ({ cost: at === 2 ? 90 : 1, quantity: 1 }));
    expect(anomaliesOf(week, { from: '2026-11-01', to: '2026-11-06' })).toEqual([]);
  });
});

describe('asking the vendors', () => {
  const asked = { from: '2026-11-01', to: '2026-12-01', app: 'tandem', byTag: undefined };
  const KEY = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
  const startSite = siteAnswering(later);
  const group = (service: string, kind: string, amount: string) => ({
    Keys: [service, kind],
    Metrics: { UnblendedCost: { Amount: amount, Unit: 'USD' }, AmortizedCost: { Amount: '1', Unit: 'USD' } },
  });
  const day = (Start: string, ...Groups: object[]) => ({ TimePeriod: { Start }, Groups });

  test('Cost Explorer gets a signed request a page, and its groups become charges', async () => {
    const site = await startSite(
      [
        200,
        { NextPageToken: 'more', ResultsByTime: [day('2026-11-01', group('AWS Lambda', 'Usage', '2.5'))] },
      ],
      [
        200,
        {
          ResultsByTime: [day('2026-11-02', group('AWS Lambda', 'Credit', '-2'), group('Tax', 'Tax', '0.4'))],
        },
      ],
    );
    const endpoint = new URL(site.url);
    const found = await collected(
      askCostExplorer(asked, { endpoint, credentials: () => Promise.resolve(KEY) }),
    );
    expect(found.map((one) => [one.day, one.service, one.category, one.billed, one.effective])).toEqual([
      ['2026-11-01', 'AWS Lambda', 'Usage', 2.5, 1],
      ['2026-11-02', 'AWS Lambda', 'Credit', -2, 1],
      ['2026-11-02', 'Tax', 'Tax', 0.4, 1],
    ]);
    expect(site.asked.map(({ body }) => body)).toMatchObject([
      {
        TimePeriod: { Start: '2026-11-01', End: '2026-12-01' },
        Filter: { Tags: { Key: 'app', Values: ['tandem'] } },
      },
      { NextPageToken: 'more' },
    ]);
    const [first] = site.asked;
    expect(signatureOf(first, endpoint.host)).toBe(partsOf(first?.authorization ?? '').get('Signature'));
  });

  /** What the service computes of a request, by the rules of Signature Version 4. */
  function signatureOf(request: typeof NO_REQUEST | undefined, host: string): string {
    const { authorization = '', headers, text } = request ?? NO_REQUEST;
    const parts = partsOf(authorization);
    const [, date = '', region = '', service = ''] = (parts.get('Credential') ?? '').split('/');
    const names = (parts.get('SignedHeaders') ?? '').split(';');
    expect(names).toEqual(
      expect.arrayContaining(['host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target']),
    );
    const canonical = [
      ...['POST', '/', ''],
      names.map((name) => `${name}:${name === 'host' ? host : String(headers[name])}\n`).join(''),
      names.join(';'),
      sha256(text),
    ].join('\n');
    const scope = { date, region, service };
    expect(scope).toEqual({ date: expect.stringMatching(/^\d{8}$/), region: 'us-east-1', service: 'ce' });
    const toSign = stringToSign(String(headers['x-amz-date']), scope, canonical);
    return hmac(signingKey(KEY.secretAccessKey, scope), toSign).toString('hex');
  }

  test('Cost Explorer that refuses is quoted', async () => {
    const site = await startSite([400, { message: 'User is not enabled for cost explorer access' }]);
    const signIn = { endpoint: new URL(site.url), credentials: () => Promise.resolve(KEY) };
    await expect(collected(askCostExplorer(asked, signIn))).rejects.toThrow(
      /Cost Explorer answers 400.*not enabled/,
    );
  });

  test('Cost Management is asked for the bill and for shared commitments, page by page', async () => {
    const columns = ['Cost', 'UsageDate', 'ServiceName', 'ChargeType', 'Currency'].map((name) => ({ name }));
    const page = (rows: unknown[][], nextLink: string | null) =>
      [200, { properties: { columns, rows, nextLink } }] as const;
    const rows = [[3.5, 20261103, 'Azure Cosmos DB', 'Usage', 'EUR']];
    const bodies = [page(rows, null), page([[3, 20261103, 'Azure Cosmos DB', 'Usage', 'EUR']], null)];
    const site = await startSite(...bodies);
    const signIn = {
      endpoint: new URL(site.url),
      scope: '/subscriptions/s',
      token: () => Promise.resolve('a-token'),
    };
    const ledger = new Ledger({ app: 'tandem' });
    for await (const charge of askCostManagement(asked, signIn)) ledger.add(charge);
    expect(ledger.parts('2026-11')).toMatchObject([
      { cloud: 'azure', model: 'Cosmos DB', currency: 'EUR', billed: 3.5, effective: 3 },
    ]);
    expect(
      site.asked.map(({ body, authorization }) => [(body as { type: string }).type, authorization]),
    ).toEqual([
      ['ActualCost', 'Bearer a-token'],
      ['AmortizedCost', 'Bearer a-token'],
    ]);
    expect(site.asked[0]?.path).toBe('/subscriptions/s/providers/Microsoft.CostManagement/query');
  });

  test('Cost Management may not send the token elsewhere, and says how long it wants to be left alone', async () => {
    const site = await startSite(
      [200, { properties: { columns: [], rows: [], nextLink: 'https://elsewhere.example/' } }],
      [429, { error: { code: '429' } }, 20],
    );
    const signIn = { endpoint: new URL(site.url), scope: '', token: () => Promise.resolve('t') };
    const ask = () => collected(askCostManagement(asked, signIn));
    await expect(ask()).rejects.toThrow('names https://elsewhere.example for its next page');
    await expect(ask()).rejects.toThrow('Cost Management answers 429; again in 20 s');
  });
});

describe('the command', () => {
  test('prints the bill, or all of it as JSON', async () => {
    const file = written(
      csv({ BilledCost: '2' }, { BilledCost: '3', ProviderName: 'Microsoft', ServiceName: 'Functions' }),
    );
    const { code, out } = await run('--actual', file, '--requests', '1000', '--writes', '100');
    expect(code).toBe(0);
    expect(out).toContain(
      '2026-11, charges with the tag app=tandem; the bills cover aws 2026-11-03 to 2026-11-03',
    );
    expect(out).toMatch(/azure +Functions +3\.00 +1\.00/);
    expect(out).toContain('The model beside the bill: azure, 1 days, USD.');
    const { out: json } = await run('--actual', file, '--json');
    expect(JSON.parse(json)).toMatchObject({ month: '2026-11', money: [{ currency: 'USD', billed: 5 }] });
  });

  test.each([
    [['--by', 'stage'], '--month, --everything and --by are about bills'],
    [['--ask', 'aws', '--month', '2026-13'], "--month: '2026-13' is no month such as 2026-11"],
    [['--ask', 'aws', '--ask', 'aws'], '--ask: each cloud is asked once'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await run(...args);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});

const NO_REQUEST = {
  authorization: '' as string | undefined,
  headers: {} as Readonly<Record<string, unknown>>,
  text: '',
};
