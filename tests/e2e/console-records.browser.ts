/**
 * The console's records and shop in a real browser, at a whole stack: what is done there is looked at by the API of both sites,
 * and what is done at a site is seen there.
 */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { timedKey } from '@tandem-clouds/client/keys';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import {
  launchBrowser,
  openPage,
  overflowOf,
  picture,
  PICTURES,
  violationsOf,
  type WatchedPage,
} from '../helpers/browser.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** Of what comes at once, on a busy machine. */
const SHOWN_WITHIN_MS = 120_000;
const JSON_TYPE = { 'content-type': 'application/json' };

let stack: OwnStack;
let browser: Browser;
const open: WatchedPage[] = [];

beforeAll(async () => {
  fs.mkdirSync(PICTURES, { recursive: true });
  stack = await startOwnStack('--types', 'off', '--log-level', 'warn');
  browser = await launchBrowser();
}, 600_000);

afterAll(async () => {
  for (const page of open) await page.close();
  await browser.close();
  await stack.stop();
});

const sites = (): readonly [StackSite, StackSite] =>
  stack.describe().sites as unknown as readonly [StackSite, StackSite];
const addressOf = (view: string): string => `${stack.describe().console.url}/${view}`;

async function console_(view: string, options: Parameters<typeof openPage>[1] = {}): Promise<WatchedPage> {
  const watched = await openPage(browser, options);
  watched.page.setDefaultTimeout(SHOWN_WITHIN_MS);
  open.push(watched);
  await watched.page.goto(addressOf(view));
  await watched.page.locator('h1').waitFor();
  return watched;
}

