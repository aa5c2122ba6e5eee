/**
 * Traces and traffic in the console, in a real browser (`npm run test:e2e -- --only console`): what a page shows is what the
 * stack says, and what it does has its effect at the DNS server and at both sites.
 */
import { Resolver } from 'node:dns/promises';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { ZONE_PATH, type ZoneState } from '@tandem-clouds/emulators/dns/control';
import { SPANS_MAX } from '@tandem-clouds/emulators/otlp/trace';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import type { TrafficView } from '../../packages/console/src/server/traffic-view.ts';
import { launchBrowser, openPage, overflowOf, violationsOf, type WatchedPage } from '../helpers/browser.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** On a busy machine. */
const SHOWN_WITHIN_MS = 120_000;
/** Gates are crossed on a busy machine, and traffic goes back, as it should. */
const TRIES_MAX = 8;
const NAME = 'api.tandem.test';

let stack: OwnStack;
let browser: Browser;
const open: WatchedPage[] = [];
/** What went wrong in pages that are closed. */
const errors: string[] = [];

beforeAll(async () => {
  stack = await startOwnStack('--ephemeral', '--types', 'off', '--log-level', 'warn');
  browser = await launchBrowser();
}, 600_000);

afterAll(async () => {
  await closeAll();
  await browser.close();
  await stack.stop();
});

afterEach(() => closeAll());

async function show(hash: string, options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
  const watched = await openPage(browser, options);
  open.push(watched);
  const { page } = watched;
  page.setDefaultTimeout(SHOWN_WITHIN_MS);
  await page.goto(`${stack.describe().console.url}/${hash}`);
  await page.locator('h1').waitFor();
  return page;
}

/** Of each size and colour scheme: nothing that a checker finds, and nothing beside the window. */
async function isWellShown(hash: string, ready: string): Promise<void> {
  for (const [colorScheme, width] of [
    ['light', 360],
    ['dark', 1_280],
    ['dark', 360],
  ] as const) {
    const page = await show(hash, { colorScheme, width });
    await page.locator(ready).first().waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect(await overflowOf(page)).toBe(0);
    await closeAll();
  }
}

/** A page goes on asking for as long as it is open. */
async function closeAll(): Promise<void> {
  for (const watched of open.splice(0)) {
    errors.push(...(await watched.errors()));
    await watched.close();
  }
}

const siteOf = (cloud: string): StackSite =>
  stack.describe().sites.find((site) => site.cloud === cloud) ?? (undefined as never);

const id = (letter: string): string => letter.repeat(32);
const hex = (number: number): string => (number + 1).toString(16).padStart(16, '0');

interface Sent {
  readonly failed?: boolean;
  readonly name?: string;
  readonly text?: string;
  readonly linked?: string;
}

