/**
 * The console's views of replication, conflicts and dead letters, in a real browser against a whole stack: whatever is done in
 * the page is looked for at the sites, by their routes.
 */
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { localFaults } from '@tandem-clouds/local/faults/local-faults';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import {
  launchBrowser,
  openPage,
  overflowOf,
  picture,
  violationsOf,
  type WatchedPage,
} from '../helpers/browser.ts';
import { TestSite } from '../helpers/test-site.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** Of what comes at once, on a busy machine. */
const SHOWN_WITHIN_MS = 90_000;
const MARKUP = `<img src=x onerror="document.title='owned'">`;

let stack: OwnStack;
let browser: Browser;
const open: WatchedPage[] = [];

beforeAll(async () => {
  stack = await startOwnStack('--ephemeral', '--types', 'off', '--log-level', 'warn');
  browser = await launchBrowser();
}, 600_000);

afterAll(async () => {
  for (const page of open) await page.close();
  await browser.close();
  await stack.stop();
});

const sites = (): readonly [StackSite, StackSite] =>
  stack.describe().sites as unknown as [StackSite, StackSite];

/** The console at a view, in a browser that was never here before. */
async function consoleAt(view: string, options: Parameters<typeof openPage>[1] = {}): Promise<WatchedPage> {
  const watched = await openPage(browser, options);
  watched.page.setDefaultTimeout(SHOWN_WITHIN_MS);
  open.push(watched);
  await watched.page.goto(`${stack.describe().console.url}/${view}`);
  await watched.page.getByText('live', { exact: true }).waitFor();
  return watched;
}