async function send(
  { url }: StackSite,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
  const value = (await response.json()) as Readonly<Record<string, unknown>>;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(value)}`);
  return value;
}

/** Until every site has it so. */
async function everywhere(
  what: string,
  path: string,
  holds: (status: number, record: Readonly<Record<string, unknown>>) => boolean,
): Promise<void> {
  for (const { url, site } of sites())
    await waitUntil(
      `${what} at ${site}`,
      async () => {
        const response = await fetch(url + path);
        const record = (await response.json()) as Readonly<Record<string, unknown>>;
        return holds(response.status, record) || undefined;
      },
      SHOWN_WITHIN_MS,
    );
}

async function confirm(page: Page, act: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await dialog.getByRole('button', { name: act }).click();
}

async function product(sku: string, name: string): Promise<void> {
  await send(sites()[0], '/products', { sku, name, priceMinor: 1_450, currency: 'EUR', category: 'tea' });
  await everywhere(`product ${sku} is there`, `/products/${sku}`, (status) => status === 200);
}

/** An order that is paid. @returns Its id. */
async function paidOrder(sku: string): Promise<string> {
  const [aws] = sites();
  await product(sku, 'Mug');
  await send(aws, `/inventory/${sku}/receipts`, { book: 'dock', total: 5 });
  const lines = [{ sku, units: 1, priceMinor: 1_450 }];
  const { orderId } = await send(
    aws,
    '/orders',
    { currency: 'EUR', method: 'pm_card_visa', email: `${sku}@example.com`, language: 'en', lines },
    { 'x-tandem-owner': 'carol', 'idempotency-key': timedKey(Date.now()) },
  );
  const id = orderId as string;
  await everywhere('the order is paid', `/orders/${id}`, (_, { status }) => status === 'paid');
  return id;
}

describe('records', () => {
  test('are created, changed and deleted by forms, with what the API refuses at its field', async () => {
    const { page, errors } = await console_('#/records/user');
    await page.getByText(/^Create a record at/).click();
    const create = page.getByRole('form', { name: 'Create: user' });
    await create.getByLabel('userId').fill('hedy');
    await create.getByLabel('name *').fill('Hedy');
    await create.getByLabel('email *').fill('no address');
    await create.getByRole('button', { name: 'Create' }).click();
    await confirm(page, 'Create');
    await create.locator('[aria-invalid=true], [role=alert]').first().waitFor();
    expect(await create.locator('[role=alert]').allInnerTexts()).toEqual([]);
    expect(await create.locator('[aria-invalid=true]').getAttribute('name')).toBe('email');
    await create.getByLabel('email *').fill('hedy@example.com');
    await create.getByRole('button', { name: 'Create' }).click();
    await confirm(page, 'Create');
    await page.getByRole('heading', { level: 1, name: 'user hedy' }).waitFor();
    await everywhere('hedy is there', '/users/hedy', (_, { name }) => name === 'Hedy');

    await page.getByText('the same version everywhere').waitFor();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    const change = page.getByRole('form', { name: 'Change: user hedy' });
    await change.getByLabel('name', { exact: true }).fill('Hedy Lamarr');
    await change.getByLabel('signIns').fill('2');
    await change.getByText('As curl').click();
    const command = await change.locator('pre').innerText();
    expect(command).toContain('if-match: ');
    expect(command).toContain('"increment":2');
    await change.getByRole('button', { name: 'Change' }).click();
    await confirm(page, 'Change');
    await everywhere(
      'hedy is changed',
      '/users/hedy',
      (_, { name, signIns }) => name === 'Hedy Lamarr' && signIns === 2,
    );
    await page.locator('.feed').getByText('name: Hedy → Hedy Lamarr').first().waitFor();

    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page
      .getByRole('form', { name: /^Delete/ })
      .getByRole('button', { name: 'Delete' })
      .click();
    await confirm(page, 'Delete');
    await everywhere('hedy is gone', '/users/hedy', (status) => status === 404);
    await page.getByText('not there').first().waitFor();
    expect(await errors()).toEqual([]);
  });

  test('differ visibly while sites differ, and a loss is found in the conflict log', async () => {
    const [aws, azure] = sites();
    await send(aws, '/users', { userId: 'torn', name: 'Torn', email: 'torn@example.com' });
    await everywhere('torn is there', '/users/torn', (status) => status === 200);
    const { page, errors } = await console_('#/records/user/torn');
    await page.getByText('the same version everywhere').waitFor();
    const key = stack.describe().operatorKey;
    const pauses = [
      [aws, azure],
      [azure, aws],
    ] as const;
    const pause = async (method: 'PUT' | 'DELETE'): Promise<void> => {
      for (const [from, to] of pauses) {
        const response = await fetch(`${from.url}/replication/pauses/${to.site}`, {
          method,
          headers: { authorization: `Bearer ${key}` },
        });
        expect(response.status).toBe(200);
        await response.arrayBuffer();
      }
    };
    await pause('PUT');
    for (const { url, site } of sites()) {
      const response = await fetch(`${url}/users/torn`, {
        method: 'PATCH',
        headers: JSON_TYPE,
        body: JSON.stringify({ name: `of ${site}` }),
      });
      expect(response.status).toBe(200);
    }
    await page.getByText('1 field differs').waitFor();
    expect(await page.locator('tr.differs').innerText()).toContain(`of ${azure.site}`);
    expect(await violationsOf(page)).toEqual([]);
    await picture(page, 'console-record-differs');
    await pause('DELETE');
    await page.getByText('the same version everywhere').waitFor();
    await waitUntil(
      'the loss is in the log',
      async () => {
        await page.getByRole('button', { name: /^Look (through|again)/ }).click();
        await page.getByText(/all of them\./).waitFor();
        return (await page.getByRole('region', { name: 'Writes that lost' }).count()) > 0 || undefined;
      },
      SHOWN_WITHIN_MS,
    );
    expect(await page.getByRole('region', { name: 'Writes that lost' }).innerText()).toContain('of a');
    expect(await errors()).toEqual([]);
  });

  test('are shown as the text that they are, and bounded, whatever is in them', async () => {
    const [aws] = sites();
    const markup = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
    await send(aws, '/write', { id: 'huge', data: { markup, long: 'x'.repeat(90_000) } });
    const { page, errors } = await console_('#/records/item/huge');
    await page.getByText(markup).first().waitFor();
    expect(await page.locator('img[src=x], main script').count()).toBe(0);
    await page.locator('tr', { hasText: 'data.long' }).locator('summary').first().click();
    const shown = await page.locator('tr', { hasText: 'data.long' }).locator('pre').first().innerText();
    expect(shown.length).toBeLessThanOrEqual(20_000);
    expect(await page.title()).not.toBe('owned');
    expect(await errors()).toEqual([]);
  });

  test('are listed by a field, page by page, with the filter in the address', async () => {
    for (let at = 0; at < 27; at += 1)
      await send(sites()[0], '/products', {
        ...{ sku: `paged-${at}`, name: `Paged ${at}`, priceMinor: 100 + at, currency: 'EUR' },
        category: 'paged',
      });
    // A new stack fills its lists first.
    await everywhere(
      'the list is complete',
      '/products?category=paged&limit=1',
      (_, { items }) => Array.isArray(items) && items.length === 1,
    );
    const { page, errors } = await console_('#/records/product');
    await page.getByLabel('List by').selectOption('category');
    await page.getByLabel('category is').fill('paged');
    await waitUntil(
      'the first page',
      async () => (await page.locator('tbody tr').count()) === 25 || undefined,
    );
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByText('27 shown, and that is all.').waitFor();
    expect(page.url()).toContain('by=category');
    await page.reload();
    await page.getByRole('link', { name: 'paged-0', exact: true }).waitFor();
    expect(await errors()).toEqual([]);
  });
});

describe('the shop', () => {
  test('shows an order on its way, with payment and mail, and pays it back when that is confirmed', async () => {
    const id = await paidOrder('refund-mug');
    const { page, errors } = await console_(`#/shop/orders/${id}`);
    await page.locator('.state.now', { hasText: 'paid' }).waitFor();
    await page.getByText('Total: €14.50').waitFor();
    await page.getByRole('heading', { name: `Your order ${id} is paid` }).waitFor();

    await page.getByRole('button', { name: 'Reconcile since the order' }).click();
    await confirm(page, 'Reconcile');
    await page.getByRole('region', { name: 'Entries of the ledger' }).getByText('sales').waitFor();

    await page.getByRole('button', { name: 'refund', exact: true }).click();
    const form = page.getByRole('form', { name: `refund: order ${id}` });
    await form.getByLabel('amountMinor').fill('99999');
    await form.getByRole('button').first().click();
    await confirm(page, 'Pay back');
    await form.getByText(/1450 are left/).waitFor();
    await form.getByLabel('amountMinor').fill('');
    await form.getByRole('button').first().click();
    await confirm(page, 'Pay back');
    await everywhere('it is paid back', `/orders/${id}`, (_, { status }) => status === 'refunded');
    await page.locator('.state.now', { hasText: 'refunded' }).waitFor();
    expect(await errors()).toEqual([]);
  });

  test('sends an order on its way', async () => {
    const id = await paidOrder('sent-mug');
    const { page, errors } = await console_(`#/shop/orders/${id}`);
    await page.getByRole('button', { name: 'fulfil', exact: true }).click();
    await page
      .getByRole('form', { name: `fulfil: order ${id}` })
      .getByRole('button')
      .first()
      .click();
    await confirm(page, 'The goods have left');
    await everywhere('it is fulfilled', `/orders/${id}`, (_, { status }) => status === 'fulfilled');
    expect(await errors()).toEqual([]);
  });

  test('shows stock that moves while it is looked at, and orders by customer', async () => {
    const [aws] = sites();
    await product('moving-mug', 'Moving mug');
    await send(aws, '/inventory/moving-mug/receipts', { book: 'dock', total: 5 });
    const { page, errors } = await console_('#/shop?article=moving-mug');
    await page.getByText('5 available, 0 held, 0 sold').waitFor();
    await send(aws, '/inventory/moving-mug/receipts', { book: 'dock', total: 9 });
    // In all: the sites share it out between them.
    await page.locator('.article-head .number', { hasText: /^9$/ }).waitFor();
    const id = await paidOrder('listed-mug');
    await page.getByLabel('Orders by').selectOption('customer');
    await page.getByRole('searchbox', { name: 'Customer' }).fill('carol');
    await page.getByRole('link', { name: id }).waitFor();
    expect(await errors()).toEqual([]);
  });
});

describe.each(['light', 'dark'] as const)('every view in %s', (colorScheme) => {
  test.each([360, 1_400])('has no violation and nothing beside the window of %i pixels', async (width) => {
    const id = await paidOrder(`look-${colorScheme}-${width}`);
    const { page, errors } = await console_('#/records', { colorScheme, width });
    for (const [name, hash, shown] of [
      ['records', '#/records', 'tbody tr'],
      ['record-list', '#/records/product?by=category&is=tea', 'tbody tr'],
      ['record', `#/records/product/look-${colorScheme}-${width}`, '.versions code'],
      ['shop', '#/shop', '.articles li'],
      ['order', `#/shop/orders/${id}`, '.state.now'],
    ] as const) {
      await page.goto(addressOf(hash));
      await page.locator(shown).first().waitFor();
      expect(await violationsOf(page)).toEqual([]);
      expect(await overflowOf(page)).toBe(0);
      await picture(page, `console-${name}-${colorScheme}-${width}`);
    }
    expect(await errors()).toEqual([]);
  });
});