/** A trace of so many spans, three below each. */
async function send(
  traceId: string,
  count: number,
  more: (index: number) => Sent = () => ({}),
): Promise<void> {
  const beganMs = Date.now();
  const nanos = (ms: number): string => `${beganMs + ms}000000`;
  const spans = Array.from({ length: count }, (_span, index) => {
    const { failed = false, name = `step ${index}`, text, linked } = more(index);
    return {
      ...{ traceId, spanId: hex(index), name, kind: index === 0 ? 2 : 1 },
      ...(index > 0 && { parentSpanId: hex(Math.floor((index - 1) / 3)) }),
      ...{ startTimeUnixNano: nanos(index), endTimeUnixNano: nanos(2 * index + 10) },
      attributes: [
        ...(failed ? [{ key: 'error.type', value: { stringValue: 'timeout' } }] : []),
        ...(text === undefined ? [] : [{ key: 'text', value: { stringValue: text } }]),
      ],
      ...(failed && { status: { code: 2 } }),
      links: linked === undefined ? [] : [{ traceId: linked, spanId: hex(1) }],
    };
  });
  const resource = { attributes: [{ key: 'tandem.site', value: { stringValue: 'aws-us-east-1' } }] };
  for (let at = 0; at < count; at += 1_000) {
    const body = { resourceSpans: [{ resource, scopeSpans: [{ spans: spans.slice(at, at + 1_000) }] }] };
    const response = await fetch(`${stack.describe().traces.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
  }
}

describe('console: traces', () => {
  test.each(['aws', 'azure'])('an answer of %s leads to what it made both clouds do', async (cloud) => {
    const { url } = siteOf(cloud);
    const response = await fetch(`${url}/write`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: `console-${cloud}`, data: { n: 1 } }),
    });
    expect(response.status).toBe(201);
    const page = await show('#/traces');
    await page.getByLabel('X-Request-Id of an answer').fill(response.headers.get('x-request-id') ?? '');
    await page.getByRole('link', { name: 'POST /write' }).click();
    // It is read again until the other cloud's part is there.
    await page.locator('.waterfall').getByText('apply tandem-in').first().waitFor();
    const sites = await page.locator('.waterfall .site-cell').allInnerTexts();
    expect(new Set(sites)).toEqual(new Set(stack.describe().sites.map(({ site }) => site)));
    expect(page.url()).toMatch(/#\/traces\/[0-9a-f]{32}$/);
  });

  test('are filtered, and the filter is in the address; a wrong one is explained', async () => {
    await send(id('1'), 3, (index) => ({ failed: index === 1, name: `sale ${index}` }));
    const page = await show('#/traces?route=sale');
    await page.getByRole('link', { name: 'sale 0' }).waitFor();
    await page.getByText('something failed', { exact: true }).waitFor();
    await page.getByLabel('At least, in ms').fill('50000');
    await page.getByText('No such trace in the last hour.').waitFor();
    expect(page.url()).toContain('minMs=50000');
    await page.getByLabel('At least, in ms').fill('many');
    await page.getByText('minMs: a number from 0').waitFor();
    await page.getByLabel('At least, in ms').fill('');
    await page.getByLabel('Only where something failed').check();
    await page.getByRole('link', { name: 'sale 0' }).waitFor();
    expect(page.url()).toContain('failed=true');
  });

  test('are not read again once that is stopped', async () => {
    const page = await show('#/traces?route=halt&live=false');
    await page.clock.install();
    await page.getByText('No such trace in the last hour.').waitFor();
    await send(id('2'), 1, () => ({ name: 'halt' }));
    const answers: string[] = [];
    page.on('request', (request) => answers.push(request.url()));
    // The page's own clock is not waited for.
    await page.clock.runFor(60_000);
    expect(answers.filter((url) => url.includes('/api/traces'))).toEqual([]);
    await page.getByLabel('Read again').check();
    await page.getByRole('link', { name: 'halt' }).waitFor();
  });

  test('one of thousands of spans is shown by pages, with markup as text', async () => {
    const markup = '<img src=x onerror="document.title=1">';
    await send(id('3'), 5_000, (index) => ({
      ...(index === 1 && { name: markup, text: 'x'.repeat(100_000) }),
      failed: index === 500,
    }));
    const page = await show(`#/traces/${id('3')}`);
    await page.getByText('1 to 200 of 5,000').waitFor();
    expect(await page.locator('.waterfall tbody tr').count()).toBe(200);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByText('201 to 400').waitFor();
    await page.getByRole('button', { name: 'Before' }).click();
    await page.getByRole('button', { name: markup, exact: true }).click();
    await page.getByText('(100,000 characters)').waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(page.url()).toContain(`span=${hex(1)}`);
    await page.getByLabel('Only failed, and what is above').check();
    await page.getByText('failed: timeout').first().waitFor();
    expect(await page.locator('.waterfall tbody tr').count()).toBeLessThan(12);
  });

  test('the page holds as many spans as a collector may ever give it', async () => {
    await send(id('4'), 1);
    const page = await show('#/traces');
    const spans = Array.from({ length: SPANS_MAX }, (_span, index) => ({
      ...{ spanId: hex(index), name: `link ${index}`, kind: 'internal', site: 'azure-eastus' },
      ...(index > 0 && { parentId: hex(index - 1) }),
      ...{ startMs: index, endMs: 10_000 - index, attributes: {}, links: [] },
    }));
    await page.route('**/api/traces/*', (route) => route.fulfill({ json: { traceId: id('4'), spans } }));
    await page.getByLabel('Trace id, or a traceparent').fill(`00-${id('4')}-${hex(1)}-01`);
    await page.getByRole('button', { name: 'Open' }).click();
    const all = SPANS_MAX.toLocaleString('en-GB');
    await page.getByText(`1 to 200 of ${all}`).waitFor();
    await page.getByText(`The collector keeps ${all} spans`).waitFor();
    expect(await page.locator('.waterfall tbody tr').count()).toBe(200);
    await page.getByRole('button', { name: 'Fold all', exact: true }).click();
    await page.getByText(`▸ ${SPANS_MAX - 1}`).waitFor();
    expect(await page.locator('.waterfall tbody tr').count()).toBe(1);
    expect(await overflowOf(page)).toBe(0);
  });

  test('links lead to the other trace, and what is below folds with the keyboard', async () => {
    await send(id('5'), 5, (index) => (index === 2 ? { linked: id('6') } : {}));
    await send(id('6'), 5, (index) => ({ name: `other ${index}` }));
    const page = await show(`#/traces/${id('5')}`);
    const fold = page.getByRole('button', { name: 'What is below step 1: 1' });
    await fold.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'step 4', exact: true }).waitFor({ state: 'detached' });
    expect(await fold.getAttribute('aria-expanded')).toBe('false');
    await page.getByRole('button', { name: 'step 2', exact: true }).click();
    await page.getByRole('region', { name: 'The chosen span' }).getByRole('link').click();
    await page.getByRole('heading', { name: 'other 1' }).waitFor();
  });

  test('are well shown', async () => {
    await send(id('7'), 20, (index) => ({ failed: index === 3 }));
    await isWellShown('#/traces?all=true', 'td');
    await isWellShown(`#/traces/${id('7')}?span=${hex(3)}`, '.span-details');
  });
});

