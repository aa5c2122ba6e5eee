/** The process that generates and resolves, when it does neither. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Workshop } from '../../src/code/workshop.ts';

/** Answers with the region; `wait` it never does, `end` ends it. */
const MAIN = `
process.on('message', ({ id, region }) => {
  if (region === 'end') process.exit(3);
  if (region !== 'wait') process.send({ id, result: region });
});
`;

let dir: string;
let workshop: Workshop | undefined;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-workshop-'));
  fs.writeFileSync(path.join(dir, 'main.mjs'), MAIN);
});

afterEach(async () => {
  await workshop?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

const open = (answeredWithinMs?: number): Workshop =>
  (workshop = new Workshop({
    projectDir: dir,
    env: {},
    main: path.join(dir, 'main.mjs'),
    ...(answeredWithinMs !== undefined && { answeredWithinMs }),
  }));

test('that does not answer in time is ended', async () => {
  const asked = open(1);
  await expect(asked.resolve('file', 'wait')).rejects.toThrow('to resolve takes longer than 0.001 s');
  expect(asked.pid).toBeUndefined();
});

test('that ends fails what it was asked, and the next question has another one', async () => {
  const asked = open();
  const waits = asked.resolve('file', 'wait');
  const ends = asked.resolve('file', 'end');
  await expect(waits).rejects.toThrow('exit code 3');
  await expect(ends).rejects.toThrow('exit code 3');
  expect(await asked.resolve('file', 'again')).toBe('again');
});

test('that is warmed stays for the first question; what was used already is not warmed', async () => {
  const asked = open();
  await asked.warm();
  const { pid } = asked;
  expect(pid).toBeDefined();
  await asked.warm();
  expect(await asked.resolve('file', 'here')).toBe('here');
  expect(asked.pid).toBe(pid);
});

test('that cannot be warmed says why when it is used', async () => {
  fs.writeFileSync(path.join(dir, 'main.mjs'), "process.on('message', () => process.exit(4));");
  const asked = open();
  await asked.warm();
  expect(asked.pid).toBeUndefined();
  await expect(asked.generate()).rejects.toThrow('exit code 4');
});

test('that has ended already is stopped at once', async () => {
  const asked = open();
  await expect(asked.resolve('file', 'end')).rejects.toThrow('exit code 3');
  await asked.stop();
  await expect(asked.resolve('file', 'here')).rejects.toThrow('the stack ends');
});
