/** The clock of a process is moved by a file, while the process runs. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { waitUntil } from '../../../tests/helpers/wait-until.ts';

const PRELOAD = pathToFileURL(path.join(import.meta.dirname, '../src/skewed-clock.ts')).href;
const PROGRAM = `
  setInterval(() => console.log(JSON.stringify([
    Date.now(), new Date().getTime(), new Date(5).getTime(), new Date() instanceof Date, typeof Date(),
  ])), 20);
`;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-clock-'));
const file = path.join(folder, 'clock');

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

test('what the clock says moves with the file; a given moment stays as it is', async () => {
  const env = { ...process.env, TANDEM_CLOCK_FILE: file, NODE_OPTIONS: `--import=${PRELOAD}` };
  const child = spawn(process.execPath, ['-e', PROGRAM], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const aheadBy = (offsetMs: number): Promise<unknown[]> => {
    const from = output.length;
    return waitUntil(`a clock ahead by ${offsetMs} ms`, () => {
      const line = output.slice(from).trim().split('\n').at(-1) ?? '';
      const reported = line.endsWith(']') ? (JSON.parse(line) as unknown[]) : [];
      const aheadMs = Number(reported[0]) - Date.now();
      return Math.abs(aheadMs - offsetMs) < 5_000 && Math.abs(Number(reported[1]) - Number(reported[0])) < 100
        ? reported.slice(2)
        : undefined;
    });
  };
  try {
    expect(await aheadBy(0)).toEqual([5, true, 'string']);
    fs.writeFileSync(file, '30000');
    expect(await aheadBy(30_000)).toEqual([5, true, 'string']);
    fs.writeFileSync(file, '-30000');
    expect(await aheadBy(-30_000)).toEqual([5, true, 'string']);
  } finally {
    child.kill();
  }
});
