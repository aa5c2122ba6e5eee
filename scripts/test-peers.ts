/**
 * Runs the contract suites against the vendors' own emulators, so that the stand-ins are held to the same behaviour.
 *
 * Today: DynamoDB Local, bundled by the npm package `amplify-dynamodb-simulator`, on Java. The package is installed
 * into `.peers/` on demand. Without Java or without the package the run is skipped, says so and succeeds. DynamoDB
 * Local cannot be bound to one interface; it runs in memory, on a free port, for as long as the suite takes.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import jestConfig from '../jest.config.js';

const ROOT = path.join(import.meta.dirname, '..');
const PEERS = path.join(ROOT, '.peers');
const PACKAGE = 'amplify-dynamodb-simulator';
const EMULATOR = path.join(PEERS, 'node_modules', PACKAGE, 'emulator');
const START_MS = 30_000;
const STOP_MS = 5_000;

interface JestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

/** Why the suite cannot run here. */
class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    requireJava();
    installEmulator();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`SKIPPED: DynamoDB Local: ${error.message}`);
    console.log('0 passed, 0 failed, 1 skipped');
    return 0;
  }
  const port = await freePort();
  const emulator = startEmulator(port);
  try {
    const endpoint = `http://127.0.0.1:${port}`;
    await untilAnswering(endpoint, emulator);
    return await runSuite(endpoint);
  } finally {
    await stop(emulator);
  }
}

function requireJava(): void {
  const { error, status } = spawnSync('java', ['-version'], { stdio: 'ignore' });
  if (error !== undefined || status !== 0) throw new Unavailable('there is no Java on this machine');
}

function installEmulator(): void {
  if (fs.existsSync(path.join(EMULATOR, 'DynamoDBLocal.jar'))) return;
  console.log(`installing ${PACKAGE} into .peers/`);
  const options = ['install', '--prefix', PEERS, '--no-audit', '--no-fund', '--ignore-scripts', PACKAGE];
  const { error, status } = spawnSync('npm', options, { stdio: 'inherit' });
  if (error !== undefined || status !== 0 || !fs.existsSync(EMULATOR)) {
    throw new Unavailable(`${PACKAGE} could not be installed`);
  }
}

function startEmulator(port: number): ChildProcess {
  const args = ['-Djava.library.path=./DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];
  return spawn('java', [...args, '-inMemory', '-disableTelemetry', '-port', String(port)], {
    cwd: EMULATOR,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilAnswering(endpoint: string, emulator: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && emulator.exitCode === null) {
    try {
      await fetch(endpoint);
      return;
    } catch {
      await delay(100);
    }
  }
  throw new Error('DynamoDB Local did not start');
}

async function stop(emulator: ChildProcess): Promise<void> {
  if (emulator.exitCode !== null || emulator.signalCode !== null) return;
  const gone = once(emulator, 'exit');
  emulator.kill('SIGTERM');
  const force = setTimeout(() => emulator.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(force);
}

/** Runs jest over `tests/peers/`, which the ordinary test run does not match. */
async function runSuite(endpoint: string): Promise<number> {
  const report = path.join(PEERS, 'report.json');
  fs.rmSync(report, { force: true });
  const [project] = jestConfig.projects;
  const config = {
    ...project,
    rootDir: ROOT,
    testTimeout: 60_000,
    testMatch: ['<rootDir>/tests/peers/**/*.peer.ts'],
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
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, TANDEM_PEER_DYNAMODB: endpoint },
    },
  );
  const [code] = (await once(jest, 'exit')) as [number | null];
  const summary = JSON.parse(fs.readFileSync(report, 'utf8')) as JestSummary;
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = summary;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return code === 0 && summary.success ? 0 : 1;
}
