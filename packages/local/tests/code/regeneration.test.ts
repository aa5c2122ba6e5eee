/** When what follows from the declarations is generated, while a stack runs. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Regeneration } from '../../src/code/regeneration.ts';

let dir: string;
let generations: number;
let generate: () => readonly string[];
let regeneration: Regeneration;

const write = (file: string, text: string): void => {
  fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
  fs.writeFileSync(path.join(dir, file), text);
};

const open = (): Regeneration =>
  new Regeneration({
    projectDir: dir,
    cacheDir: path.join(dir, 'cache'),
    workshop: {
      generate: () => {
        generations += 1;
        return Promise.resolve().then(() => ({
          written: generate(),
          inputs: ['src/rules.ts', 'src/entities.ts'],
        }));
      },
    },
  });

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-regeneration-'));
  for (const folder of [
    'packages/replication/src',
    'packages/emulators/src',
    'scripts/generate',
    'scripts/schema',
  ])
    fs.mkdirSync(path.join(dir, folder), { recursive: true });
  write('src/rules.ts', '1');
  generations = 0;
  generate = () => [];
  regeneration = open();
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

test('at the start, unless it is known that there is nothing to write; after changes of what it was made by', async () => {
  await regeneration.atStart();
  expect(generations).toBe(1);
  regeneration = open();
  await regeneration.atStart();
  await regeneration.after(['src/handlers/region.ts', 'serverless.aws.yml']);
  expect(generations).toBe(1);
  await regeneration.after(['src/rules.ts']);
  expect(generations).toBe(2);
  await regeneration.after(['src/shared/entities/film.ts']);
  expect(generations).toBe(3);
});

test('one that failed is done with the next change, whatever that is of', async () => {
  await regeneration.atStart();
  generate = () => {
    throw new Error(`${dir}/src/new.ts:1:1: no such field`);
  };
  await expect(regeneration.after(['src/rules.ts'])).rejects.toThrow(/^src\/new\.ts:1:1: no such field$/);
  generate = () => {
    write('src/handlers/entities/films.ts', '1');
    return ['src/handlers/entities/films.ts'];
  };
  expect(await regeneration.after(['src/new.ts'])).toEqual(['src/handlers/entities/films.ts']);
  expect(await regeneration.after(['src/new.ts'])).toEqual([]);
});

test('what it has written itself is no change, until somebody else writes it', async () => {
  const file = 'src/handlers/entities/films.ts';
  generate = () => {
    write(file, '1');
    return [file];
  };
  await regeneration.after(['src/shared/entities/film.ts']);
  expect(regeneration.isOwnWriting(file)).toBe(true);
  fs.utimesSync(path.join(dir, file), 1, 1);
  expect(regeneration.isOwnWriting(file)).toBe(false);
});
