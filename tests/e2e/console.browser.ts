/**
 * The console's overview and its faults in a real browser (`npm run test:e2e`): a cloud is stopped by its button while
 * customers write, the clock beside it runs, and nothing is lost.
 */
import fs from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
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

/** Restarts of killed processes among it. */
const SHOWN_WITHIN_MS = 180_000;

let stack: OwnStack;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  fs.mkdirSync(PICTURES, { recursive: true });
  // Its data is on disk: a stopped cloud comes back with what it had.
  stack = await startOwnStack('--types', 'off', '--log-level', 'warn');
  browser = await launchBrowser();
}, 600_000);

afterAll(async () => {
  await browser.close();
  await stack.stop();
});

beforeEach(() => open({}));
afterEach(async () => {
  const errors = await watched.errors();
  await watched.close();
  // Of a test that has failed.
  await fetch(stack.describe().faults.url, { method: 'DELETE', headers: authorization() });
  expect(errors).toEqual([]);
});

async function open(options: Parameters<typeof openPage>[1]): Promise<void> {
  watched = await openPage(browser, options);
  page = watched.page;
  page.setDefaultTimeout(SHOWN_WITHIN_MS);
  await page.goto(stack.describe().console.url);
}

/** In the head of every view. */
const badge = (text: string): Locator => page.locator('header').getByText(text, { exact: true });

const sites = (): readonly StackSite[] => stack.describe().sites;

async function write(url: string, id: string): Promise<number> {
  const response = await fetch(`${url}/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': id },
    body: JSON.stringify({ id, data: { by: 'the browser test' } }),
  });
  return response.status;
}

async function untilAt(site: StackSite, id: string): Promise<void> {
  await waitUntil(
    `${id} at ${site.site}`,
    async () => {
      try {
        return (await fetch(`${site.url}/items/${id}`)).ok || undefined;
      } catch {
        return undefined;
      }
    },
    SHOWN_WITHIN_MS,
  );
}

describe('the overview', () => {
  test('shows both clouds, every direction and what a loss would cost, live', async () => {
    for (const { site } of sites()) await page.getByRole('heading', { name: site, exact: true }).waitFor();
    await badge('aws-us-east-1 answers').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    const losses = page.getByRole('region', { name: 'What a loss would cost' });
    await losses.getByText('nothing would be missing at azure-eastus').waitFor();
    await page.getByText(/Records at risk/).waitFor();
    expect(await page.locator('.chart canvas').count()).toBe(4);
    await picture(page, 'console-overview');
  });

  test('names the site that does not answer as soon as it does not, and goes on', async () => {
    const [, azure] = sites();
    const fault = await imposed({ kind: 'freeze', site: azure?.site });
    await badge(`${azure?.site ?? ''} does not answer`).waitFor();
    await page.getByText('what it had not handed over comes back with it').waitFor();
    await picture(page, 'console-frozen');
    await fetch(`${stack.describe().faults.url}/${fault}`, { method: 'DELETE', headers: authorization() });
    await badge(`${azure?.site ?? ''} answers`).waitFor();
  });
});

const authorization = (): Record<string, string> => ({
  authorization: `Bearer ${stack.describe().operatorKey}`,
});

/** As another process does. @returns Its id, for an address. */
async function imposed(order: object): Promise<string> {
  const response = await fetch(stack.describe().faults.url, {
    method: 'POST',
    headers: authorization(),
    body: JSON.stringify(order),
  });
  return encodeURIComponent(((await response.json()) as { id: string }).id);
}

describe('a cloud is stopped by its button', () => {
  test('the other one serves, the clock runs, and what was written meanwhile is at both in the end', async () => {
    const [aws, azure] = sites();
    if (aws === undefined || azure === undefined) throw new Error('two sites are needed');
    expect(await write(aws.url, 'before-the-loss')).toBe(201);
    await page.getByRole('link', { name: 'Kill it' }).click();
    await page.getByRole('button', { name: `Stop ${aws.site}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('are killed, and not started again').waitFor();
    await dialog.getByLabel(/^Why/).fill('to see it');
    await dialog.getByRole('button', { name: 'Stop' }).click();

    const faults = page.getByRole('list', { name: 'Faults that are on' });
    await faults.getByText(`${aws.site} is stopped`).waitFor();
    const clock = page.getByRole('region', { name: 'The clock of the latest loss' });
    await clock.locator('.good', { hasText: 'detected' }).waitFor();
    await clock.locator('.good', { hasText: `first good answer, from ${azure.site}` }).waitFor();
    await expect(fetch(aws.url)).rejects.toThrow();
    for (const n of [1, 2, 3])
      expect(await write(stack.describe().edge.url, `during-the-loss-${n}`)).toBe(201);
    await picture(page, 'console-stopped');

    await faults.getByRole('button', { name: `Undo stop:${aws.site}` }).click();
    await clock.locator('.good', { hasText: `${aws.site} answers again` }).waitFor();
    await clock.locator('.good', { hasText: 'all that it had held back has crossed' }).waitFor();
    await page.getByText('No fault is on.').waitFor();
    await picture(page, 'console-back');
    for (const id of ['before-the-loss', 'during-the-loss-1', 'during-the-loss-2', 'during-the-loss-3'])
      for (const site of [aws, azure]) await untilAt(site, id);
    const audit = fs.readFileSync(`${stack.dir}/audit.jsonl`, 'utf8');
    expect(audit).toContain('"path":"/api/faults","why":"to see it"');
    expect(audit).not.toContain(stack.describe().operatorKey);
  });

  test('not where one thinks better of it', async () => {
    await page.goto(`${stack.describe().console.url}/#/kill`);
    await page.getByRole('button', { name: /^Freeze aws/ }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await (await fetch(stack.describe().faults.url, { headers: authorization() })).json()).toEqual([]);
  });

  test('a partition is undone by one click too, and what waited crosses', async () => {
    const [aws, azure] = sites();
    if (aws === undefined || azure === undefined) throw new Error('two sites are needed');
    await page.goto(`${stack.describe().console.url}/#/kill`);
    await page.getByRole('button', { name: `Cut off from ${azure.site} ${aws.site}` }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Cut off/ })
      .click();
    await page.getByText('cannot reach each other: connections').first().waitFor();
    expect(await write(aws.url, 'behind-the-cut')).toBe(201);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page
      .getByText(/[1-9]\d* records? at risk/)
      .first()
      .waitFor();
    await page.getByRole('link', { name: 'Kill it' }).click();
    await page.getByRole('button', { name: 'Undo all' }).click();
    await page.getByText('No fault is on.').waitFor();
    await untilAt(azure, 'behind-the-cut');
  });
});

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test.each(['', 'kill'])(
    'axe-core finds nothing, and nothing is wider than a telephone: #/%s',
    async (view) => {
      await watched.close();
      await open({ colorScheme, width: 360 });
      await page.goto(`${stack.describe().console.url}/#/${view}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await badge('aws-us-east-1 answers').waitFor();
      expect(await violationsOf(page)).toEqual([]);
      expect(await overflowOf(page)).toBe(0);
      await picture(page, `console-${view || 'overview'}-${colorScheme}-360`);
    },
  );
});
