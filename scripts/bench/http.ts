/**
 * `bench http`: processor time per request of our HTTP stack against Hono, Fastify and a bare function, as
 * Lambda events and as Azure Functions requests. Same route, same validation, same answer, no I/O.
 *
 * Every contender is bundled with the options of the service definition and runs in its own process. Rounds are
 * short and interleaved, so that a slow moment of the machine hits everybody; the median round counts.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { prepareFolder } from '@tandem-clouds/command-line/write-file';
import {
  type Aim,
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { median } from '@tandem-clouds/testkit/report/statistics';
import { Contestant } from './http/contestant.ts';
import { type Shape, SHAPES } from './http/fixture.ts';
import { addedByTheStack, differences } from './http/responses.ts';
import { type CloudName, readServiceBundles, ROOT } from './service-bundles.ts';

const RATIO_MAX = 0.6;
const OVER_BARE_MAX_MICROS = 10;
const PER_SEGMENT = 200;
const WARM_UP_ROUNDS = 5;

/** In the order of the report. `ours` comes first: its headers are what the others must answer too. */
const CONTENDERS = {
  ours: import.meta.resolve('./http/contenders/ours.ts'),
  'ours, info log': import.meta.resolve('./http/contenders/ours-info.ts'),
  'bare function': import.meta.resolve('./http/contenders/bare.ts'),
  Hono: import.meta.resolve('./http/contenders/hono.ts'),
  'Hono, no middleware': import.meta.resolve('./http/contenders/hono-lean.ts'),
  Fastify: import.meta.resolve('./http/contenders/fastify.ts'),
} as const;
type Name = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Name[];

const CLOUD: Readonly<Record<Shape, CloudName>> = { lambda: 'aws', azure: 'azure' };

interface Options {
  readonly rounds: number;
  readonly requests: number;
  /** Where `--cpu-prof` of every contender goes; undefined: no profiles. */
  readonly profileDir: string | undefined;
}

/** Bundles every contender for one cloud; returns the files. */
async function bundleAll(cloud: CloudName): Promise<Record<Name, string>> {
  const outdir = path.join(ROOT, '.bench', 'http', cloud);
  const files = Object.fromEntries(
    NAMES.map((name) => [name, path.join(outdir, `${path.basename(CONTENDERS[name], '.ts')}.cjs`)]),
  ) as Record<Name, string>;
  await build({
    ...readServiceBundles(cloud).options,
    absWorkingDir: ROOT,
    entryPoints: NAMES.map((name) => fileURLToPath(CONTENDERS[name])),
    outdir,
    outExtension: { '.js': '.cjs' },
    logLevel: 'error',
  });
  return files;
}

/** Starts every contender; throws when one of them answers less than ours does. */
async function startAll(shape: Shape, { profileDir }: Options): Promise<Contestant[]> {
  const bundles = await bundleAll(CLOUD[shape]);
  const started: Contestant[] = [];
  const start = (name: Name, headers: Record<string, string>): Contestant => {
    const execArgv =
      profileDir === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${shape}-${name}.cpuprofile`];
    const contestant = new Contestant({ name, bundle: bundles[name], shape, headers, execArgv });
    started.push(contestant);
    return contestant;
  };
  try {
    const ours = start('ours', {});
    const wanted = await ours.response(true);
    const headers = addedByTheStack(wanted);
    for (const name of NAMES.slice(1)) {
      const contestant = start(name, headers);
      const withHeaders = name !== 'bare function';
      const found = differences(await contestant.response(true), wanted, { withHeaders });
      if (found.length > 0) throw new Error(`${shape}: ${name} answers less: ${found.join('; ')}`);
    }
    for (const contestant of started) await checkValidates(shape, contestant);
    return started;
  } catch (error) {
    await closeAll(started);
    throw error;
  }
}

async function checkValidates(shape: Shape, contestant: Contestant): Promise<void> {
  const { status } = await contestant.response(false);
  if (status !== 400) throw new Error(`${shape}: ${contestant.name} answers ${status} to an invalid body`);
}

async function closeAll(contestants: readonly Contestant[]): Promise<void> {
  await Promise.all(contestants.map((contestant) => contestant.close()));
}

/** Median microseconds per request of each contender. */
async function race(shape: Shape, options: Options): Promise<Map<string, number>> {
  const contestants = await startAll(shape, options);
  const samples = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  const segments = Math.max(1, Math.round(options.requests / PER_SEGMENT));
  try {
    for (let round = -WARM_UP_ROUNDS; round < options.rounds; round += 1) {
      for (const contestant of rotated(contestants, round)) {
        const micros = await contestant.round(segments, PER_SEGMENT);
        if (round >= 0) samples.get(contestant.name)?.push(micros);
      }
    }
  } finally {
    await closeAll(contestants);
  }
  return new Map([...samples].map(([name, micros]) => [name, median(micros)]));
}

/** Each round begins with another contender, so that nobody always follows the same one. */
function rotated<T>(items: readonly T[], by: number): T[] {
  const start = ((by % items.length) + items.length) % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function figuresOf(shape: Shape, medians: ReadonlyMap<string, number>): Figure[] {
  const of = (name: Name): number => medians.get(name) ?? Number.NaN;
  const ratio = (name: Name, aim?: Aim): Figure =>
    figure(`${shape}: ours / ${name}`, of('ours') / of(name), '×', aim);
  const overBare = (name: Name, aim?: Aim): Figure =>
    figure(`${shape}: ${name} − bare function`, of(name) - of('bare function'), 'µs CPU', aim);
  return [
    ...NAMES.map((name) => figure(`${shape}: ${name}`, of(name), 'µs CPU')),
    ratio('Hono', { atMost: RATIO_MAX }),
    ratio('Hono, no middleware', { atMost: RATIO_MAX }),
    ratio('Fastify'),
    overBare('ours', { atMost: OVER_BARE_MAX_MICROS }),
    overBare('ours, info log'),
  ];
}

const NOTES = [
  'processor time of the whole process (user and system, garbage collection included) per request; median round',
  'ours logs from level warn, the others not at all; "ours, info log" makes one JSON line per request and drops it',
  'everybody answers the same status, body and headers, and refuses an invalid body with 400 (checked before the ' +
    'race); the bare function has no headers and no routes',
  '"Hono" sets the headers in a middleware, as its own cors, secureHeaders and requestId do; "no middleware" gives ' +
    'them with the body in one call',
  'on Azure Hono is called through its fetch interface, as the community adapter does, and Fastify through inject: ' +
    'neither has a maintained adapter of its own for Functions',
];

async function measure(options: Options, progress: (line: string) => void): Promise<Findings> {
  if (options.profileDir !== undefined) prepareFolder(options.profileDir);
  const figures: Figure[] = [];
  for (const shape of SHAPES) {
    progress(`${shape}: ${options.rounds} rounds of ${options.requests} requests`);
    figures.push(...figuresOf(shape, await race(shape, options)));
  }
  return { figures, notes: NOTES };
}

/** Returns the exit status. */
export async function benchHttp({
  json,
  profile: profileDir,
  ...rest
}: { readonly json: boolean; readonly profile: string | undefined } & {
  readonly rounds: number;
  readonly requests: number;
}): Promise<number> {
  const options = { ...rest, profileDir };
  return report(
    {
      title: 'HTTP stack: processor time per request',
      json,
      command: commandLine(process.argv, ROOT),
    },
    (progress) => measure(options, progress),
  );
}
