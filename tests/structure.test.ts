/** The arrows between the rooms of the house: none leads upward, and there is no circle, neither of rooms nor of files. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { importedFile, mistakeOf } from '../scripts/lint/arrows.js';
import { isTest, roomOf, ROOMS } from '../scripts/lint/rooms.js';

const ROOT = path.join(import.meta.dirname, '..');
const FOLDERS = ['src', 'dns', 'packages', 'infra', 'scripts'];
const rooms = ROOMS as Readonly<Record<string, readonly string[]>>;

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly to: string | undefined;
}

function sources(): string[] {
  return FOLDERS.flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/')))
      .filter(
        (file) =>
          /\.(?:ts|js|cjs)$/.test(file) && !/(?:^|\/)(?:node_modules|dist)\//.test(file) && !isTest(file),
      ),
  );
}

function importsOf(from: string): Import[] {
  const { importedFiles } = ts.preProcessFile(fs.readFileSync(path.join(ROOT, from), 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => ({
    from,
    specifier: fileName,
    to: importedFile(from, fileName),
  }));
}

/** The nodes of a circle, or undefined. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (node: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...way, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = walk(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

const files = sources();
const imports = files.flatMap(importsOf);

/** The rooms as docs/architecture.md draws them: packages whole, `infra` and the functions in parts. */
function drawnRoom(room: string): string {
  const [first = '', second = ''] = room.split('/');
  return first === 'dns' || first === 'scripts' || second === '' ? first : `${first}/${second}`;
}

/** `a → b` for every arrow that does not follow from others. */
function arrowsOfTheTable(): string[] {
  const graph = new Map<string, Set<string>>();
  for (const [room, allowed] of Object.entries(rooms)) {
    const from = graph.get(drawnRoom(room)) ?? new Set();
    for (const to of allowed.map(drawnRoom)) if (to !== drawnRoom(room)) from.add(to);
    graph.set(drawnRoom(room), from);
  }
  const leadsTo = (from: string, to: string): boolean =>
    [...(graph.get(from) ?? [])].some((next) => next === to || leadsTo(next, to));
  return [...graph].flatMap(([from, all]) =>
    [...all]
      .filter((to) => ![...all].some((other) => other !== to && leadsTo(other, to)))
      .map((to) => `${from} → ${to}`),
  );
}

/** The same from the Mermaid source: `id[path] --> id`; an id without a path is one. */
function drawnArrows(text: string): string[] {
  const block = /## Rooms and arrows[\s\S]*?```mermaid\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const paths = new Map(
    [...block.matchAll(/(\w+)\[([^\]]+)\]/g)].map(([, id = '', name = '']) => [id, name]),
  );
  return [...block.matchAll(/(\w+)(?:\[[^\]]+\])? --> (\w+)/g)].map(
    ([, from = '', to = '']) => `${paths.get(from) ?? from} → ${paths.get(to) ?? to}`,
  );
}

describe('the house', () => {
  test('has a room for every source', () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
  });

  test('has every room that its table names, and names no room twice over', () => {
    expect(Object.keys(rooms).filter((room) => !fs.existsSync(path.join(ROOT, room)))).toEqual([]);
    expect(
      Object.values(rooms).flatMap((allowed) => allowed.filter((room) => rooms[room] === undefined)),
    ).toEqual([]);
  });

  test('has no import that its table does not allow', () => {
    const mistakes = imports.flatMap(({ from, specifier }) => {
      const mistake = mistakeOf(from, specifier);
      return mistake === undefined ? [] : [`${from}: ${mistake}`];
    });
    expect(mistakes).toEqual([]);
    // The check sees something.
    expect(imports.filter(({ to }) => to !== undefined).length).toBeGreaterThan(files.length);
    expect(mistakeOf('packages/emulators/src/sqs/server.ts', '../../../../src/shared/errors.ts')).toMatch(
      /may not/,
    );
    expect(mistakeOf('dns/plan/plan.ts', '../../scripts/smoke.ts')).toMatch(/may not/);
    expect(mistakeOf('src/shared/errors.ts', '../../tests/helpers/call.ts')).toMatch(/knows no tests/);
  });

  test('has no circle of rooms in what is allowed', () => {
    expect(
      circleIn(
        new Map(
          Object.entries(rooms).map(([room, allowed]) => [room, allowed.filter((other) => other !== room)]),
        ),
      ),
    ).toBeUndefined();
    expect(
      circleIn(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['a']],
        ]),
      ),
    ).toEqual(['a', 'b', 'c', 'a']);
  });

  test('is drawn in docs/architecture.md as its table has it', () => {
    const text = fs.readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');
    expect(drawnArrows(text).sort()).toEqual(arrowsOfTheTable().sort());
    expect(arrowsOfTheTable().length).toBeGreaterThan(10);
  });

  test('has no circle of files', () => {
    const graph = new Map(files.map((file) => [file, [] as string[]]));
    for (const { from, to } of imports) if (to !== undefined && graph.has(to)) graph.get(from)?.push(to);
    expect(circleIn(graph)).toBeUndefined();
  });
});
