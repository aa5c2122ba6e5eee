/** A search that finds nothing is worth something only when it can find. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { filesWith, plant, processesWith } from '../../scripts/rehearse/secrets.ts';

let folder: string;
const secret = plant('test');

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'secrets-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

/** An archive with one compressed file. */
function zip(name: string, content: string): Buffer {
  const data = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(data.length, 20);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + name.length + data.length, 16);
  return Buffer.concat([local, Buffer.from(name), data, entry, Buffer.from(name), end]);
}

test('finds a secret in a file of a folder below, and in a file of an archive', () => {
  fs.mkdirSync(path.join(folder, 'below'));
  fs.writeFileSync(path.join(folder, 'below/log.txt'), `token: ${secret}\n`);
  fs.writeFileSync(path.join(folder, 'clean.txt'), 'nothing here');
  fs.writeFileSync(path.join(folder, 'package.zip'), zip('index.js', `x = '${secret}'`.repeat(20)));

  expect(filesWith([secret], folder)).toEqual([
    path.join(folder, 'below/log.txt'),
    `${path.join(folder, 'package.zip')}: index.js`,
  ]);
});

const listed = fs.existsSync('/proc/self/cmdline') ? test : test.skip;
listed('finds a secret in the command line of a process, not in its environment', async () => {
  const wait = 'console.log(1); setInterval(() => undefined, 1000)';
  const start = (args: readonly string[], env: NodeJS.ProcessEnv) =>
    spawn(process.execPath, ['-e', wait, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const children = [start([secret], {}), start([], { SECRET: secret })];
  try {
    await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
    expect(processesWith([secret])).toHaveLength(1);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});
