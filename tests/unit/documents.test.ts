/** The documents name only what is there: relative links, their anchors, and repository paths in back-ticks. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOMS } from '../../scripts/lint/rooms.js';

const ROOT = path.join(import.meta.dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');

/** What git has, or would take: a new page may name a new file. */
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && fs.existsSync(path.join(ROOT, file)));
const FOLDERS = new Set(
  FILES.flatMap((file) => {
    const parts = file.split('/').slice(0, -1);
    return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
  }),
);
const PATHS = [...FILES, ...FOLDERS];
const TOP = new Set(PATHS.filter((name) => !name.includes('/')));

/** Reports of drills are output, kept as it was written. */
const DOCUMENTS = FILES.filter(
  (file) =>
    /^(?:README|CONTRIBUTING|SECURITY|docs\/.*)\.md$|\/README\.md$/.test(file) &&
    !/^docs\/drills\/\d/.test(file),
);

const withoutBlocks = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, '');

/** `a/{b,c}.ts` → `a/b.ts`, `a/c.ts`. */
function expanded(name: string): string[] {
  const [, before = '', list, after = ''] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(name) ?? [];
  return list === undefined ? [name] : list.split(',').flatMap((part) => expanded(before + part + after));
}

/**
 * From the root when it begins there, otherwise the end of a path: `apply.ts`, `adapters/aws/item.ts`.
 * @param folder What the README of a package also counts from.
 */
function exists(name: string, folder = ''): boolean {
  const wanted = name.replace(/\/$/, '');
  const pattern = wanted.replaceAll(/[.+^$()[\]\\]/g, String.raw`\$&`).replaceAll('*', '[^/]*');
  const fromRoot = TOP.has(wanted.split('/')[0] ?? '');
  const matches = new RegExp(`${fromRoot ? '^' : '(?:^|/)'}${pattern}$`);
  const fromFolder = new RegExp(`^${folder}/${pattern}$`);
  return PATHS.some((file) => matches.test(file) || (folder !== '' && fromFolder.test(file)));
}

/** Of all that is in back-ticks only what can be nothing else than a path of this repository. */
function pathsIn(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\s]+)`/g)]
    .map(([, name = '']) => name.replace(/:\d+$/, ''))
    .filter((name) => /^[\w.*-]+(?:\/[\w.*{},-]+)*\/?$/.test(name.replaceAll(/\{[^}]*\}/g, 'x')))
    .filter((name) => {
      const [first = ''] = name.split('/');
      return (name.includes('/') && FOLDERS.has(first)) || /[\w*}-]\.(?:ts|mmd|kql|tla)$/.test(name);
    })
    .flatMap(expanded);
}

/** Written by a command when there is something to write. */
const MADE_LATER: ReadonlySet<string> = new Set([
  'docs/incidents',
  // By whoever follows docs/entity.md.
  'src/shared/entities/booking.ts',
  'src/handlers/entities/bookings.ts',
  'tests/unit/entities/booking.test.ts',
  // By whoever follows docs/routes.md.
  'src/shared/routes/subscriptions.ts',
  'src/handlers/routes',
]);

/** As GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(file: string): string[] {
  return [...withoutBlocks(read(file)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [target = '', anchor] = link.split('#');
      const name = target === '' ? file : path.posix.join(path.posix.dirname(file), target);
      if (!PATHS.includes(name.replace(/\/$/, ''))) return true;
      return anchor !== undefined && name.endsWith('.md') && !anchorsOf(read(name)).includes(anchor);
    });
}

describe('a document', () => {
  test('is found at all, and a check can fail', () => {
    expect(DOCUMENTS).toEqual(expect.arrayContaining(['README.md', 'docs/deliverables.md']));
    expect(pathsIn('`src/{a,b}.ts` and `scripts/gone.ts`, `no path`, `gone-too.ts`')).toEqual([
      'src/a.ts',
      'src/b.ts',
      'scripts/gone.ts',
      'gone-too.ts',
    ]);
    expect(['scripts/gone.ts', 'gone-too.ts', 'replication/apply.ts'].filter((name) => exists(name))).toEqual(
      [],
    );
    expect(
      ['replication/src/apply.ts', 'tests/*/bridge.test.ts', 'src/bridge/'].filter((name) => exists(name)),
    ).toHaveLength(3);
    expect(anchorsOf('# What is guaranteed, and `what` is not')).toEqual([
      'what-is-guaranteed-and-what-is-not',
    ]);
  });

  test.each(DOCUMENTS)('%s: its links lead somewhere', (file) => {
    expect(brokenLinks(file)).toEqual([]);
  });

  test.each(DOCUMENTS)('%s: the paths that it names exist', (file) => {
    expect(
      pathsIn(read(file)).filter((name) => !exists(name, path.posix.dirname(file)) && !MADE_LATER.has(name)),
    ).toEqual([]);
  });
});

/** House words that the field has a word for (docs/glossary.md). Code, quotes and the log's own lines are not ours to change. */
const RETIRED =
  /\b(?:stand-ins?|sets? aside|told|tells?|arenas?|crowds?|burials?|buried|bury|unsayable|set off by|(?<!dead-)(?<!dead )letters?)\b/gi;

const ownWords = (text: string): string =>
  withoutBlocks(text)
    .replaceAll(/`[^`]*`/g, '')
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\]\([^)]*\)/g, ']');

describe("words that are not the field's", () => {
  test('are found where they are', () => {
    expect(ownWords('a stand-in, `told`, "a letter", [x](told.md), a dead letter').match(RETIRED)).toEqual([
      'stand-in',
    ]);
  });

  // The pages of the emulators are generated from what the code says.
  test.each(DOCUMENTS.filter((file) => !file.startsWith('docs/emulators/')))('%s has none', (file) => {
    expect(ownWords(read(file)).match(RETIRED) ?? []).toEqual([]);
  });
});

describe('the map in README.md', () => {
  const map = /```text\n([\s\S]*?)```/.exec(read('README.md'))?.[1]?.trimEnd().split('\n') ?? [];
  const places = map.map((line) => line.split(' ')[0] ?? '');

  test('has at most twenty lines, and every place is there', () => {
    expect(places.length).toBeGreaterThan(10);
    expect(places.length).toBeLessThanOrEqual(20);
    expect(places.filter((place) => !FOLDERS.has(place))).toEqual([]);
  });

  test('leads to every room', () => {
    const rooms = Object.keys(ROOMS);
    expect(
      rooms.filter((room) => !places.some((place) => room === place || room.startsWith(`${place}/`))),
    ).toEqual([]);
  });
});

test('CHANGELOG.md begins with the version that every package has', () => {
  const versions = FILES.filter((file) => /^(?:packages\/[\w-]+\/)?package\.json$/.test(file)).map(
    (file) => (JSON.parse(read(file)) as { version: string }).version,
  );
  expect(versions.length).toBeGreaterThan(6);
  const [, newest] = /^## (\S+)$/m.exec(read('CHANGELOG.md')) ?? [];
  expect([...new Set(versions)]).toEqual([newest]);
});
