/**
 * `npm test`: checks that generated files are current, runs jest on native ES modules, and closes with one line
 * that counts. Arguments are passed on to jest, but for `--record-costs`: what the files cost in this run is from now on what
 * their order is made of (jest.costs.js).
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { guardOutput } from '@tandem-clouds/command-line/run-command';
import { recordCosts } from '../jest.costs.js';

// What cannot be written is a failure of the command.
guardOutput();

interface Summary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  /** Suites that did not even load: their tests are not among the failed ones. */
  readonly numRuntimeErrorTestSuites: number;
}

interface Cost {
  readonly name: string;
  readonly seconds: number;
  readonly processorSeconds: number;
}

const root = path.join(import.meta.dirname, '..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-test-'));
const summaryFile = path.join(folder, 'summary.json');
const costsFile = path.join(folder, 'costs.jsonl');
const RECORD = '--record-costs';
const isRecorded = process.argv.includes(RECORD);

const env = {
  ...process.env,
  // Tests start hundreds of processes of the same sources: what Node makes of a module is kept, where commands keep it.
  // Copies of the project, whose modules have the same places relative to it, use it too.
  NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/tandem'),
  NODE_COMPILE_CACHE_PORTABLE: '1',
  // A store that answers late because this machine has other work is no store that does not answer.
  TANDEM_STORE_TIMEOUT_MS: '8000',
  // What several test files need, and takes seconds to make, is made once a run (tests/helpers/once-a-run.ts).
  TANDEM_TEST_SHARED: path.join(folder, 'shared'),
  ...(isRecorded && { TANDEM_TEST_COSTS: costsFile }),
};
fs.mkdirSync(env.TANDEM_TEST_SHARED);

const run = (...args: readonly string[]): number =>
  spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;

const generated = run('scripts/tandem.ts', 'generate', '--check');
const tested = run(
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--json',
  `--outputFile=${summaryFile}`,
  ...process.argv.slice(2).filter((argument) => argument !== RECORD),
);
if (isRecorded)
  recordCosts(
    fs
      .readFileSync(costsFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Cost),
  );

if (fs.existsSync(summaryFile)) {
  const summary = JSON.parse(fs.readFileSync(summaryFile, 'utf8')) as Summary;
  const failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites + generated;
  const skipped = summary.numPendingTests > 0 ? `, ${summary.numPendingTests} skipped` : '';
  console.log(`${summary.numPassedTests} passed, ${failed} failed${skipped}`);
}
fs.rmSync(folder, { recursive: true, force: true });
process.exitCode = generated !== 0 ? generated : tested;
