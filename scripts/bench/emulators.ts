/**
 * `bench emulators`: how long a process takes to start the emulators of databases, queues and objects and to close them, against one that does
 * nothing. It runs the package as it is installed, as JavaScript, and without a compile cache.
 *
 * Runs are interleaved, so that a slow moment of the machine hits both.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { commandLine, figure, type Findings, report } from '@tandem-clouds/testkit/report/report';
import { median } from '@tandem-clouds/testkit/report/statistics';
import { compile } from '../../packages/emulators/build/compile.ts';
import { ROOT } from './service-bundles.ts';

const run = promisify(execFile);
/** Below the root, so that the dependencies are found. */
const DIST = path.join(ROOT, '.bench/emulators');
const TIMEOUT_MS = 60_000;
const NOTHING = 'process.exit(0)';

const start = (...services: readonly string[]): string => `
  const { startEmulators } = await import(${JSON.stringify(pathToFileURL(path.join(DIST, 'start-emulators.js')).href)});
  const emulators = await startEmulators({ services: ${JSON.stringify(services)} });
  await emulators.close();
  process.exit(0);`;

const CONTENDERS = {
  'a bare node': NOTHING,
  'DynamoDB and SQS': start('dynamodb', 'sqs'),
  'Cosmos DB and Service Bus': start('cosmos', 'servicebus'),
  S3: start('s3'),
  'all five': start('dynamodb', 'sqs', 's3', 'cosmos', 'servicebus'),
} as const;
type Contender = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Contender[];

/** Milliseconds from the start of a process to its end. @throws when it fails. */
async function processMs(script: string): Promise<number> {
  const startedMs = performance.now();
  await run(process.execPath, ['--input-type=module', '-e', script], { timeout: TIMEOUT_MS });
  return performance.now() - startedMs;
}

async function measure(runs: number, progress: (line: string) => void): Promise<Findings> {
  progress('compiling the package');
  fs.rmSync(DIST, { recursive: true, force: true });
  compile(path.join(ROOT, 'packages/emulators'), DIST);
  const times: Record<Contender, number[]> = {
    'a bare node': [],
    'DynamoDB and SQS': [],
    'Cosmos DB and Service Bus': [],
    S3: [],
    'all five': [],
  };
  for (let n = 0; n < runs; n += 1) {
    progress(`run ${n + 1} of ${runs}`);
    for (const name of NAMES) times[name].push(await processMs(CONTENDERS[name]));
  }
  const bareMs = median(times['a bare node']);
  return {
    figures: NAMES.flatMap((name) => [
      figure(`${name}: from start to end`, median(times[name]), 'ms'),
      ...(name === 'a bare node'
        ? []
        : [figure(`${name}, in bare nodes`, median(times[name]) / bareMs, 'times')]),
    ]),
    notes: [
      'every run is a process of its own that starts the services, closes them and ends; data in memory',
    ],
  };
}

/** Returns the exit status. */
export async function benchEmulators({
  runs,
  json,
}: {
  readonly runs: number;
  readonly json: boolean;
}): Promise<number> {
  return report(
    { title: 'Starting the emulators', json, command: commandLine(process.argv, ROOT) },
    (progress) => measure(runs, progress),
  );
}