async function goTo(page: Page, view: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(view)}`);
}

/** Says yes to what the dialog asks, with a reason. @returns What it said it would do. */
async function confirm(page: Page, act: RegExp): Promise<string> {
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  const will = await dialog.getByRole('list').innerText();
  await dialog.getByRole('textbox').fill('as a test');
  await dialog.getByRole('button', { name: act }).click();
  await dialog.waitFor({ state: 'detached' });
  return will;
}

async function operate<T>({ url }: StackSite, method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}/replication/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${stack.describe().operatorKey}`,
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function create({ url }: StackSite, collection: string, record: object): Promise<void> {
  const response = await fetch(`${url}/${collection}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(record),
  });
  if (response.status !== 201) throw new Error(`${collection}: ${response.status} ${await response.text()}`);
}

/** At both sites. */
async function untilHeld(path: string, isMeant: (record: Record<string, unknown>) => boolean): Promise<void> {
  for (const { site, url } of sites())
    await waitUntil(`${site} has ${path} as it is meant`, async () => {
      const response = await fetch(`${url}/${path}`);
      return (response.ok && isMeant((await response.json()) as Record<string, unknown>)) || undefined;
    });
}

/** Users whom both sites create while nothing crosses: what the first site wrote loses. */
async function conflictsAbout(ids: readonly string[]): Promise<void> {
  const [aws, azure] = sites();
  // A pause is heard of within seconds only.
  const faults = localFaults(stack.dir);
  await faults.impose({ kind: 'partition', site: aws.site, peer: azure.site, both: true });
  for (const site of [aws, azure])
    for (const userId of ids)
      await create(site, 'users', {
        userId,
        name: `${userId} at ${site.cloud}`,
        email: `${userId}@example.com`,
      });
  await faults.liftAll();
  for (const id of ids) await untilHeld(`users/${id}`, ({ name }) => name === `${id} at ${azure.cloud}`);
  for (const site of [aws, azure])
    await waitUntil(`${site.site} has them in its log`, async () => {
      const { items } = await operate<{ items: { record: string; field: string }[] }>(
        site,
        'GET',
        'conflicts?limit=100',
      );
      const names = items.filter(({ field }) => field === 'name').map(({ record }) => record);
      return ids.every((id) => names.includes(`user:${id}`)) || undefined;
    });
}

/** Puts messages into the queue of what arrives at a site. */
async function arriveAt({ cloud, endpoints }: StackSite, bodies: readonly string[]): Promise<void> {
  const at = endpoints;
  if (cloud === 'aws') {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new SQSClient({ endpoint: at['sqs'] ?? '', region: 'us-east-1', credentials });
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: 'tandem-in' }));
    for (const MessageBody of bodies) await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    client.destroy();
    return;
  }
  const client = new ServiceBusClient(at['serviceBus'] ?? '');
  await client.createSender('tandem-in').sendMessages(bodies.map((body) => ({ body })));
  await client.close();
}

interface Cause {
  readonly messages: number;
  readonly ids: readonly string[];
}

async function causesAt(site: StackSite): Promise<readonly Cause[]> {
  return (await operate<{ causes: readonly Cause[] }>(site, 'GET', 'dead-letters')).causes;
}

const lettersAt = async (site: StackSite): Promise<number> =>
  (await causesAt(site)).reduce((sum, { messages }) => sum + messages, 0);

async function untilLetters(site: StackSite, count: number): Promise<void> {
  await waitUntil(
    `${site.site} has ${count} dead letters`,
    async () => (await lettersAt(site)) === count || undefined,
  );
}

describe('the view of replication', () => {
  test('pauses a direction, names the keys that gather, and sends them when it is resumed', async () => {
    const [aws, azure] = sites();
    const { page, errors } = await consoleAt('#/replication');
    const card = page.getByRole('article', { name: `${aws.site} to ${azure.site}` });
    await card.getByRole('button', { name: /^Pause/ }).click();
    expect(await confirm(page, /^Pause$/)).toContain(`${aws.site} sends nothing to ${azure.site}`);
    await card.getByText('paused', { exact: true }).waitFor();
    await card.getByText('Paused since').waitFor();
    const { pauses } = await operate<{ pauses: object[] }>(aws, 'GET', 'pauses');
    expect(pauses).toMatchObject([{ peer: azure.site, paused: true }]);

    await create(aws, 'write', { id: 'gathered-1', data: { n: 1 } });
    await create(aws, 'write', { id: 'gathered-2', data: { n: 2 } });
    await page.getByText('item:gathered-1').waitFor();
    await page.getByLabel('Key has in it').fill('gathered-2');
    await page.getByText('item:gathered-1').waitFor({ state: 'detached' });
    await page.getByText('item:gathered-2').waitFor();
    expect(page.url()).toContain('key=gathered-2');
    expect((await fetch(`${azure.url}/items/gathered-1`)).status).toBe(404);

    await card.getByRole('button', { name: /^Resume/ }).click();
    await confirm(page, /^Resume$/);
    await page.getByText(`${aws.site} sends to ${azure.site} again`).waitFor();
    await card.getByText('open', { exact: true }).waitFor();
    await untilHeld('items/gathered-1', () => true);
    expect(await errors()).toEqual([]);
  });

  test('begins a repair, is left, and finds what came of it', async () => {
    const [aws, azure] = sites();
    const { page, errors } = await consoleAt('#/replication');
    const form = page.getByRole('form', { name: 'Begin a comparison' });
    await form.getByLabel('Site that begins').selectOption(azure.site);
    await form.getByLabel('Repair: send what either lacks').check();
    await form.getByRole('button', { name: 'Repair …' }).click();
    await confirm(page, /^Repair$/);
    await page.getByText(`The comparison of ${azure.site} and ${aws.site} has begun.`).waitFor();
    await goTo(page, '#/');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await goTo(page, '#/replication');
    const found = page.getByRole('article', { name: `Repair of ${azure.site} and ${aws.site}` }).first();
    await found.getByText('the same', { exact: true }).waitFor();
    await found.getByText(`${azure.site} and ${aws.site} hold the same`).waitFor();
    for (const site of [aws, azure])
      await waitUntil(`${site.site} knows it`, async () => {
        const { verifications } = await operate<{ verifications: { from: string; ended: boolean }[] }>(
          site,
          'GET',
          'verifications',
        );
        return verifications.some(({ from, ended }) => from === azure.site && ended) || undefined;
      });
    expect(await errors()).toEqual([]);
  });

  test('begins an inventory and shows what it found', async () => {
    const [, azure] = sites();
    const { page } = await consoleAt('#/replication');
    const card = page.getByRole('article', { name: `Inventory of ${azure.site}` });
    await card.getByLabel('Read all bytes too').check();
    await card.getByRole('button', { name: /^Begin an inventory/ }).click();
    await confirm(page, /^Begin$/);
    await card.getByText('all bytes read').waitFor();
    const { inventories } = await operate<{ inventories: { site: string }[] }>(azure, 'GET', 'inventories');
    expect(inventories.find(({ site }) => site === azure.site)).toMatchObject({ read: true, missing: 0 });
  });
});

describe('the view of conflicts', () => {
  test('shows both versions, says why a value is refused, and makes another one win at both sites', async () => {
    const [aws, azure] = sites();
    await conflictsAbout(['one']);
    const { page, errors } = await consoleAt('#/conflicts?record=user:one');
    await page.getByRole('link', { name: 'user:one name' }).click();
    await page.getByRole('heading', { name: 'user:one, name' }).waitFor();
    const lost = page.getByRole('group', { name: 'Lost:' });
    const won = page.getByRole('group', { name: 'Won:' });
    expect([await lost.innerText(), await won.innerText()]).toEqual(['"one at aws"', '"one at azure"']);
    for (const { site } of [aws, azure])
      await page
        .getByRole('group', { name: `name at ${site}` })
        .getByText('"one at azure"')
        .waitFor();

    const form = page.getByRole('region', { name: 'Override' });
    const write = form.getByRole('button', { name: 'Override …' });
    await form.getByLabel('Another one').check();
    await form.getByLabel('Value, as JSON').fill('half "a value');
    await write.click();
    await form.getByText('It is not JSON').waitFor();
    await form.getByLabel('Value, as JSON').fill('42');
    await write.click();
    await confirm(page, /^Override$/);
    await form.getByText(/\/name must be string/).waitFor();
    expect(await violationsOf(page)).toEqual([]);

    await form.getByLabel('Value, as JSON').fill(JSON.stringify(`Third ${MARKUP}`));
    await form.getByLabel(/^Note/).fill('both were half right');
    await write.click();
    await confirm(page, /^Override$/);
    await page.getByText('overridden', { exact: true }).waitFor();
    await page.getByText('both were half right').waitFor();
    await untilHeld('users/one', ({ name }) => name === `Third ${MARKUP}`);
    for (const { site } of [aws, azure])
      await page
        .getByRole('group', { name: `name at ${site}` })
        .getByText('Third <img')
        .waitFor();
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(await errors()).toEqual([]);
  });

  test('lets all losers win that are shown, and leaves the others alone', async () => {
    await conflictsAbout(['many-1', 'many-2', 'few-1']);
    const { page, errors } = await consoleAt('#/conflicts?record=many-&field=name');
    await page.getByText('2 conflicts shown, of').waitFor();
    await page.getByLabel(/^Note on each entry/).fill('the first site is right');
    await page.getByRole('button', { name: /^Let the losers win: 2 conflicts/ }).click();
    await confirm(page, /^Override 2$/);
    const run = page.getByRole('region', { name: 'Overriding 2 conflicts' });
    await run.getByText('It is over: 2 of 2 done.').waitFor();
    await run.getByText('✓ user:many-1 name: many-1 at aws').waitFor();
    await page.getByText('overridden', { exact: true }).nth(1).waitFor();
    for (const id of ['many-1', 'many-2'])
      await untilHeld(`users/${id}`, ({ name }) => name === `${id} at aws`);
    await untilHeld('users/few-1', ({ name }) => name === 'few-1 at azure');
    await page.getByLabel('State').selectOption('open');
    await page.getByText('None of those that were read is meant by the filters.').waitFor();
    expect(await errors()).toEqual([]);
  });

  test('hides those between equal values until they are asked for', async () => {
    await conflictsAbout(['equal']);
    const { page } = await consoleAt('#/conflicts?record=user:equal');
    await page.getByRole('link', { name: 'user:equal name' }).waitFor();
    const email = page.getByRole('link', { name: 'user:equal email' });
    expect(await email.count()).toBe(0);
    await page.getByLabel('Equal values').selectOption('shown');
    await email.waitFor();
    expect(page.url()).toContain('equal=shown');
  });
});

describe('the view of a hundred thousand conflicts', () => {
  const ALL = 100_000;
  const side = (site: string, value: string): object => ({
    ...{ site, value, stamp: '1-0-a', at: '2026-11-30T12:00:00.000Z' },
  });
  const entry = (at: number): object => ({
    ...{ id: `entry-${at}`, record: at === ALL - 1 ? 'user:the-last' : `user:of-many-${at}`, field: 'name' },
    ...{ reason: 'newer', loser: side('a', `old ${at}`), winner: side('b', `new ${at}`) },
  });

  test('reads on until what is meant has come, says how far it is, and holds a bounded part', async () => {
    const { page, errors } = await consoleAt('#/conflicts?record=nobody-is-called-so');
    let asked = 0;
    await page.route(/\/replication\/conflicts\?/, async (request) => {
      const query = new URL(request.request().url()).searchParams;
      const [from, limit] = [Number(query.get('cursor') ?? 0), Number(query.get('limit'))];
      asked += 1;
      const to = Math.min(ALL, from + limit);
      const items = Array.from({ length: to - from }, (_, at) => entry(from + at));
      await request.fulfill({ json: { items, ...(to < ALL && { cursor: String(to) }) } });
    });
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText(/^Reading, [1-9][\d,]{3,} so far/).waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText(/^0 conflicts shown, of .* read; there are more/).waitFor();
    const stopped = asked;
    await page.getByLabel('Record has in it').fill('the-last');
    expect(asked).toBe(stopped);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('link', { name: 'user:the-last name' }).waitFor();
    await page.getByText(/^1 conflict shown, of 100,000 read\./).waitFor();
    await page.getByText('that were not meant are no longer here').waitFor();
    // All are meant: the page takes what it can hold, and says so.
    await page.getByLabel('Record has in it').fill('');
    await page.waitForURL((url) => !url.hash.includes('record='));
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('20 conflicts shown, of 20 read; there are more.').waitFor();
    expect(await errors()).toEqual([]);
  });
});

describe('the view of dead letters', () => {
  test('shows a body as the text that it is, tries an edited event, and sends it in its place', async () => {
    const [aws, azure] = sites();
    await arriveAt(aws, [`{"half": "${MARKUP}`]);
    await untilLetters(aws, 1);
    const peer = new TestSite(azure.site, [aws.site]);
    peer.nowMs = Date.now();
    await peer.write('item:edited', { data: { n: 2 } });
    const event = JSON.parse(peer.outbox.sent[0]?.body ?? '') as object;

    const { page, errors } = await consoleAt(`#/dead-letters?site=${aws.site}`);
    await page.getByRole('heading', { name: '1 letter of tandem-in, malformed' }).waitFor();
    await page.locator('.ticks a').click();
    await page.getByRole('group', { name: 'Body of the letter' }).getByText('<img src=x').waitFor();
    expect(await page.locator('img[src=x]').count()).toBe(0);

    const edit = page.getByRole('region', { name: 'Edit and replay' });
    const text = edit.getByLabel(/^Event that goes back/);
    const attempt = edit.getByRole('button', { name: 'Try it, and change nothing' });
    await attempt.click();
    await edit.getByText('It is not JSON').waitFor();
    await text.fill(JSON.stringify({ ...event, state: {} }));
    await attempt.click();
    await edit
      .getByText(/\/state/, { exact: false })
      .last()
      .waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await text.fill(JSON.stringify(event));
    await attempt.click();
    await edit.getByText('It is an event. 1 letter would be replayed.').waitFor();
    expect(await lettersAt(aws)).toBe(1);

    await edit.getByRole('button', { name: 'Replay the edited event …' }).click();
    expect(await confirm(page, /^Replay$/)).toContain('the edited event');
    await page.getByText(`It is not among the dead letters of ${aws.site} any more`).waitFor();
    const arrived = await waitUntil('the event is applied', async () => {
      const response = await fetch(`${aws.url}/items/edited`);
      return response.ok ? ((await response.json()) as object) : undefined;
    });
    expect(arrived).toMatchObject({ data: { n: 2 } });
    expect(await lettersAt(aws)).toBe(0);
    expect(await errors()).toEqual([]);
  });

  test('replays by cause, and discards the ones that were chosen and then the rest, at the site that was meant', async () => {
    const [aws, azure] = sites();
    await arriveAt(aws, ['{"n":1}']);
    await arriveAt(azure, ['{"half":', '{"half":2', '{"half":3']);
    await untilLetters(aws, 1);
    await untilLetters(azure, 3);
    const before = (await causesAt(azure)).flatMap(({ ids }) => ids);
    const { page, errors } = await consoleAt('#/dead-letters?rate=2');
    const here = page.getByRole('region', { name: `Dead letters of ${azure.site}` });
    await here.getByRole('button', { name: /^Replay all/ }).click();
    expect(await confirm(page, /^Replay$/)).toContain('At most 2 letters a second');
    await page.getByText('It is over: 3 of 3 done.').waitFor();
    // They fail again, as new letters.
    await waitUntil('they are back', async () => {
      const ids = (await causesAt(azure)).flatMap((cause) => cause.ids);
      return (ids.length === 3 && ids.every((id) => !before.includes(id))) || undefined;
    });

    await page.getByRole('button', { name: 'Look again' }).click();
    await here.getByRole('heading', { name: '3 letters of tandem-in, malformed' }).waitFor();
    const [first = ''] = (await causesAt(azure)).flatMap(({ ids }) => ids);
    await here.getByLabel(`Choose ${first}`).check();
    await here.getByRole('button', { name: 'Discard 1 chosen …' }).click();
    await confirm(page, /^Discard$/);
    await here.getByRole('heading', { name: '2 letters of tandem-in, malformed' }).waitFor();
    const left = (await causesAt(azure)).flatMap(({ ids }) => ids);
    expect([left.length, left.includes(first)]).toEqual([2, false]);

    await here.getByRole('button', { name: /^Discard all/ }).click();
    await confirm(page, /^Discard$/);
    await here.getByText('No dead letters.').waitFor();
    expect([await lettersAt(azure), await lettersAt(aws)]).toEqual([0, 1]);
    await operate(aws, 'POST', 'dead-letters/discard', { all: true });
    expect(await errors()).toEqual([]);
  });

  test('stops when that is asked for, and what was not reached stays', async () => {
    const [, azure] = sites();
    await arriveAt(
      azure,
      Array.from({ length: 6 }, (_, index) => `{"half":${index}`),
    );
    await untilLetters(azure, 6);
    const { page } = await consoleAt(`#/dead-letters?rate=1&site=${azure.site}`);
    await page.getByRole('button', { name: /^Discard all/ }).click();
    await confirm(page, /^Discard$/);
    // Found again where another view was shown meanwhile.
    await goTo(page, '#/conflicts');
    await goTo(page, `#/dead-letters?rate=1&site=${azure.site}`);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText(/It was stopped: \d of 6 done/).waitFor();
    expect(await lettersAt(azure)).toBeGreaterThan(0);
    await operate(azure, 'POST', 'dead-letters/discard', { all: true });
  });
});

