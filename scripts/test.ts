/**
 * `npm test`: checks that generated files are current, runs jest on native ES modules, runs the files that failed beside others
 * once more, alone, and closes with one line that counts. Arguments are passed on to jest, but for `--record-costs`: what the
 * files cost in this run is from now on what their order is made of (jest.costs.js).
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { guardOutput } from '@tandem-clouds/command-line/run-command';
import { recordCosts } from '../jest.costs.js';
import { countsOf, filesToRunAgain, type Results } from './test-results.ts';

// What cannot be written is a failure of the command.
guardOutput();

interface Cost {
  readonly name: string;
  readonly seconds: number;
  readonly processorSeconds: number;
}

const root = path.join(import.meta.dirname, '..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-test-'));
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

/** Undefined when jest did not come to an end. */
function test(
  summaryFile: string,
  args: readonly string[],
): { status: number; results: Results | undefined } {
  const status = run(
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${summaryFile}`,
    ...args,
  );
  const isThere = fs.existsSync(summaryFile);
  const results = isThere ? (JSON.parse(fs.readFileSync(summaryFile, 'utf8')) as Results) : undefined;
  return { status, results };
}

const generated = run('scripts/tandem.ts', 'generate', '--check');
const given = process.argv.slice(2).filter((argument) => argument !== RECORD);
const first = test(path.join(folder, 'summary.json'), given);
if (isRecorded)
  recordCosts(
    fs
      .readFileSync(costsFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Cost),
  );

let tested = first.status;
// With options of jest, such as a name to look for, whole files would be another run.
const hasOptions = given.some((argument) => argument.startsWith('-'));
const files = first.results === undefined || hasOptions ? [] : filesToRunAgain(first.results);
let again: Results | undefined;
if (files.length > 0) {
  console.log(`\n${files.length} files failed beside others. Once more, alone:\n  ${files.join('\n  ')}\n`);
  const args = ['--maxWorkers=1', '--runTestsByPath', ...files];
  ({ status: tested, results: again } = test(path.join(folder, 'again.json'), args));
}
if (first.results !== undefined) {
  const { failed, line } = countsOf(first.results, again);
  console.log(generated === 0 ? line : `${line}, and generated files are not current`);
  if (failed > 0) tested ||= 1;
}
fs.rmSync(folder, { recursive: true, force: true });
process.exitCode = generated !== 0 ? generated : tested;
