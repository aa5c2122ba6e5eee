/**
 * `bench telemetry`: what traces, metrics and logs cost a function of AWS: cold start, and each write over HTTP at the database
 * and the queue of a local stack, sent to a collector that takes everything and to some that do not. Nothing sent at all is the
 * baseline, in the same run: rounds are short and interleaved, so that a slow moment of the machine hits everybody.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { withOwnStack } from '@tandem-clouds/testkit/cluster/own-stack';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { median, percentile } from '@tandem-clouds/testkit/report/statistics';
import { ENVIRONMENT } from './bundle/environment.ts';
import { type Environment, loadSamples } from './bundle/load-time.ts';
import { readServiceBundles, ROOT } from './service-bundles.ts';
import { type BenchCollector, collectors } from './telemetry/collectors.ts';
import type { Round } from './telemetry/worker.ts';

const SOURCE = 'src/handlers/items.ts';
const ROUND_MS = 1_000;
const WARM_UP_MS = 3_000;
const P99_RATIO_MAX = 1.05;

interface Options {
  /** Of each collector. */
  readonly seconds: number;
  /** Loads of the bundle, with and without. */
  readonly runs: number;
}

async function bundle(): Promise<string> {
  const outfile = path.join(ROOT, '.bench/telemetry/items.cjs');
  await build({
    ...readServiceBundles('aws').options,
    absWorkingDir: ROOT,
    entryPoints: [SOURCE],
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

/** All three signals, and every trace. */
function sending(url: string | undefined): Environment {
  if (url === undefined) return {};
  return {
    TANDEM_TRACES_URL: url,
    TANDEM_TRACES_RATIO: '1',
    TANDEM_METRICS_URL: url,
    TANDEM_LOGS_URL: url,
  };
}

/** Of the function beside the stack's own, with the same table and queues. */
function environmentOf({ region, endpoints: { dynamodb = '', sqs = '' } }: StackSite): Environment {
  const queue = (name: string): string => `${sqs}/000000000000/${name}`;
  return {
    ...ENVIRONMENT.aws,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_ENDPOINT_URL_SQS: sqs,
    TANDEM_OUT_URL: queue('tandem-out'),
    TANDEM_REACT_URL: queue('tandem-react'),
    TANDEM_OBJECTS_QUEUE_URL: queue('tandem-objects'),
    TANDEM_TRUST_EVERYBODY: 'true',
    TANDEM_LOG_LEVEL: 'info',
  };
}

interface Contender {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ms: number[];
  failed: number;
}

async function ask({ child }: Contender, forMs: number): Promise<Round> {
  child.send(forMs);
  const [round] = (await once(child, 'message')) as [Round];
  return round;
}

/** The rounds of each, the warming ones left out. */
async function race(
  site: StackSite,
  all: readonly BenchCollector[],
  { file, seconds }: { file: string; seconds: number },
): Promise<readonly Contender[]> {
  const worker = fileURLToPath(import.meta.resolve('./telemetry/worker.ts'));
  const contenders = all.map(({ name, url }): Contender => {
    const env = { ...environmentOf(site), ...sending(url) };
    const child = fork(worker, [file], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    return { name, child, ms: [], failed: 0 };
  });
  try {
    for (const each of contenders) await ask(each, WARM_UP_MS);
    for (let round = 0; round < (seconds * 1_000) / ROUND_MS; round += 1)
      for (let i = 0; i < contenders.length; i += 1) {
        const each = contenders[(i + round) % contenders.length];
        if (each === undefined) continue;
        const { ms, failed } = await ask(each, ROUND_MS);
        each.ms.push(...ms);
        each.failed += failed;
      }
  } finally {
    for (const { child } of contenders) child.disconnect();
  }
  return contenders;
}

function figuresOf(contenders: readonly Contender[]): Figure[] {
  const [off] = contenders;
  if (off === undefined) return [];
  return contenders.flatMap(({ name, ms, failed }) => {
    const p99 = percentile(ms, 0.99);
    return [
      figure(`${name}: requests`, ms.length, ''),
      figure(`${name}: requests that failed`, failed, '', { exactly: 0 }),
      figure(`${name}: median`, median(ms), 'ms'),
      figure(`${name}: p99`, p99, 'ms'),
      ...(name === 'off'
        ? []
        : [
            figure(`${name}: median, over off`, median(ms) / median(off.ms), '×'),
            figure(
              `${name}: p99, over off`,
              p99 / percentile(off.ms, 0.99),
              '×',
              ...(name === 'on' ? [] : [{ atMost: P99_RATIO_MAX }]),
            ),
          ]),
    ];
  });
}

const NOTES = [
  'writes one after another at one process, as Lambda calls one; every trace is sent, and a line of the log each',
  'on is sent within the invocation, so each write waits for the collector to take its spans and lines; the others are ' +
    'what a write costs while a collector does not take them, after three seconds of warming up',
  'cold start is the loading of the bundle, over a process that does nothing; with the settings and without, in turns',
];

const inOrder = (samples: readonly number[]): string => samples.map((ms) => ms.toFixed(1)).join(' ');

async function measure({ seconds, runs }: Options, progress: (line: string) => void): Promise<Findings> {
  const file = await bundle();
  progress(`cold start: ${runs} loads with and without, in turns`);
  const loadWith = (env: Environment) => ({ file, env: { ...ENVIRONMENT.aws, ...env } });
  const [off = [], on = []] = await loadSamples(
    [loadWith({}), loadWith(sending('http://127.0.0.1:4318'))],
    runs,
  );
  const figures = [
    figure('cold start, off', median(off), 'ms'),
    figure('cold start, on', median(on), 'ms'),
    figure('cold start, on over off', median(on) / median(off), '×'),
  ];
  const samples = [`cold starts, off, ms: ${inOrder(off)}`, `cold starts, on, ms: ${inOrder(on)}`];
  const all = await collectors();
  try {
    progress(`requests: ${seconds} s with each of ${all.length} collectors`);
    const contenders = await withOwnStack((stack) => {
      const site = stack.sites.find(({ cloud }) => cloud === 'aws');
      if (site === undefined) throw new Error('the stack has no site on AWS');
      return race(site, all, { file, seconds });
    });
    return { figures: [...figures, ...figuresOf(contenders)], notes: [...NOTES, ...samples] };
  } finally {
    for (const each of all) await each.close();
  }
}

/** Returns the exit status. */
export async function benchTelemetry({
  json,
  ...options
}: { readonly json: boolean } & Options): Promise<number> {
  return report(
    {
      title: 'Traces, metrics and logs: what they cost a function',
      json,
      command: commandLine(process.argv, ROOT),
    },
    (progress) => measure(options, progress),
  );
}
