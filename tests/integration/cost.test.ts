/** The bounds of what replication costs, from the counters of the emulators: a regression that costs more fails. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { Report } from '@tandem-clouds/testkit/report/report';

const ROOT = path.join(import.meta.dirname, '../..');
/** A little less than the test has, so that a run which hangs is ended by it. */
const RUN_WITHIN_MS = 280_000;

test('a 1 kB write costs at most 4 write units, and an applied event exactly one conditional write', async () => {
  const args = ['scripts/tandem.ts', 'bench', 'cost', '--writes', '20', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: RUN_WITHIN_MS });
  const { figures } = JSON.parse(stdout) as Report;
  const bounds = figures.filter(({ aim }) => aim !== null);
  expect(bounds.map(({ name }) => name)).toEqual([
    'aws: write units per new 1 kB record, marker and clearing, without lists',
    'aws: write units per 1 kB update, marker and clearing',
    'aws → azure: conditional writes per applied new record',
    'aws → azure: conditional writes per applied update',
    'azure → aws: conditional writes per applied new record',
    'azure → aws: conditional writes per applied update',
    'largest difference from what is recorded',
  ]);
  expect(bounds.filter(({ holds }) => holds !== true)).toEqual([]);
});
