/**
 * `docs/demo.md`, walked in a real browser: buy, lose a cloud by its button, buy on, get it back, settle what both clouds wrote
 * meanwhile, move traffic away and back. Its pictures are those of the README (`npm run tandem -- pictures`).
 */
import fs from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { Sandbox } from '@tandem-clouds/testkit/chaos/shop/sandbox';
import type { TrafficView } from '../../packages/console/src/server/traffic-view.ts';
import { launchBrowser, openPage, PICTURES, scene, type WatchedPage } from '../helpers/browser.ts';
import { buyButton, customerOf, goTo, paid, putIntoCart, untilSeeded } from '../helpers/shop-page.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** Restarts of killed processes among it. */
const SHOWN_WITHIN_MS = 180_000;
/** Gates are crossed on a busy machine, and traffic goes back, as it should. */
const TRIES_MAX = 8;
const JSON_TYPE = { 'content-type': 'application/json' };

let stack: OwnStack;
let browser: Browser;
let shop: WatchedPage;
let operator: WatchedPage;

beforeAll(async () => {
  fs.mkdirSync(PICTURES, { recursive: true });
  stack = await startOwnStack('--seed', '--types', 'off', '--log-level', 'warn');
  browser = await launchBrowser();
  await untilSeeded(stack);
}, 600_000);

afterAll(async () => {
  await browser.close();
  await stack.stop();
});

const sites = (): readonly [StackSite, StackSite] =>
  stack.describe().sites as unknown as [StackSite, StackSite];

async function openAt(address: string): Promise<WatchedPage> {
  const watched = await openPage(browser);
  watched.page.setDefaultTimeout(SHOWN_WITHIN_MS);
  await watched.page.goto(address);
  return watched;
}

async function buy(page: Page, sku: string): Promise<void> {
  await putIntoCart(page, sku);
  await goTo(page, '#/checkout');
  await buyButton(page).click();
  await paid(page).waitFor();
}

/** Fills in why, and does it. */
async function confirm(page: Page): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('to show it');
  await dialog.locator('button[type=submit]').click();
  await dialog.waitFor({ state: 'detached' });
}

const region = (page: Page, name: string): Locator => page.getByRole('region', { name });

/** Of every paid order, by the provider's own books. */
async function charges(): Promise<readonly string[]> {
  const { stripe, faults } = stack.describe().payments;
  const intents = await new Sandbox(stripe, faults['stripe'] ?? '').intents();
  return intents.filter(({ status }) => status === 'succeeded').map(({ metadata }) => metadata.order ?? '');
}

