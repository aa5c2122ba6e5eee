/** `tandem schema check` and what a rollout asks, against files, the history, and sites on loopback. */
import fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { PROGRAM } from '../../../scripts/commands/program.ts';
import { refuseBreaking } from '../../../scripts/rollout/schema-gate.ts';
import { readDescription, SCHEMA_FILE } from '../../../scripts/schema/describe.ts';
import { scanEntity } from '../../../scripts/schema/scan.ts';
import { pageSizeMax } from '../../../src/shared/bounds.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import { closeAfterEach } from '../../helpers/cleanup.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const NOW = fs.readFileSync(path.join(ROOT, SCHEMA_FILE), 'utf8');
const later = closeAfterEach();

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-schema-'));
});
afterEach(() => {
  fs.rmSync(dir, { recursive: true });
});

/** What is declared today, where names were longer before. */
const LONGER = JSON.stringify(
  JSON.parse(NOW, (key, value: unknown): unknown =>
    key === 'user' ? JSON.parse(JSON.stringify(value).replace('"maxLength":200', '"maxLength":201')) : value,
  ),
);

function fileOf(text: string): string {
  const file = path.join(dir, 'schema.json');
  fs.writeFileSync(file, text);
  return file;
}

async function run(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const result = { status: 0, out: '', err: '' };
  result.status = await runProgram(
    PROGRAM,
    ['schema', 'check', ...words],
    {
      out: (text) => void (result.out += text),
      err: (text) => void (result.err += text),
      isTerminal: false,
      colour: false,
      signal: new AbortController().signal,
    },
    { resolve: (given) => path.resolve(dir, given) },
  );
  return result;
}

/** A site with these lists: path with its query → answer. */
async function siteWith(answers: Readonly<Record<string, object>>): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const found = answers[url];
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('schema check', () => {
  test('finds nothing where nothing has changed', async () => {
    const { status, out } = await run('--against', fileOf(NOW));
    expect([status, out]).toEqual([0, `Compared with file ${dir}/schema.json: nothing has changed.\n`]);
  });

  test('refuses a breaking change with the way to do it, unless it is named', async () => {
    fileOf(LONGER);
    const refused = await run('--against', 'schema.json');
    expect(refused.status).toBe(1);
    expect(refused.out).toContain('BREAKING: user.fields.name.maxLength was 201 and is 200');
    expect(refused.out).toContain('release 2: narrow it');
    const allowed = await run(
      '--against',
      'schema.json',
      '--allow-breaking',
      'user.fields.name.maxLength',
      '--json',
    );
    expect(allowed.status).toBe(0);
    expect(JSON.parse(allowed.out)).toMatchObject({
      against: 'file schema.json',
      changes: [{ kind: 'breaking', place: 'user.fields.name.maxLength' }],
      refused: [],
      stored: [],
    });
  });

  test.each([
    [['--against', 'nowhere'], "--against: 'nowhere' is no file, no release"],
    [['--against', '--output=x'], '--against'],
    [['--allow-breaking', 'user'], "there is no breaking change at 'user'"],
    [['--entity', 'user'], '--entity is for --site'],
    [['--site', 'http://127.0.0.1:1', '--cursor', 'x'], '--cursor is for --entity'],
  ])('is a wrong command line with %j', async (words, message) => {
    const { status, err } = await run(...words);
    expect(status).toBe(2);
    expect(err).toContain(message);
  });

  test('refuses a file that is no description', async () => {
    const { status, err } = await run('--against', fileOf('{}'));
    expect([status, err]).toEqual([2, expect.stringContaining('format 1')]);
  });

  test('counts stored records of a site that break a declaration, by field, with keys and without values', async () => {
    const good = { id: 'u1', userId: 'u1', name: 'Ada', email: 'ada@example.com', labels: [], signIns: 0 };
    const site = await siteWith({
      '/health': { version: 'unreleased' },
      [`/users?limit=${pageSizeMax}`]: {
        items: [good, { ...good, id: 'u2', name: 'x'.repeat(201) }],
        cursor: 'a',
      },
      [`/users?limit=${pageSizeMax}&cursor=a`]: {
        items: [{ ...good, id: 'u3', email: 'secret' }],
        unreadable: ['u4'],
      },
    });
    const { status, out } = await run('--site', site);
    expect(status).toBe(1);
    expect(out).toContain('user: 3 records were read; of them break it:');
    expect(out).toMatch(/name +maxLength +1 +u2\n/);
    expect(out).toMatch(/email +format +1 +u3\n/);
    expect(out).toContain('1 cannot be read at this site');
    expect(out).not.toContain('secret');
    const part = await run('--site', site, '--records', '1', '--entity', 'user');
    expect(part.out).toContain('there are more: --entity user --cursor a');
    const rest = await run('--site', site, '--entity', 'user', '--cursor', 'a', '--json');
    expect(JSON.parse(rest.out)).toMatchObject({
      stored: [{ records: 1, broken: [{ field: 'email', examples: ['u3'] }] }],
    });
  });

  test('fails where a site does not answer, or runs a release that is not kept', async () => {
    const gone = await siteWith({});
    expect(await run('--site', gone)).toMatchObject({ status: 1, err: expect.stringContaining('/health') });
    const other = await siteWith({ '/health': { version: '0.0.0-of-nobody' } });
    expect((await run('--site', other)).err).toContain('runs 0.0.0-of-nobody, and .artifacts/releases');
  });
});

