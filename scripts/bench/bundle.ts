/**
 * `bench bundle`: size and loading time of every bundle, one a function on AWS and one on Azure, built with the very options of
 * the two service definitions, and whether a bundle holds an SDK of the cloud that it does not run on.
 *
 * `--packages` tells, for every bundle, which packages weigh most.
 */
import path from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { appEntry } from '@tandem-clouds/local/code/bundle-app';
import { GIVEN_BY_WORKER } from '@tandem-clouds/local/code/entry-point';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { bytesByPackage, foreignPackages } from './bundle/contents.ts';
import { ENVIRONMENT } from './bundle/environment.ts';
import { loadTimes } from './bundle/load-time.ts';
import { type CloudName, CLOUDS, readServiceBundles, ROOT } from './service-bundles.ts';

const SIZE_MAX_KB: Readonly<Record<CloudName, number>> = { aws: 450, azure: 1_800 };
/** With the storages of objects, of both clouds: `transfer`, what has content, and on Azure the app. */
const WITH_STORAGES_MAX_KB: typeof SIZE_MAX_KB = { aws: 2_400, azure: 3_200 };
const STORAGES = ['@aws-sdk/client-s3', '@azure/storage-blob'];
const PACKAGES_SHOWN = 12;

interface Bundle {
  readonly cloud: CloudName;
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly packages: ReadonlyMap<string, number>;
}

/** As packaging does it: on AWS a build per function, on Azure one. */
function buildsFor(cloud: CloudName): { readonly name: string; readonly options: BuildOptions }[] {
  const { options, bundles, functions } = readServiceBundles(cloud);
  if (cloud === 'aws') {
    return bundles.map(({ name, source }) => ({ name, options: { ...options, entryPoints: [source] } }));
  }
  const external = [...(options.external ?? []), GIVEN_BY_WORKER];
  const stdin = appEntry(functions, ROOT);
  return [{ name: 'app', options: { ...options, external, stdin } }];
}

async function buildAll(cloud: CloudName): Promise<Bundle[]> {
  return Promise.all(
    buildsFor(cloud).map(async ({ name, options }) => {
      const outfile = path.join('.bench', 'bundle', cloud, `${name}.cjs`);
      const { metafile } = await build({
        ...options,
        absWorkingDir: ROOT,
        outfile,
        metafile: true,
        logLevel: 'error',
      });
      const output = metafile.outputs[outfile];
      if (output === undefined) throw new Error(`${cloud} ${name}: esbuild wrote no ${outfile}`);
      return {
        cloud,
        name,
        file: path.join(ROOT, outfile),
        bytes: output.bytes,
        packages: bytesByPackage(output),
      };
    }),
  );
}

const kb = (bytes: number): number => bytes / 1_000;

function hasStorages({ packages }: Bundle): boolean {
  return STORAGES.some((name) => packages.has(name));
}

function sizeFigure(bundle: Bundle): Figure {
  const { cloud, name, bytes } = bundle;
  const atMost = (hasStorages(bundle) ? WITH_STORAGES_MAX_KB : SIZE_MAX_KB)[cloud];
  return figure(`${cloud} ${name}: size`, kb(bytes), 'kB', { atMost });
}

function foreignFigure(cloud: CloudName, bundles: readonly Bundle[]): Figure {
  const others = bundles.filter((bundle) => !hasStorages(bundle));
  const foreign = others.flatMap(({ name, packages }) => foreignPackages(cloud, name, packages));
  const other = cloud === 'aws' ? 'Azure' : 'AWS';
  return figure(
    `${cloud}: packages of the ${other} SDK, outside forward, sweep and what has storages`,
    foreign.length,
    '',
    {
      exactly: 0,
    },
  );
}

function heaviest({ cloud, name, packages }: Bundle): string {
  const parts = [...packages]
    .slice(0, PACKAGES_SHOWN)
    .map(([packageName, bytes]) => `${packageName} ${kb(bytes).toFixed(1)}`);
  return `${cloud} ${name}, kB: ${parts.join(', ')}`;
}

async function measure(
  options: { readonly runs: number; readonly packages: boolean },
  progress: (line: string) => void,
): Promise<Findings> {
  const built: Bundle[] = [];
  for (const cloud of CLOUDS) {
    progress(`building for ${cloud}`);
    built.push(...(await buildAll(cloud)));
  }
  progress(`loading ${built.length} bundles ${options.runs} times each`);
  const times = await loadTimes(
    built.map(({ file, cloud }) => ({ file, env: ENVIRONMENT[cloud] })),
    options.runs,
  );
  return {
    figures: CLOUDS.flatMap((cloud) => {
      const bundles = built.filter((bundle) => bundle.cloud === cloud);
      return [
        ...bundles.map(sizeFigure),
        // The app of Azure holds the functions that send to the other cloud.
        ...(cloud === 'aws' ? [foreignFigure(cloud, bundles)] : []),
        ...bundles.map(({ name, file }) =>
          figure(`${cloud} ${name}: load`, times.get(file) ?? Number.NaN, 'ms'),
        ),
      ];
    }),
    notes: [
      'size: the minified file on disk, 1 kB = 1,000 bytes, without its source map',
      'load: a fresh process that requires the bundle, less one that does nothing; median, no compile cache',
      'forward and sweep send to the other cloud, so each holds both SDKs; they are measured against the same aims',
      ...(options.packages ? built.map(heaviest) : []),
    ],
  };
}

/** Returns the exit status. */
export async function benchBundle({
  json,
  ...options
}: {
  readonly runs: number;
  readonly packages: boolean;
  readonly json: boolean;
}): Promise<number> {
  return report(
    {
      title: 'Bundles: size and loading time',
      json,
      command: commandLine(process.argv, ROOT),
    },
    (progress) => measure(options, progress),
  );
}
