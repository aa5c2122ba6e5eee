/**
 * What people see, in a real browser (`npm run test:e2e`): they buy while the cloud that serves them is killed, see no error,
 * and pay once. Every view is held to axe-core in light and dark, on a telephone and on a desk.
 */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page, Route } from 'playwright-core';
import { timedKey } from '@tandem-clouds/client/keys';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { Sandbox } from '@tandem-clouds/testkit/chaos/shop/sandbox';
import { de } from '../../packages/storefront/src/texts/de.ts';
import { en } from '../../packages/storefront/src/texts/en.ts';
import {
  launchBrowser,
  openPage,
  overflowOf,
  picture,
  PICTURES,
  violationsOf,
  type WatchedPage,
} from '../helpers/browser.ts';
import { buyButton, customerOf, goTo, paid, putIntoCart, untilSeeded } from '../helpers/shop-page.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** Restarts of killed processes among it. */
const PAID_WITHIN_MS = 180_000;
/** Of what comes at once, on a busy machine. */
const SHOWN_WITHIN_MS = 60_000;

let stack: OwnStack;
let browser: Browser;
const open: WatchedPage[] = [];

beforeAll(async () => {
  fs.rmSync(PICTURES, { recursive: true, force: true });
  fs.mkdirSync(PICTURES, { recursive: true });
  // Its data is on disk: a killed database comes back with what it had.
  stack = await startOwnStack('--seed', '--types', 'off', '--log-level', 'warn');
  browser = await launchBrowser();
  await untilSeeded(stack);
}, 600_000);

afterAll(async () => {
  for (const page of open) await page.close();
  await browser.close();
  await stack.stop();
});

const sites = (): readonly StackSite[] => stack.describe().sites;
const siteNamed = (name: string): StackSite =>
  sites().find(({ site }) => site === name) ?? (undefined as never);
const otherThan = (name: string): StackSite =>
  sites().find(({ site }) => site !== name) ?? (undefined as never);

/** A page of the shop, in a browser that was never here before. */
async function shop(options: Parameters<typeof openPage>[1] = {}): Promise<WatchedPage> {
  const watched = await openPage(browser, options);
  watched.page.setDefaultTimeout(SHOWN_WITHIN_MS);
  open.push(watched);
  await watched.page.goto(address());
  await watched.page.locator('.card').first().waitFor();
  return watched;
}

const address = (view = ''): string => `${stack.describe().edge.url}/${view}`;

async function serving(page: Page): Promise<string> {
  const text = await page.locator('.clouds').innerText();
  return /(?:aws|azure)-[a-z0-9-]+/.exec(text)?.[0] ?? '';
}

/** Both processes of a site, at once and without a warning. The result waits until its supervisor has started them again. */
function kill(name: string): () => Promise<unknown> {
  const { pid, emulatorsPid } = siteNamed(name);
  for (const each of [pid, emulatorsPid]) if (each !== null) process.kill(each, 'SIGKILL');
  return () =>
    waitUntil(`${name} is back`, () => {
      const now = siteNamed(name);
      return (now.ready && now.pid !== pid && now.emulatorsPid !== emulatorsPid) || undefined;
    });
}

interface OrderRecord {
  readonly orderId: string;
  readonly status?: string;
  readonly stockSite?: string;
}

/** What a site has of a customer's orders. */
async function ordersOf(customer: string, { url }: StackSite): Promise<readonly OrderRecord[]> {
  const response = await fetch(`${url}/orders?customerId=${customer}`, {
    headers: { 'x-tandem-owner': customer },
  });
  if (!response.ok) throw new Error(`orders: ${response.status}`);
  return ((await response.json()) as { items: readonly OrderRecord[] }).items;
}

/** The one order of a customer: at both sites, in that state. */
async function theOneOrder(customer: string, status: string): Promise<string> {
  const ids = new Set<string>();
  for (const { site } of sites())
    await waitUntil(`${site} has one order that is ${status}`, async () => {
      const orders = await ordersOf(customer, siteNamed(site)).catch(() => []);
      for (const { orderId } of orders) ids.add(orderId);
      return (orders.length === 1 && orders[0]?.status === status) || undefined;
    });
  expect([...ids]).toHaveLength(1);
  return [...ids].join();
}