describe('a scan', () => {
  const fields = {
    code: { type: 'string', readableBy: ['staff'] },
    email: { type: 'string' },
    places: { type: 'integer', default: 1 },
  } as const;
  const seat = defineEntity({
    name: 'seat',
    collection: 'seats',
    idField: 'seatId',
    description: 'A seat',
    required: ['code', 'email', 'places'],
    unique: ['email'],
    fields,
    example: { code: 'c', email: 'e' },
  });

  test('counts what is missing and what is shared; a default is not missing, nor what the caller may not see', async () => {
    const url = await siteWith({
      [`/seats?limit=${pageSizeMax}`]: {
        items: [{ id: 'a', email: 'x' }, { id: 'b', email: 'x', places: 'two' }, { id: 'c' }],
      },
    });
    const { broken } = await scanEntity(seat, { url, cursor: undefined, recordsMax: 10 });
    expect(broken.map(({ field, rule, examples }) => [field, rule, ...examples].join(' ')).sort()).toEqual([
      'email required c',
      'email unique b',
      'places type b',
    ]);
  });

  test('says so where the site has no such entity', async () => {
    const url = await siteWith({});
    expect(await scanEntity(seat, { url, cursor: undefined, recordsMax: 10 })).toMatchObject({
      served: false,
    });
  });
});

describe('a rollout', () => {
  const kept: Readonly<Record<string, string>> = { new: NOW, same: NOW, old: LONGER };
  const plan = (...previous: (string | undefined)[]) => ({
    release: 'new',
    sites: previous.map((version, at) => ({ site: `s${at}`, other: 'x', previous: version })),
  });
  const asked = (of: ReturnType<typeof plan>, allowed: readonly string[] = []): readonly string[] =>
    refuseBreaking(of, allowed, (version) => kept[version]);

  test('is refused before it touches a site, when the new release breaks what one of them runs', () => {
    expect(asked(plan('same', 'same'))).toEqual([]);
    expect(() => asked(plan('same', 'old'))).toThrow(/new breaks what runs; .*\n.*name\.maxLength was 201/);
    expect(asked(plan('same', 'old'), ['user.fields.name.maxLength'])).toEqual([]);
  });

  test('says what it could not compare', () => {
    expect(asked(plan('older', undefined))).toEqual([
      'older does not say what it declares: not compared with it',
      'what runs from the sources does not say what it declares: not compared with it',
    ]);
    expect(asked({ ...plan('same'), release: 'other' })).toEqual([
      'other does not say what it declares: not compared with what runs',
    ]);
  });
});

test('the release that was deployed everywhere says what it declares', () => {
  const file = 'tests/fixtures/previous-release.schema.json';
  expect(readDescription(fs.readFileSync(path.join(ROOT, file), 'utf8'), file).entities).toHaveProperty(
    'user',
  );
});

describe('docs/schema.md', () => {
  const page = fs.readFileSync(path.join(ROOT, 'docs/schema.md'), 'utf8');
  const blocksOf = (language: string): readonly string[] =>
    page
      .split(/^```/m)
      .filter((block) => block.startsWith(`${language}\n`))
      .map((block) => block.slice(language.length + 1));
  const commands = blocksOf('sh').flatMap((block) => block.trim().split('\n'));

  test.each(commands)('%s', async (line) => {
    const [, words = ''] = /^npm run tandem -- schema check ?(.*)$/.exec(line) ?? [
      line,
      'is another command',
    ];
    const site = await siteWith({
      '/health': { version: 'unreleased' },
      [`/users?limit=${pageSizeMax}`]: { items: [] },
    });
    const given = words.replace('http://127.0.0.1:3000', site).split(' ').filter(Boolean);
    const { status, out, err } = await run(...given);
    // Of a change in progress there may be something to report; it is no usage mistake, and no defect.
    expect([0, 1]).toContain(status);
    expect(err).toBe('');
    expect(out).toMatch(/^Compared with /);
  });

  test('has examples that can be declared', () => {
    const examples = blocksOf('ts');
    expect(commands.length + examples.length).toBeGreaterThan(3);
    for (const example of examples) {
      const declared = vm.runInNewContext(`({ ${example} })`) as object;
      const entity = {
        name: 'b',
        collection: 'bs',
        idField: 'bId',
        description: 'x',
        example: { title: 'x' },
      };
      expect(() => defineEntity(structuredClone({ ...entity, ...declared }) as never)).not.toThrow();
    }
  });
});