describe('console: traffic', () => {
  const zone = async (): Promise<ZoneState> =>
    (await (await fetch(stack.describe().dns.controlUrl + ZONE_PATH)).json()) as ZoneState;

  /** Cloud → weight, as the DNS server has it. */
  async function weights(): Promise<readonly (number | undefined)[]> {
    const record = (await zone()).zone.records.find(({ name }) => name === NAME);
    const targets = record?.kind === 'routed' ? record.targets : [];
    return ['aws', 'azure'].map((cloud) => targets.find(({ site }) => site === siteOf(cloud).site)?.weight);
  }

  const stands = (wanted: readonly number[]): Promise<true> =>
    waitUntil(`weights of ${wanted.join(' and ')}`, async () =>
      String(await weights()) === String(wanted) ? true : undefined,
    );

  async function answers(): Promise<ReadonlySet<string>> {
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${stack.describe().dns.port}`]);
    const found = new Set<string>();
    for (let count = 0; count < 20; count += 1) for (const at of await resolver.resolve4(NAME)) found.add(at);
    return found;
  }

  async function preview(
    page: Page,
    kind: string,
    fill: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const form = page.getByRole('region', { name: 'Move traffic' });
    await form.locator('[name=kind]').selectOption(kind);
    for (const [name, value] of Object.entries(fill)) await form.locator(`[name=${name}]`).fill(value);
  }

  async function begin(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Show what it would do' }).click();
    await page.getByRole('button', { name: 'Start it …' }).click();
    await page.getByLabel('Why').fill('a test');
    await page.locator('dialog button[type=submit]').click();
  }

  /** Jobs that have ended; one of before may be called alike. */
  async function endedJobs(): Promise<TrafficView['jobs']> {
    const response = await fetch(`${stack.describe().console.url}/api/traffic`);
    const { jobs } = (await response.json()) as TrafficView;
    return jobs.filter(({ endedAt }) => endedAt !== undefined);
  }

  /** @param count Of the jobs that had ended before. @returns Whether all of it was done; the page says the same. */
  async function ended(page: Page, what: string, count: number): Promise<boolean> {
    const job = await waitUntil(`the end of ${what}`, async () => {
      const jobs = await endedJobs();
      return jobs.length > count ? jobs[0] : undefined;
    });
    expect(job.what).toBe(what);
    const shown = page.getByRole('region', { name: 'What was done last' });
    await shown.getByRole('heading', { name: what, exact: true }).waitFor();
    await shown.getByText(job.result ?? '', { exact: true }).waitFor();
    return job.result === 'done';
  }

  async function restoreNow(page: Page): Promise<void> {
    await preview(page, 'restore');
    await page.getByLabel('At once, without gates').check();
    await begin(page);
    await stands([50, 50]);
    await page.getByText('traffic stands as the policy says').waitFor();
  }

  test('is shown as it stands, and a preview changes nothing', async () => {
    const page = await show('#/traffic');
    const table = page.getByRole('region', { name: `How ${NAME} is answered` });
    await table.getByText('healthy').nth(1).waitFor();
    expect(await table.getByText('50 %').count()).toBe(4);
    const { revision } = await zone();
    await preview(page, 'shift', { percent: '0', stepPercent: '10' });
    await page.getByRole('button', { name: 'Show what it would do' }).click();
    await page.getByText('5 steps, each taken only while').waitFor();
    await page.getByText(/\+ aws-us-east-1 .* weight 0/).waitFor();
    expect((await zone()).revision).toBe(revision);
    await page.locator('[name=percent]').fill('100');
    await page.getByRole('button', { name: 'Start it …' }).waitFor({ state: 'detached' });
  });

  test('a shift that is stopped goes back to where it was', async () => {
    const page = await show('#/traffic');
    const { length } = await endedJobs();
    await preview(page, 'shift', { percent: '0', stepPercent: '25', holdSeconds: '600' });
    await begin(page);
    await stands([25, 75]);
    await page.getByText('step 1 of 2').first().waitFor();
    await page.getByRole('button', { name: 'Stop and go back' }).click();
    await page.locator('dialog button[type=submit]').click();
    expect(await ended(page, 'Shift aws-us-east-1 to 0 %', length)).toBe(false);
    expect(await weights()).toEqual([50, 50]);
    expect((await zone()).zone.lock).toBeUndefined();
  });

  test('a drain moves all of it in gated steps, and restore brings it back', async () => {
    const page = await show('#/traffic');
    let isDone = false;
    for (let tries = 0; !isDone && tries < TRIES_MAX; tries += 1) {
      const { length } = await endedJobs();
      await preview(page, 'drain', { stepPercent: '25', holdSeconds: '1' });
      await begin(page);
      await page.getByText('Begun: Drain aws-us-east-1.').waitFor();
      isDone = await ended(page, 'Drain aws-us-east-1', length);
      expect(await weights()).toEqual(isDone ? [0, 100] : [50, 50]);
    }
    expect(isDone).toBe(true);
    expect(await answers()).toEqual(new Set(['127.0.0.3']));
    await page.getByText('aws-us-east-1 stands at 0 %, beside the policy').waitFor();
    // Nobody would be left.
    await page.locator('[name=kind]').selectOption('failover');
    await page.locator('[name=move-site]').selectOption('azure-eastus');
    await page.getByRole('button', { name: 'Show what it would do' }).click();
    await page.getByText(/It would be refused:.*nobody would be served/).waitFor();
    expect(await page.getByRole('button', { name: 'Start it …' }).isDisabled()).toBe(true);
    await restoreNow(page);
    const audit = fs.readFileSync(path.join(stack.dir, 'audit.jsonl'), 'utf8');
    expect(audit).toContain('"path":"/api/traffic/jobs/drain/aws-us-east-1","why":"a test"');
  });

  test('a runbook is tried, then carried out: its effects are at the zone and at the other site', async () => {
    const page = await show('#/traffic');
    const runbook = page.getByRole('article', { name: 'aws-lost' });
    await runbook.getByRole('button', { name: 'Dry run' }).click();
    await runbook.getByText('nothing is changed by this').waitFor();
    await runbook.getByText('pauseReplication: from azure-eastus to aws-us-east-1').waitFor();
    expect(await weights()).toEqual([50, 50]);
    const { length } = await endedJobs();
    await runbook.getByRole('button', { name: 'Carry it out …' }).click();
    await page.locator('dialog button[type=submit]').click();
    await stands([0, 100]);
    expect(await ended(page, 'Runbook aws-lost for aws-us-east-1', length)).toBe(true);
    const isPaused = async (): Promise<boolean | undefined> => {
      const response = await fetch(`${siteOf('azure').url}/replication`);
      const { peers } = (await response.json()) as { peers: readonly { site: string; paused?: boolean }[] };
      return peers.find(({ site }) => site === siteOf('aws').site)?.paused;
    };
    await waitUntil('the other site sends nothing', async () => (await isPaused()) === true || undefined);
    await page
      .getByRole('region', { name: 'Incidents that the zone names' })
      .getByText('open', { exact: true })
      .waitFor();
    await page.getByRole('button', { name: /-aws-lost-aws-us-east-1\.md$/ }).click();
    await page.getByText('# aws-lost: aws-us-east-1').waitFor();
    await runbook.getByLabel('The way back').check();
    await runbook.getByRole('button', { name: 'Dry run' }).click();
    await runbook.getByRole('button', { name: 'Carry it out …' }).click();
    await page.locator('dialog button[type=submit]').click();
    await waitUntil('the other site sends again', async () => (await isPaused()) === false || undefined);
    await ended(page, 'Runbook aws-lost for aws-us-east-1, the way back', length + 1);
    // A gate may have been crossed.
    if (String(await weights()) !== '50,50') await restoreNow(page);
  });

  test('is well shown', async () => {
    await isWellShown('#/traffic', 'article.card');
  });

  test('no page has had an error', async () => {
    await closeAll();
    expect(errors).toEqual([]);
  });
});