describe.each([
  ['light', 360],
  ['light', 1_400],
  ['dark', 360],
  ['dark', 1_400],
] as const)('every view in %s at %i pixels', (colorScheme, width) => {
  test('has nothing that axe-core objects to, and nothing beside the window', async () => {
    const [aws] = sites();
    const letters = await lettersAt(aws);
    if (letters === 0) await arriveAt(aws, [`{"half": "${MARKUP.repeat(200)}`]);
    await untilLetters(aws, Math.max(1, letters));
    const [letter = ''] = (await causesAt(aws)).flatMap(({ ids }) => ids);
    const { items } = await operate<{ items: { id: string }[] }>(aws, 'GET', 'conflicts?limit=1');
    const { page, errors } = await consoleAt('#/', { colorScheme, width });
    const look = async (name: string, view: string, ready: string): Promise<void> => {
      await goTo(page, view);
      await page.locator(ready).first().waitFor();
      await picture(page, `console-${name}-${colorScheme}-${width}`);
      expect({ name, violations: await violationsOf(page), overflow: await overflowOf(page) }).toEqual({
        name,
        violations: [],
        overflow: 0,
      });
    };
    await look('replication', '#/replication', '.card dl');
    await look('conflicts', '#/conflicts?equal=shown', 'td a');
    await look('conflicts-none', '#/conflicts?record=nowhere', 'main p.muted');
    await look('conflict', `#/conflicts/${items[0]?.id}`, '#override');
    await look('letters', '#/dead-letters', '.ticks a');
    await look('letter', `#/dead-letters/${aws.site}/${letter}`, '#edit');
    await page.getByRole('button', { name: 'Discard …' }).click();
    await page.getByRole('dialog').waitFor();
    await look('letter-dialog', `#/dead-letters/${aws.site}/${letter}`, 'dialog');
    expect(await errors()).toEqual([]);
  });
});

test('a site that does not answer is shown as such, and the other one goes on', async () => {
  const [aws, azure] = sites();
  const { page } = await consoleAt('#/');
  const { pid } = aws;
  if (pid === null) throw new Error('it is not running');
  process.kill(pid, 'SIGSTOP');
  try {
    await page.getByText(`${aws.site} does not answer`).first().waitFor();
    await goTo(page, '#/replication');
    const card = page.getByRole('article', { name: `${aws.site} to ${azure.site}` });
    await card.getByText('does not answer').waitFor();
    await page
      .getByRole('article', { name: `Inventory of ${azure.site}` })
      .getByRole('button')
      .waitFor();
    await goTo(page, '#/dead-letters');
    const here = page.getByRole('region', { name: `Dead letters of ${azure.site}` });
    await here.getByText('No dead letters.').waitFor();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});
