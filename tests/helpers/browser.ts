/** A real browser for tests: what a page shows, what it refuses, and what a checker of accessibility says of it. */
import os from 'node:os';
import path from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { de } from '../../packages/storefront/src/texts/de.ts';
import { en } from '../../packages/storefront/src/texts/en.ts';

/** Nothing is asked of anybody outside this machine. */
const FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
/** What a customer must never read while one cloud is left. */
const ERROR_TEXTS = [en, de].flatMap(({ refusedOrder, configFailed, allSilent, noProduct, noPage }) => [
  refusedOrder,
  configFailed,
  allSilent,
  noProduct,
  noPage,
]);
/** Where pictures of all views are left, for people to look at. */
export const PICTURES = process.env['TANDEM_PICTURES'] ?? path.join(os.tmpdir(), 'tandem-storefront');

export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['TANDEM_CHROMIUM'];
  if (executablePath === undefined)
    throw new Error('TANDEM_CHROMIUM names no browser: npm run test:e2e finds one');
  return chromium.launch({ executablePath, args: FLAGS });
}

export interface PageOptions {
  readonly locale?: string;
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

export interface WatchedPage {
  readonly page: Page;
  /** What went wrong in it so far: errors of scripts, refusals of its policy, texts that say that something failed. */
  readonly errors: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/** A page of its own browser profile. */
export async function openPage(browser: Browser, options: PageOptions = {}): Promise<WatchedPage> {
  const { locale = 'en-GB', colorScheme = 'light', width = 1_280 } = options;
  const context = await browser.newContext({ locale, colorScheme, viewport: { width, height: 900 } });
  // From before the first script: whatever is shown for a moment only is noticed too.
  await context.addInitScript(`{
    const texts = ${JSON.stringify(ERROR_TEXTS)};
    const seen = (globalThis.shownErrors = []);
    const look = () => {
      const shown = document.body?.innerText ?? '';
      for (const text of texts) if (shown.includes(text) && !seen.includes(text)) seen.push(text);
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      seen.push('policy: ' + violatedDirective + ' ' + blockedURI));
  }`);
  const page = await context.newPage();
  const thrown: string[] = [];
  page.on('pageerror', ({ message }) => thrown.push(message));
  page.on('dialog', (dialog) => {
    thrown.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return {
    page,
    errors: async () => [...thrown, ...(await page.evaluate<string[]>('globalThis.shownErrors'))],
    close: () => context.close(),
  };
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe-core finds against WCAG 2.2 A and AA and its best practices, in words; nothing is well. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: readonly Violation[] }>('axe.run(document)');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}

/** How many pixels are beside what the window shows. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>('Math.max(0, document.documentElement.scrollWidth - innerWidth)');
}

export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });
}

let scenes = 0;

/** What the window shows, for a series of pictures: numbered, so that their names sort as they were taken. */
export async function scene(page: Page, name: string): Promise<void> {
  scenes += 1;
  await page.screenshot({
    path: path.join(PICTURES, `scene-${String(scenes).padStart(2, '0')}-${name}.png`),
  });
}
