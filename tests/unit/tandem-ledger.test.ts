/** `tandem ledger` against a site on loopback, page by page. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runCommand, siteAnswering } from '../helpers/answering-site.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';

const later = closeAfterEach();
const startSite = siteAnswering(later);
const FROM = '2026-11-01T00:00:00.000Z';
const TO = '2026-12-01T00:00:00.000Z';

const run = runCommand('ledger');

beforeEach(() => {
  process.env['TANDEM_TOKEN'] = 'a-token';
});
afterEach(() => {
  Reflect.deleteProperty(process.env, 'TANDEM_TOKEN');
});

describe('tandem ledger reconcile', () => {
  const part = {
    ...{ provider: 'stripe', from: FROM, until: TO, completeUntil: TO, movements: 2, written: 1 },
    differences: [],
  };

  test('goes on until nothing is left, with progress', async () => {
    const site = await startSite(
      [200, { ...part, until: '2026-11-10T00:00:00.000Z', cursor: '5-1000' }],
      [200, part],
    );
    const { code, out, err } = await run('reconcile', '--from', '2026-11-01', '--to', TO, '--site', site.url);
    expect(site.asked.map(({ body }) => body)).toEqual([
      { from: FROM, to: TO },
      { from: FROM, to: TO, cursor: '5-1000' },
    ]);
    expect(site.asked[0]).toMatchObject({
      method: 'POST',
      path: '/ledger/reconcile',
      authorization: 'Bearer a-token',
    });
    expect(err).toBe('until 2026-11-10T00:00:00.000Z: 2 movements, 1 written\n');
    expect(out).toBe(`stripe, ${FROM} until ${TO}: 4 movements, 2 of them written now; no difference.\n`);
    expect(code).toBe(0);
  });

  test('waits for a list that is being filled, and says so once', async () => {
    const filling = [503, { code: 'index_incomplete', detail: 'The list is being filled.' }, 0] as const;
    const site = await startSite(filling, filling, [200, part]);
    const { code, out, err } = await run('reconcile', '--from', FROM, '--to', TO, '--site', site.url);
    expect(site.asked).toHaveLength(3);
    expect(err).toBe(`${site.url}: The list is being filled. Waiting for it.\n`);
    expect(out).toMatch(/no difference/);
    expect(code).toBe(0);
  });

  test('says every difference as a sentence, and ends with 1', async () => {
    const differences = [
      { kind: 'missing here', entryId: 'txn_0' },
      { kind: 'missing there', entryId: 'txn_1' },
      { kind: 'other amount', entryId: 'txn_2', account: 'fees', amountHere: 1, amountThere: 30 },
      { kind: 'other currency', entryId: 'txn_3', here: 'EUR', there: 'USD' },
      { kind: 'other order', entryId: 'txn_4', there: 'order-1' },
      { kind: 'doubled', entryId: 'txn_5', where: 'there', times: 2 },
      { kind: 'charged twice', key: 'order-2', entryIds: ['txn_6', 'txn_7'] },
    ];
    const site = await startSite([200, { ...part, differences }]);
    const { code, out } = await run('reconcile', '--from', FROM, '--to', TO, '--site', site.url);
    expect(out.split('\n')).toEqual([
      'txn_0: the provider has moved it, and it is not in the books',
      'txn_1: in the books, and the provider knows nothing of it',
      'txn_2: fees is 1 in the books, and 30 by the provider',
      'txn_3: other currency, EUR in the books and USD by the provider',
      'txn_4: other order, none in the books and order-1 by the provider',
      'txn_5: 2 times in the provider’s list',
      'order-2: charged 2 times, by txn_6 and txn_7',
      `stripe, ${FROM} until ${TO}: 2 movements, 1 of them written now; 7 differences.`,
      '',
    ]);
    expect(code).toBe(1);
  });

  test.each([
    [403, 'a scope is missing', /a scope is missing; TANDEM_TOKEN is to be a token.*shop\/ledger/],
    [503, 'no provider', /no provider; try again, or name another site with --at/],
  ])('says what to do after %d', async (status, detail, message) => {
    const site = await startSite([status, { detail }]);
    const { code, err } = await run('reconcile', '--site', site.url);
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });

  test.each([
    [['--from', 'yesterday'], /--from: 'yesterday' is no time/],
    [['--from', TO, '--to', FROM], /--from is not before --to/],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await run('reconcile', ...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

test('tandem ledger balance adds up what each page says, in the digits of each currency', async () => {
  const page = (accounts: readonly (readonly [string, string, number])[], more: object) => ({
    accounts: accounts.map(([currency, account, amountMinor]) => ({ currency, account, amountMinor })),
    ...{ movements: 1, balances: true, unbalanced: [], ...more },
  });
  const site = await startSite(
    [
      200,
      page(
        [
          ['EUR', 'provider', 1_020],
          ['EUR', 'sales', -1_050],
          ['EUR', 'fees', 30],
        ],
        { cursor: 'c' },
      ),
    ],
    [
      200,
      page(
        [
          ['JPY', 'sales', -500],
          ['EUR', 'sales', -5],
        ],
        { unbalanced: ['stripe/txn_1'] },
      ),
    ],
  );
  const { code, out } = await run('balance', '--provider', 'stripe', '--to', TO, '--site', site.url);
  expect(site.asked.map(({ query }) => query)).toEqual([
    { provider: 'stripe', to: TO },
    { provider: 'stripe', to: TO, cursor: 'c' },
  ]);
  expect(out.split('\n').map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
    'stripe: 2 movements',
    ' provider 10.20 EUR',
    ' sales -10.55 EUR',
    ' fees 0.30 EUR',
    ' sales -500 JPY',
    'stripe/txn_1: its lines do not add up to zero',
    '',
  ]);
  expect(code).toBe(1);
});

describe('tandem ledger export', () => {
  const line = (entryId: string, more: object = {}) => ({
    ...{ id: `stripe/${entryId}/sales`, provider: 'stripe', entryId, kind: 'charge', account: 'sales' },
    ...{ amountMinor: -1_050, currency: 'EUR', atMs: Date.parse(FROM), ...more },
  });
  const ROWS = [
    'id,provider,entryId,kind,key,account,amountMinor,currency,atMs',
    `stripe/txn_1/sales,stripe,txn_1,charge,order-1,sales,-1050,EUR,${FROM}`,
    `stripe/txn_2/sales,stripe,txn_2,charge,,sales,-1050,EUR,${FROM}`,
    '',
  ].join('\r\n');

  test('writes one header and every line, to the terminal or to a file', async () => {
    const pages = [
      [200, { lines: [line('txn_1', { key: 'order-1' })], cursor: 'c' }],
      [200, { lines: [line('txn_2')] }],
      [200, { lines: [] }],
    ] as const;
    const site = await startSite(...pages, ...pages);
    expect(await run('export', '--site', site.url)).toEqual({ code: 0, out: ROWS, err: '' });
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ledger-export-'));
    later(() => fs.rmSync(dir, { recursive: true }));
    const file = path.join(dir, 'new', 'books.csv');
    const { code, out, err } = await run('export', '--site', site.url, '--output', file);
    expect([code, out, err]).toEqual([0, '', `1 lines\n2 lines are in ${file}\n`]);
    expect(fs.readFileSync(file, 'utf8')).toBe(ROWS);
  });

  test('is one object a line for a program', async () => {
    const site = await startSite([200, { lines: [line('txn_1')] }]);
    const { out } = await run('export', '--json', '--provider', 'stripe', '--site', site.url);
    expect(JSON.parse(out)).toMatchObject({ entryId: 'txn_1', key: null });
  });
});
