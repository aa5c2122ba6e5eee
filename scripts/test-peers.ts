/**
 * Runs suites against software of others, so that the stand-ins are held to the same behaviour: DynamoDB Local, and
 * moto's Route 53; and has the contract fuzzed by Schemathesis at both sites. Each is installed into `.peers/` on demand.
 * One that cannot run here is skipped, which is said and is no failure. Names as arguments run only those:
 * `npm run test:peers -- schemathesis`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import jestConfig from '../jest.config.js';
import { dynamoDbLocal } from './peers/dynamodb-local.ts';
import { moto } from './peers/moto.ts';
import { PEERS, Unavailable, withPeer, type Peer } from './peers/peer.ts';
import { fuzzContract, prepareSchemathesis } from './peers/schemathesis.ts';

const ROOT = path.join(import.meta.dirname, '..');

interface JestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly success: boolean;
}

const SKIPPED: Result = { passed: 0, failed: 0, skipped: 1, success: true };
const only = process.argv.slice(2);
const results: Result[] = [];
for (const peer of [dynamoDbLocal, moto]) if (isWanted(peer.name)) results.push(await run(peer));
if (isWanted('Schemathesis')) results.push(await fuzz());
console.log(inWords(results));
process.exitCode = results.every(({ success }) => success) ? 0 : 1;

function isWanted(name: string): boolean {
  return only.length === 0 || only.some((each) => name.toLowerCase().includes(each.toLowerCase()));
}

/** What `make` returns; undefined, and said, when the software cannot run here. */
function unlessUnavailable<T>(name: string, make: () => T): { readonly made: T } | undefined {
  try {
    return { made: make() };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`SKIPPED: ${name}: ${error.message}`);
    return undefined;
  }
}

async function fuzz(): Promise<Result> {
  const ready = unlessUnavailable('Schemathesis', prepareSchemathesis);
  if (ready === undefined) return SKIPPED;
  const found = await fuzzContract(ready.made);
  for (const each of found) console.log(each);
  const result = { passed: 2 - found.length, failed: found.length, skipped: 0, success: found.length === 0 };
  console.log(`Schemathesis, a result for each site: ${inWords([result])}`);
  return result;
}

async function run(peer: Peer): Promise<Result> {
  const ready = unlessUnavailable(peer.name, () => {
    peer.prepare();
  });
  if (ready === undefined) return SKIPPED;
  const result = await withPeer(peer, async (endpoint) => runSuite(peer, endpoint));
  console.log(`${peer.name}: ${inWords([result])}`);
  return result;
}

/** Runs jest over one file of `tests/peers/`, which the ordinary test run does not match. */
async function runSuite({ suite, variable }: Peer, endpoint: string): Promise<Result> {
  fs.mkdirSync(PEERS, { recursive: true });
  const report = path.join(PEERS, 'report.json');
  fs.rmSync(report, { force: true });
  const [project] = jestConfig.projects;
  const config = {
    ...project,
    rootDir: ROOT,
    testTimeout: 60_000,
    testMatch: [`<rootDir>/tests/peers/${suite}`],
  };
  const jest = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings',
      path.join(ROOT, 'node_modules/jest/bin/jest.js'),
      `--config=${JSON.stringify(config)}`,
      '--json',
      `--outputFile=${report}`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, [variable]: endpoint } },
  );
  const [code] = (await once(jest, 'exit')) as [number | null];
  const summary = JSON.parse(fs.readFileSync(report, 'utf8')) as JestSummary;
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = summary;
  return { passed, failed, skipped, success: code === 0 && summary.success };
}

function inWords(all: readonly Result[]): string {
  const sum = (pick: (result: Result) => number): number => all.reduce((total, one) => total + pick(one), 0);
  return `${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed, ${sum(({ skipped }) => skipped)} skipped`;
}
