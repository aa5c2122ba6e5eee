/** The shop in a browser, as a customer uses it. */
import fs from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { OwnStack } from '@tandem-clouds/local/stack/own-stack';
import { waitUntil } from './wait-until.ts';

/** The stack's sample data, and the lists that show it. */
export async function untilSeeded(stack: OwnStack): Promise<void> {
  const log = path.join(stack.dir, 'supervisor.log');
  await waitUntil(
    'the sample data is there',
    () => fs.readFileSync(log, 'utf8').includes('Sample data:') || undefined,
  );
  for (const { url, site } of stack.describe().sites)
    await waitUntil(`the lists of ${site} are complete`, async () => {
      const response = await fetch(`${url}/products?category=tea`);
      const { items } = (await response.json()) as { items?: unknown[] };
      return (items?.length ?? 0) >= 3 || undefined;
    });
}

/** @param view With its `#`. */
export async function goTo(page: Page, view: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(view)}`);
}

export async function putIntoCart(page: Page, sku: string): Promise<void> {
  await goTo(page, `#/product/${sku}`);
  await page.locator('.product .add').click();
  await page.locator('.done').waitFor();
}

export const buyButton = (page: Page): Locator => page.locator('form.columns button[type=submit]');
export const paid = (page: Page): Locator => page.locator('.stage.paid');

export const customerOf = (page: Page): Promise<string> =>
  page.evaluate<string>("JSON.parse(localStorage.getItem('tandem-shop.customer'))");