/** A supervisor notices a death a moment after it: `ready` alone may be of before. */
async function allWell(): Promise<void> {
  await waitUntil('both sites answer', async () => {
    for (const { url, ready } of sites()) {
      const isDeep = await fetch(`${url}/health/deep`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (!ready || !isDeep) return undefined;
    }
    return true;
  });
}

function sandbox(): Sandbox {
  const { stripe, faults } = stack.describe().payments;
  return new Sandbox(stripe, faults['stripe'] ?? '');
}

/** How often the provider has charged an order, by its own books. */
async function chargesOf(orderId: string): Promise<number> {
  const intents = await sandbox().intents();
  return intents.filter(
    ({ status, metadata }) => metadata.order === `order-${orderId}` && status === 'succeeded',
  ).length;
}

describe.each([
  ['English', 'en-GB', en],
  ['German', 'de-DE', de],
] as const)('a customer who buys in %s', (_, locale, texts) => {
  test('pays once, and sees no error, while one cloud is killed before the payment and the other one in the middle of it', async () => {
    const { page, errors } = await shop({ locale });
    await putIntoCart(page, 'earl-grey');
    await goTo(page, '#/cart');
    await page.getByText(texts.total, { exact: true }).waitFor();
    await goTo(page, '#/checkout');
    await buyButton(page).waitFor();
    const first = await serving(page);
    const second = otherThan(first).site;
    // It charges, but nobody hears of it: the order stays under way for as long as this test wants.
    const books = sandbox();
    await books.impose([{ kind: 'drop-ack', operation: '*' }]);

    const firstIsBack = kill(first);
    await buyButton(page).click();
    await page.getByText(texts.silent(first, second)).waitFor();
    await page.locator('.stage.paying').waitFor();
    await firstIsBack();

    const secondIsBack = kill(second);
    await books.heal();
    await paid(page).waitFor({ timeout: PAID_WITHIN_MS });
    expect(await paid(page).innerText()).toBe(texts.stages.paid);
    expect(await errors()).toEqual([]);

    const orderId = await theOneOrder(await customerOf(page), 'paid');
    expect(await chargesOf(orderId)).toBe(1);
    await secondIsBack();
    await allWell();
  });
});

describe('an order', () => {
  test('waits in plain words for the cloud that holds its goods, and goes on by itself when that is back', async () => {
    const { page, errors } = await shop();
    const [aws, azure] = sites() as [StackSite, StackSite];
    const orderId = await orderWithoutMethod(await customerOf(page), aws);
    await waitUntil('the other cloud has it, too', async () => {
      const [order] = await ordersOf(await customerOf(page), azure);
      return order?.status === 'reserved' || undefined;
    });
    const { pid, emulatorsPid } = aws;
    const stopped = [pid, emulatorsPid].filter((each) => each !== null);
    for (const each of stopped) process.kill(each, 'SIGSTOP');
    try {
      await goTo(page, `#/orders/${orderId}`);
      await page.locator('.stage.to_pay').waitFor();
      await page.getByRole('button', { name: en.payNow }).click();
      await page.getByText(en.waitsForSite(aws.site)).waitFor();
      await page.getByText(en.silent(aws.site, azure.site)).waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await picture(page, 'order-waits-for-a-cloud');
    } finally {
      for (const each of stopped) process.kill(each, 'SIGCONT');
    }
    await paid(page).waitFor({ timeout: PAID_WITHIN_MS });
    expect(await errors()).toEqual([]);
    expect(await chargesOf(orderId)).toBe(1);
    await allWell();
  });

  test('is one when the button is pressed twice', async () => {
    const { page } = await shop();
    await putIntoCart(page, 'sencha');
    await goTo(page, '#/checkout');
    await buyButton(page).dblclick({ noWaitAfter: true });
    await paid(page).waitFor({ timeout: PAID_WITHIN_MS });
    expect(await chargesOf(await theOneOrder(await customerOf(page), 'paid'))).toBe(1);
  });

  test('is one when its answer is lost, and the page is loaded anew before the next', async () => {
    const { page, errors } = await shop();
    await putIntoCart(page, 'mug');
    await goTo(page, '#/checkout');
    let sent = 0;
    const lose = async (route: Route): Promise<void> => {
      if (route.request().method() !== 'POST') return route.fallback();
      sent += 1;
      await route.fetch();
      await route.abort('connectionreset');
    };
    await page.route(/\/orders$/, lose);
    await buyButton(page).click();
    await waitUntil('it was sent, and its answer lost', () => sent > 0 || undefined);
    await page.reload();
    await page.unroute(/\/orders$/);
    await paid(page).waitFor({ timeout: PAID_WITHIN_MS });
    expect(await errors()).toEqual([]);
    expect(await chargesOf(await theOneOrder(await customerOf(page), 'paid'))).toBe(1);
  });

  test('ends when the card is declined, and its goods can be put into the cart again', async () => {
    const { page } = await shop();
    await putIntoCart(page, 'filter');
    await goTo(page, '#/checkout');
    await page.getByText(en.pm_card_visa_chargeDeclined, { exact: true }).click();
    await buyButton(page).click();
    await page.getByText(en.reasons['declined'] ?? '').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await picture(page, 'order-declined');
    await page.getByRole('button', { name: en.again }).click();
    await page.locator('.lines li').waitFor();
    expect(await page.locator('.lines li').count()).toBe(1);
    expect(await chargesOf(await theOneOrder(await customerOf(page), 'cancelled'))).toBe(0);
  });

  test('leads to the bank where that wants to know, and comes back from there', async () => {
    const { page, errors } = await shop();
    await putIntoCart(page, 'bell');
    await goTo(page, '#/checkout');
    await page.getByText(en.pm_card_threeDSecure2Required, { exact: true }).click();
    await buyButton(page).click();
    const bank = page.getByRole('link', { name: en.confirm });
    await bank.waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await picture(page, 'order-to-confirm');
    await bank.click();
    await paid(page).waitFor({ timeout: PAID_WITHIN_MS });
    expect(page.url()).toContain(stack.describe().edge.url);
    expect(await errors()).toEqual([]);
    expect(await chargesOf(await theOneOrder(await customerOf(page), 'paid'))).toBe(1);
  });
});

describe('the page', () => {
  test('shows markup in a product as the text that it is', async () => {
    const name = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script> Tea`;
    const category = '<b onclick="1">bold</b>';
    const [site] = sites();
    const response = await fetch(`${site?.url}/products`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sku: 'markup-tea', name, category, priceMinor: 100, currency: 'EUR' }),
    });
    expect(response.status).toBe(201);
    // Of what there is none of, nothing can be put into the cart once the page knows it.
    for (const { url } of sites()) {
      const received = await fetch(`${url}/inventory/markup-tea/receipts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ book: 'dock', total: 5 }),
      });
      expect(received.status).toBe(200);
    }
    const { page, errors } = await shop();
    const isText = async (): Promise<void> => {
      await page.getByText(name).first().waitFor();
      expect(await page.locator('img[src=x], main script, b[onclick]').count()).toBe(0);
      expect(await page.title()).not.toBe('owned');
    };
    await putIntoCart(page, 'markup-tea');
    await isText();
    expect(await page.getByText(category, { exact: true }).count()).toBeGreaterThan(0);
    for (const view of ['#/cart', '#/checkout', `#/search/${encodeURIComponent('<img')}`]) {
      await goTo(page, view);
      await isText();
    }
    await goTo(page, `#/category/${encodeURIComponent(category)}`);
    await isText();
    expect(await errors()).toEqual([]);
  });

  test("speaks the browser's language, and the one that is chosen, also after it was loaded anew", async () => {
    const { page } = await shop({ locale: 'de-AT' });
    await page.getByRole('searchbox', { name: de.search }).waitFor();
    await page.getByRole('button', { name: 'English' }).click();
    await page.reload();
    await page.getByRole('searchbox', { name: en.search }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
  });

  test('keeps the cart when it is loaded anew', async () => {
    const { page } = await shop();
    await putIntoCart(page, 'lock');
    await page.reload();
    await goTo(page, '#/cart');
    await page.locator('.lines li').waitFor();
    expect(await page.locator('.lines .line-name a').innerText()).toBe('Chain lock');
  });

  test('shows places for what is on its way on a slow line', async () => {
    const watched = await openPage(browser);
    open.push(watched);
    const { page } = watched;
    const gate = Promise.withResolvers<undefined>();
    await page.route(/\/products/, async (route) => {
      await gate.promise;
      await route.fallback();
    });
    await page.goto(address());
    await page.locator('.skeleton').first().waitFor();
    expect(await violationsOf(page)).toEqual([]);
    gate.resolve(undefined);
    await page.locator('.card').first().waitFor();
    expect(await page.locator('.skeleton').count()).toBe(0);
  });
});

