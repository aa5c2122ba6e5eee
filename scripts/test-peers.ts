/**
 * Runs suites against software of others: the emulators' against DynamoDB Local, moto's Route 53 and S3, ministack's S3, and
 * azurite, and Stripe's shapes against stripe-mock, so that they are held to the same behaviour, the specifications of
 * `docs/spec/` in TLC, the metrics of a stack and the rules for them in Prometheus, the tables of a stack in PostgreSQL, its cache in Redis, and the contract, fuzzed by Schemathesis
 * at both sites; the packaged AWS functions in AWS's own runtime, and the packaged Azure app under Microsoft's Node worker,
 * whose checkout TANDEM_FUNCTIONS_WORKER names; the package of the emulators, installed into an empty folder. The others are
 * installed into `.peers/` on demand. Beginnings of suites' names as arguments choose some:
 * `npm run test:peers -- schemathesis`.
 *
 * Invariant: a run passes only when something has run, and everything that it was asked for by name. What cannot run here
 * is skipped otherwise, and named at the end with the reason.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { azurite } from '@tandem-clouds/testkit/peers/azurite';
import { dynamoDbLocal } from '@tandem-clouds/testkit/peers/dynamodb-local';
import { emulatorsPackage } from '@tandem-clouds/testkit/peers/emulators-package';
import { functionsWorker } from '@tandem-clouds/testkit/peers/functions-worker';
import { lambdaRuntime } from '@tandem-clouds/testkit/peers/lambda-runtime';
import { ministack } from '@tandem-clouds/testkit/peers/ministack';
import { moto, motoS3 } from '@tandem-clouds/testkit/peers/moto';
import { otelCollector } from '@tandem-clouds/testkit/peers/otel-collector';
import {
  type Peer,
  PEERS,
  type Program,
  type Server,
  Unavailable,
  withPeer,
} from '@tandem-clouds/testkit/peers/peer';
import { postgres } from '@tandem-clouds/testkit/peers/postgres';
import { prometheus } from '@tandem-clouds/testkit/peers/prometheus';
import { redis } from '@tandem-clouds/testkit/peers/redis';
import { hasPassed, inWords, skipped, type SuiteResult } from '@tandem-clouds/testkit/peers/results';
import { fuzzContract, prepareSchemathesis } from '@tandem-clouds/testkit/peers/schemathesis';
import { stripeMock } from '@tandem-clouds/testkit/peers/stripe-mock';
import { tlc } from '@tandem-clouds/testkit/peers/tlc';
import jestConfig from '../jest.config.js';

const ROOT = path.join(import.meta.dirname, '..');

interface JestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

const PEERS_IN_JEST = [
  dynamoDbLocal,
  moto,
  motoS3,
  ministack,
  azurite,
  stripeMock,
  tlc,
  prometheus,
  otelCollector,
  postgres,
  redis,
  lambdaRuntime,
  functionsWorker,
  emulatorsPackage,
];

/** Returns the exit status: 1 when a suite failed. @throws UsageError for one that is unknown. @param suites Beginnings of their names; none: all. */
export async function testPeers({ suites }: { readonly suites: readonly string[] }): Promise<number> {
  const known = [...PEERS_IN_JEST.map(({ suite }) => suite), 'schemathesis'];
  const unknown = suites.filter((name) => !known.some((suite) => suite.startsWith(name)));
  if (unknown.length > 0)
    throw new UsageError(`<suites>: '${unknown.join(' ')}' begins none of ${known.join(', ')}`);
  const isWanted = (suite: string): boolean =>
    suites.length === 0 || suites.some((name) => suite.startsWith(name));
  const results: SuiteResult[] = [];
  for (const peer of PEERS_IN_JEST) if (isWanted(peer.suite)) results.push(await run(peer));
  if (isWanted('schemathesis')) results.push(await fuzz());
  for (const { name, unavailable } of results)
    if (unavailable !== undefined) console.log(`SKIPPED: ${name}: ${unavailable}`);
  console.log(inWords(results));
  return hasPassed(results, { areNamed: suites.length > 0 }) ? 0 : 1;
}

/** What `make` returns, or why the software cannot run here. */
function unlessUnavailable<T>(make: () => T): { readonly made: T } | { readonly unavailable: string } {
  try {
    return { made: make() };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { unavailable: error.message };
  }
}

async function fuzz(): Promise<SuiteResult> {
  const name = 'Schemathesis, a result for each site';
  const ready = unlessUnavailable(prepareSchemathesis);
  if ('unavailable' in ready) return skipped(name, ready.unavailable);
  const found = await fuzzContract(ready.made);
  for (const each of found) console.log(each);
  const result = {
    name,
    passed: 2 - found.length,
    failed: found.length,
    skipped: 0,
    success: found.length === 0,
  };
  console.log(`${name}: ${inWords([result])}`);
  return result;
}

async function run(peer: Server | Program): Promise<SuiteResult> {
  const ready = unlessUnavailable(() => prepare(peer));
  if ('unavailable' in ready) return skipped(peer.name, ready.unavailable);
  const result = await ready.made();
  console.log(`${peer.name}: ${inWords([result])}`);
  return result;
}

/** Installs the peer; returns what runs its suite. @throws Unavailable */
function prepare(peer: Server | Program): () => Promise<SuiteResult> {
  if ('install' in peer) {
    const file = peer.install();
    return () => runSuite(peer, file);
  }
  peer.prepare();
  return () => withPeer(peer, (endpoint) => runSuite(peer, endpoint));
}

/** Runs jest over one file of `tests/peers/`, which the ordinary test run does not match. */
async function runSuite({ name, suite, variable }: Peer, place: string): Promise<SuiteResult> {
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
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, [variable]: place } },
  );
  const [code] = (await once(jest, 'exit')) as [number | null];
  const summary = JSON.parse(fs.readFileSync(report, 'utf8')) as JestSummary;
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = summary;
  // A suite of which everything is skipped has shown nothing.
  return { name, passed, failed, skipped, success: code === 0 && summary.success && passed > 0 };
}