async function paidOrdersAt({ url }: StackSite, customer: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/orders?customerId=${customer}`, {
    headers: { 'x-tandem-owner': customer },
  });
  const { items } = (await response.json()) as { items: readonly { orderId: string; status?: string }[] };
  return items.filter(({ status }) => status === 'paid').map(({ orderId }) => `order-${orderId}`);
}

async function nameAt({ url }: StackSite): Promise<string | undefined> {
  const response = await fetch(`${url}/users/lovelace`);
  return response.ok ? ((await response.json()) as { name: string }).name : undefined;
}

test('five minutes: start, buy, kill a cloud, buy on, and nothing is lost', async () => {
  const [aws, azure] = sites();
  const before = (await charges()).length;
  shop = await openAt(stack.describe().edge.url);
  operator = await openAt(stack.describe().console.url);
  const { page } = operator;
  await page.getByText('live', { exact: true }).waitFor();
  await buy(shop.page, 'earl-grey');
  await region(page, 'What a loss would cost')
    .getByText(`nothing would be missing at ${azure.site}`)
    .waitFor();
  await scene(page, 'overview');

  await page.getByRole('link', { name: 'Kill it' }).click();
  await page.getByRole('button', { name: `Stop ${aws.site}` }).click();
  await scene(page, 'asks');
  await confirm(page);
  const clock = region(page, 'The clock of the latest loss');
  await clock.locator('.good', { hasText: `first good answer, from ${azure.site}` }).waitFor();
  await scene(page, 'killed');
  await buy(shop.page, 'sencha');
  await scene(shop.page, 'bought-from-one-cloud');

  await page.getByRole('button', { name: `Undo stop:${aws.site}` }).click();
  await clock.locator('.good', { hasText: 'all that it had held back has crossed' }).waitFor();
  await scene(page, 'back');

  const customer = await customerOf(shop.page);
  for (const site of sites())
    await waitUntil(
      `${site.site} has both orders`,
      async () => (await paidOrdersAt(site, customer)).length === 2 || undefined,
    );
  const orders = await paidOrdersAt(azure, customer);
  const charged = await charges();
  expect(charged).toHaveLength(before + 2);
  for (const order of orders) expect(charged.filter((each) => each === order)).toHaveLength(1);
  expect(await shop.errors()).toEqual([]);
});

test('what both clouds wrote while they were apart is settled by a person', async () => {
  const [aws, azure] = sites();
  const { page } = operator;
  const created = await fetch(`${aws.url}/users`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ userId: 'lovelace', name: 'Ada', email: 'ada@example.com' }),
  });
  expect(created.status).toBe(201);
  await waitUntil('both have her', async () => (await nameAt(azure)) !== undefined || undefined);

  await page.getByRole('link', { name: 'Kill it' }).click();
  await page.getByRole('button', { name: `Cut off from ${azure.site} ${aws.site}` }).click();
  await confirm(page);
  await page.getByText('cannot reach each other: connections').first().waitFor();
  for (const [site, name] of [
    [aws, 'Ada Byron'],
    [azure, 'Ada Lovelace'],
  ] as const) {
    const response = await fetch(`${site.url}/users/lovelace`, {
      method: 'PATCH',
      headers: { ...JSON_TYPE, 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify({ name }),
    });
    expect(response.status).toBe(200);
  }
  await page.getByRole('link', { name: 'Overview' }).click();
  // In both directions: one of them may be of what was under way before.
  await page
    .getByText(/[1-9]\d* records? at risk/)
    .nth(1)
    .waitFor();
  await scene(page, 'cut-off');
  await page.getByRole('link', { name: 'Kill it' }).click();
  await page.getByRole('button', { name: 'Undo all' }).click();
  await page.getByText('No fault is on.').waitFor();
  for (const site of sites())
    await waitUntil(
      `${site.site} has the later one`,
      async () => (await nameAt(site)) === 'Ada Lovelace' || undefined,
    );

  await page.getByRole('link', { name: 'Conflicts' }).click();
  await page.getByRole('link', { name: 'user:lovelace name' }).click();
  const form = region(page, 'Override');
  await page.getByRole('group', { name: 'Lost:' }).getByText('"Ada Byron"').waitFor();
  await scene(page, 'conflict');
  await form.getByLabel('Another one').check();
  await form.getByLabel('Value, as JSON').fill('"Ada King, Countess of Lovelace"');
  await form.getByLabel(/^Note/).fill('she signs so');
  await form.getByRole('button', { name: 'Override …' }).click();
  await confirm(page);
  await page.getByText('overridden', { exact: true }).waitFor();
  for (const site of sites())
    await waitUntil(
      `${site.site} has what was chosen`,
      async () => (await nameAt(site)) === 'Ada King, Countess of Lovelace' || undefined,
    );
});

test('traffic is moved away in gated steps, and back', async () => {
  const [aws] = sites();
  const { page } = operator;
  await page.getByRole('link', { name: 'Traffic' }).click();
  const form = region(page, 'Move traffic');
  const ended = async (): Promise<TrafficView['jobs']> => {
    const response = await fetch(`${stack.describe().console.url}/api/traffic`);
    return ((await response.json()) as TrafficView).jobs.filter(({ endedAt }) => endedAt !== undefined);
  };
  const move = async (kind: string): Promise<void> => {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const { length } = await ended();
      await form.locator('[name=kind]').selectOption(kind);
      await form.locator('[name=stepPercent]').fill('25');
      await form.locator('[name=holdSeconds]').fill('1');
      await page.getByRole('button', { name: 'Show what it would do' }).click();
      await page.getByRole('button', { name: 'Start it …' }).click();
      await confirm(page);
      const job = await waitUntil(`the end of ${kind}`, async () => {
        const jobs = await ended();
        return jobs.length > length ? jobs[0] : undefined;
      });
      if (job.result === 'done') return;
    }
    throw new Error(`${kind}: gates were crossed ${TRIES_MAX} times`);
  };
  await move('drain');
  await page.getByText(`${aws.site} stands at 0 %, beside the policy`).waitFor();
  await scene(page, 'drained');
  await move('restore');
  await page.getByText('traffic stands as the policy says').waitFor();
  await scene(page, 'restored');
  expect(await operator.errors()).toEqual([]);
  const audit = fs.readFileSync(`${stack.dir}/audit.jsonl`, 'utf8');
  expect(audit).toContain(`"path":"/api/traffic/jobs/drain/${aws.site}","why":"to show it"`);
});