describe('the link of a mail', () => {
  test('opens a page in the language of the mail, whose button stops such mails, and another takes it back', async () => {
    const [first, second] = sites() as [StackSite, StackSite];
    const address = `reader-${Date.now()}@example.com`;
    const link = await linkOfSentGoods(address, first);
    const atSite = async ({ url }: StackSite): Promise<unknown> =>
      ((await (await fetch(link.replace(new URL(link).origin, url))).json()) as { unsubscribed: boolean })
        .unsubscribed;
    const shown = async (page: Page, name: string): Promise<void> => {
      expect({ violations: await violationsOf(page), overflow: await overflowOf(page) }).toEqual({
        violations: [],
        overflow: 0,
      });
      await picture(page, name);
    };
    for (const colorScheme of ['light', 'dark'] as const) {
      const watched = await openPage(browser, { colorScheme, width: 360, locale: 'en-GB' });
      open.push(watched);
      const { page, errors } = watched;
      await page.goto(link);
      expect(await page.locator('html').getAttribute('lang')).toBe('de');
      await shown(page, `unsubscribe-${colorScheme}`);
      expect(await atSite(first)).toBe(false);

      await page.getByRole('button', { name: 'Diese Nachrichten abbestellen' }).click();
      await page.getByRole('heading', { name: 'Diese Nachrichten sind abbestellt' }).waitFor();
      await shown(page, `unsubscribed-${colorScheme}`);
      // Whichever site has answered, the other one hears of it.
      for (const site of [first, second])
        await waitUntil(`${site.site} knows it`, async () => (await atSite(site)) === true || undefined);

      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Sie erhalten diese Nachrichten wieder' }).waitFor();
      await shown(page, `resubscribed-${colorScheme}`);
      for (const site of [first, second])
        await waitUntil(
          `${site.site} knows that, too`,
          async () => (await atSite(site)) === false || undefined,
        );
      expect(await errors()).toEqual([]);
    }
    const { page } = open.at(-1)!;
    await page.goto(link.replace(/[^/]{20}\?.*$/, ''));
    await page.getByRole('heading', { name: 'This link does not work' }).waitFor();
    await shown(page, 'unsubscribe-no-link');
  });
});

