/** `tandem stock` against sites on loopback: what they have, and what becomes of the share of a lost one. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runCommand, siteAnswering } from '../helpers/answering-site.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';

const startSite = siteAnswering(closeAfterEach());
const run = runCommand('stock');

const share = (site: string, available: number) => ({ site, available, held: 1, sold: 2, underWay: 0 });
const tea = {
  sku: 'tea',
  available: 12,
  sites: [share('aws-us-east-1', 8), share('azure-eastus', 4)],
};

beforeEach(() => {
  process.env['TANDEM_TOKEN'] = 'a-token';
});
afterEach(() => {
  Reflect.deleteProperty(process.env, 'TANDEM_TOKEN');
});

describe('tandem stock show', () => {
  test('shows every article that any site has, by site', async () => {
    const rows = [{ sku: 'tea' }, { sku: 'tea' }, { sku: 'cup' }];
    const site = await startSite([200, { items: rows }], [200, { ...tea, sku: 'cup' }], [200, tea]);
    const { code, out } = await run('show', '--site', site.url);
    expect(site.asked.map(({ path }) => path)).toEqual(['/stock', '/inventory/cup', '/inventory/tea']);
    expect(site.asked[0]?.authorization).toBe('Bearer a-token');
    expect(out.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['article', 'site', 'available', 'held', 'sold', 'under way'],
      ['cup', 'aws-us-east-1', '8', '1', '2', '0'],
      ['cup', 'azure-eastus', '4', '1', '2', '0'],
      ['tea', 'aws-us-east-1', '8', '1', '2', '0'],
      ['tea', 'azure-eastus', '4', '1', '2', '0'],
      [''],
    ]);
    expect(code).toBe(0);
  });

  test('says what a site refuses', async () => {
    const site = await startSite([403, { detail: 'The scope shop/stock is needed' }]);
    const { code, err } = await run('show', 'tea', '--site', site.url);
    expect(err).toMatch(/The scope shop\/stock is needed; TANDEM_TOKEN is to be a token/);
    expect(code).toBe(1);
  });
});

describe('tandem stock fence', () => {
  const fenced = { ...tea, heir: 'aws-us-east-1' };

  test('cuts a lost site off at every site that is left, and says what is to be counted', async () => {
    const paid = { paidFrom: 'azure-eastus', lines: [{ sku: 'tea', units: 2 }] };
    const elsewhere = { paidFrom: 'aws-us-east-1', lines: [{ sku: 'tea', units: 9 }] };
    const orders = [
      [200, { items: [paid, elsewhere] }],
      [200, { items: [paid] }],
      [200, { items: [] }],
    ] as const;
    const first = await startSite([200, { items: [{ sku: 'tea' }] }], [200, fenced], ...orders);
    const second = await startSite([200, { items: [{ sku: 'tea' }] }], [200, fenced]);
    const { code, out, err } = await run(
      ...['fence', 'azure-eastus', '--heir', 'aws-us-east-1', '--json'],
      ...['--site', first.url, '--site', second.url],
    );
    const body = { lost: 'azure-eastus', heir: 'aws-us-east-1' };
    for (const { asked } of [first, second])
      expect(asked[1]).toMatchObject({ method: 'POST', path: '/inventory/tea/fences', body });
    expect(err).toBe(`tea: cut off at ${first.url}, ${second.url}\n`);
    expect(JSON.parse(out)).toEqual({ sku: 'tea', available: 4, held: 1, sold: 2, paid: 4 });
    expect(code).toBe(0);
  });

  test('ends where another site has been made the heir', async () => {
    const site = await startSite(
      [200, { items: [{ sku: 'tea' }] }],
      [200, { ...fenced, heir: 'aws-eu-west-1' }],
    );
    const { code, err } = await run('fence', 'azure-eastus', '--heir', 'aws-us-east-1', '--site', site.url);
    expect(err).toMatch(/tea: its heir is aws-eu-west-1, and stays so/);
    expect(code).toBe(1);
  });
});

describe('tandem stock recover', () => {
  test('enters a count at the heir', async () => {
    const site = await startSite([200, tea]);
    const { code, out } = await run('recover', 'azure-eastus', 'tea', '34', '--site', site.url);
    expect(site.asked[0]).toMatchObject({
      path: '/inventory/tea/recoveries',
      body: { lost: 'azure-eastus', units: 34 },
    });
    expect(out).toMatch(/^34 of tea are entered at .*; now 12 can be sold\.\n$/);
    expect(code).toBe(0);
  });

  test('says why a count is refused', async () => {
    const site = await startSite([409, { code: 'conflict', detail: 'not fenced everywhere' }]);
    const { code, err } = await run('recover', 'azure-eastus', 'tea', '34', '--site', site.url);
    expect(err).toMatch(/not fenced everywhere/);
    expect(code).toBe(1);
  });
});
