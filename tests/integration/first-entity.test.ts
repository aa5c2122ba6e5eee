/** What docs/entity.md and docs/routes.md tell people to do, done: their own lines, against a stack that runs, on other ports. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CopiedStack, startCopiedStack } from '../helpers/project-copy.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const page = (name: string): string =>
  fs.readFileSync(path.join(import.meta.dirname, '../../docs', name), 'utf8');
const PAGE = page('entity.md');
const ROUTES_PAGE = page('routes.md');
const ROUTES_FILE = 'src/shared/routes/subscriptions.ts';
const FILE = 'src/shared/entities/booking.ts';
const DONE_WITHIN_MS = 280_000;

const block = (language: string, nth: number, text = PAGE): string =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))][nth]?.[1] ?? '';

let copy: CopiedStack;

beforeAll(async () => {
  copy = await startCopiedStack('--types', 'off');
});

afterAll(async () => {
  await copy.stop();
});

/** A line as it is typed where the ports are others, and npm is this Node. */
async function type(line: string): Promise<string> {
  const port = (cloud: string): string =>
    new URL(copy.stack.sites.find((site) => site.cloud === cloud)?.url ?? '').port;
  const here = line
    .replaceAll(':3000', `:${port('aws')}`)
    .replaceAll(':7071', `:${port('azure')}`)
    .replace('npm run tandem --', `'${process.execPath}' scripts/tandem.ts`)
    .replace('curl -i', 'curl -sS -i');
  const { stdout } = await promisify(execFile)('sh', ['-c', here], { cwd: copy.dir });
  return stdout;
}

test(
  'new entity writes a file, and both sites serve it',
  async () => {
    expect(await type(block('sh', 0))).toContain(`wrote ${FILE}`);
    await waitUntil('the line', () => /^Changed after .*/m.test(copy.output()) || undefined, DONE_WITHIN_MS);
    await everySite(200);
  },
  DONE_WITHIN_MS,
);

test(
  'what the page says that a booking is can be written at one and changed at the other',
  async () => {
    copy.write(FILE, block('ts', 0));
    await waitUntil(
      'the contract has it',
      () => fs.readFileSync(path.join(copy.dir, 'openapi.yaml'), 'utf8').includes('customerId') || undefined,
      DONE_WITHIN_MS,
    );
    const [create = '', read = '', change = '', list = ''] = block('sh', 1)
      .replaceAll(/\\\n\s*/g, '')
      .trim()
      .split('\n');
    // The sites take it a moment later: until then the field is unknown.
    await waitUntil(
      'it is written',
      async () => (await type(create)).includes('201 Created') || undefined,
      DONE_WITHIN_MS,
    );
    await waitUntil(
      'it is at the other',
      async () => (await type(read)).includes('"hedy"') || undefined,
      DONE_WITHIN_MS,
    );
    expect(await type(change)).toMatch(/ 200 [^]*"seats":2/);
    await waitUntil(
      'both changes',
      async () => (await type(list)).includes('"seats":2') || undefined,
      DONE_WITHIN_MS,
    );
  },
  DONE_WITHIN_MS,
);

test(
  'what the page says about mistakes is what a person sees',
  async () => {
    const wrong = block('ts', 0)
      .replace("['title', 'customerId']", "['title', 'customer']")
      .replace("title: 'Pottery on Friday'", 'title: 7');
    copy.write(FILE, wrong);
    const lines = block('text', 0).trim().split('\n');
    expect(lines).toHaveLength(2);
    const report = lines.map((line) => `    ${line}\n`).join('');
    await waitUntil('the report', () => copy.output().includes(report) || undefined, DONE_WITHIN_MS);
    await everySite(200);
  },
  DONE_WITHIN_MS,
);

test(
  'and without the file nothing is left of it',
  async () => {
    fs.rmSync(path.join(copy.dir, FILE));
    await everySite(404);
    expect(fs.existsSync(path.join(copy.dir, 'src/handlers/entities/bookings.ts'))).toBe(false);
  },
  DONE_WITHIN_MS,
);

test(
  "a route that is no entity's is one file, too, and both sites serve it",
  async () => {
    copy.write(ROUTES_FILE, block('ts', 0, ROUTES_PAGE));
    await everySite(200, '/subscriptions/tea');
    const [user = '', subscribe = '', count = '', unknown = ''] = block('sh', 0, ROUTES_PAGE)
      .trim()
      .split('\n');
    expect(await type(user)).toContain('201 Created');
    expect(await type(subscribe)).toMatch(/ 200 [^]*"labels":\["tea"\]/);
    await waitUntil(
      'the other counts it',
      async () => (await type(count)).includes('"subscribers":1') || undefined,
      DONE_WITHIN_MS,
    );
    expect(await type(unknown)).toMatch(/ 404 [^]*"code":"no_such_topic"/);
    expect(fs.readFileSync(path.join(copy.dir, 'openapi.yaml'), 'utf8')).toMatch(
      /operationId: subscribe\n[^]*x-tandem-repeat: elsewhere/,
    );
  },
  DONE_WITHIN_MS,
);

test(
  'what the page says about mistakes in routes is what a person sees',
  async () => {
    copy.write(
      ROUTES_FILE,
      block('ts', 0, ROUTES_PAGE)
        .replace("name: 'subscriptions'", "name: 'users'")
        .replaceAll("'/subscriptions/", "'/users/")
        .replace("user: 'write'", "user: 'delete'"),
    );
    const lines = block('text', 0, ROUTES_PAGE).trim().split('\n');
    expect(lines).toHaveLength(2);
    await waitUntil(
      'the report',
      () => lines.every((line) => copy.output().includes(`    ${line}\n`)) || undefined,
      DONE_WITHIN_MS,
    );
    await everySite(200, '/subscriptions/tea');
    fs.rmSync(path.join(copy.dir, ROUTES_FILE));
    await everySite(404, '/subscriptions/tea');
    expect(fs.existsSync(path.join(copy.dir, 'src/handlers/routes/subscriptions.ts'))).toBe(false);
  },
  DONE_WITHIN_MS,
);

async function everySite(status: number, route = '/bookings'): Promise<void> {
  await waitUntil(
    `${route} is ${status} at both`,
    async () => {
      const responses = await Promise.all(copy.stack.sites.map(({ url }) => fetch(url + route)));
      return responses.every((response) => response.status === status) || undefined;
    },
    DONE_WITHIN_MS,
  );
}