describe.each([
  ['light', 360],
  ['light', 1_280],
  ['dark', 360],
  ['dark', 1_280],
] as const)('every view in %s at %i pixels', (colorScheme, width) => {
  test('has nothing that axe-core objects to, and nothing beside the window', async () => {
    const { page, errors } = await shop({ colorScheme, width, locale: width === 360 ? 'de-DE' : 'en-GB' });
    const look = async (name: string, view: string, ready: string): Promise<void> => {
      await goTo(page, view);
      await page.locator(ready).first().waitFor();
      await picture(page, `${name}-${colorScheme}-${width}`);
      expect({ name, violations: await violationsOf(page), overflow: await overflowOf(page) }).toEqual({
        name,
        violations: [],
        overflow: 0,
      });
    };
    await look('cart-empty', '#/cart', '.nothing');
    await look('orders-empty', '#/orders', '.nothing');
    await look('home', '#/', '.card');
    await look('category', '#/category/bicycles', '.card');
    await look('search', '#/search/te', '.card');
    await look('search-empty', '#/search/zzz', '.empty');
    await putIntoCart(page, 'teapot');
    await putIntoCart(page, 'tandem');
    await look('product', '#/product/tandem', '.done');
    await look('cart', '#/cart', '.lines');
    await look('checkout', '#/checkout', '.cards');
    await buyButton(page).click();
    await paid(page).waitFor({ timeout: PAID_WITHIN_MS });
    await look('order', new URL(page.url()).hash, '.stage.paid');
    await look('orders', '#/orders', '.lines');
    expect(await errors()).toEqual([]);
    await look('nothing', '#/no/such/page', '.nothing');
  });
});

/** What holds goods at a site and waits for its customer. */
async function orderWithoutMethod(customer: string, site: StackSite): Promise<string> {
  const response = await fetch(`${site.url}/orders`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-tandem-owner': customer,
      'idempotency-key': timedKey(Date.now()),
    },
    body: JSON.stringify({ currency: 'EUR', lines: [{ sku: 'rooibos', units: 1, priceMinor: 890 }] }),
  });
  if (response.status !== 201) throw new Error(`the order: ${response.status} ${await response.text()}`);
  return ((await response.json()) as OrderRecord).orderId;
}

/** The link by which the reader of a German mail unsubscribes: of an order that was paid, and whose goods have left. */
async function linkOfSentGoods(address: string, { url }: StackSite): Promise<string> {
  const headers = { 'content-type': 'application/json', 'x-tandem-owner': address };
  const order = { currency: 'EUR', method: 'pm_card_visa', email: address, language: 'de' };
  const response = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': timedKey(Date.now()) },
    body: JSON.stringify({ ...order, lines: [{ sku: 'rooibos', units: 1, priceMinor: 890 }] }),
  });
  if (response.status !== 201) throw new Error(`the order: ${response.status} ${await response.text()}`);
  const { orderId } = (await response.json()) as OrderRecord;
  await waitUntil('its goods have left', async () => {
    const answer = await fetch(`${url}/orders/${orderId}/fulfil`, { method: 'POST', headers, body: '{}' });
    await answer.arrayBuffer();
    return answer.ok || undefined;
  });
  return waitUntil('the mail is there', async () => {
    const { mail } = stack.describe();
    const answer = await fetch(`${mail.web}/_tandem/mails?to=${encodeURIComponent(address)}`);
    const { items } = (await answer.json()) as { items: { headers: Record<string, string> }[] };
    return items
      .map((one) => one.headers['list-unsubscribe']?.slice(1, -1))
      .find((each) => each !== undefined);
  });
}
