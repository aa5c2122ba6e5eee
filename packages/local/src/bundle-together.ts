/**
 * Makes serverless-esbuild bundle all functions in one build while `sls offline` runs.
 *
 * That plugin runs one build per function, each of which parses the vendor SDKs again; one build with every
 * entry point parses them once and writes the same files (three times as fast with eight functions). Packaging
 * is left as it is.
 */
import fs from 'node:fs';
import path from 'node:path';
import { build as buildOnce, type BuildContext, type BuildOptions, context } from 'esbuild';
import { newestRun } from './newest-run.ts';
import { placeArtefact, releaseToServe } from './site-release.ts';

/** The part of the serverless-esbuild plugin that is used; the project pins its version. */
export interface EsbuildPlugin {
  readonly buildOptions: Readonly<Record<string, unknown>>;
  readonly buildDirPath: string;
  /** Per function: the source file, relative to the service's folder. */
  readonly functionEntries: readonly { readonly entry: string }[];
  prepare(): void;
  /** Called before serving and after each change of a source file. */
  bundle(): Promise<void>;
}

/**
 * Options of `custom.esbuild` that are esbuild's own and change what the code does; the others are the plugin's.
 * Not minified and without source maps: names stay readable in a stack trace, and a build takes two thirds of the
 * time.
 */
const PASSED_ON = [
  'banner',
  'bundle',
  'conditions',
  'define',
  'external',
  'format',
  'keepNames',
  'legalComments',
  'loader',
  'mainFields',
  'platform',
  'target',
] as const;

/** Those that a package has beside them. */
const OF_A_PACKAGE = ['minify', 'sourcemap', 'sourcesContent', 'treeShaking'] as const;

/** What a build does, without what it builds. */
export function optionsOf(
  { buildOptions }: EsbuildPlugin,
  serviceDir: string,
  purpose: 'offline' | 'package',
): BuildOptions {
  const names: readonly string[] = purpose === 'offline' ? PASSED_ON : [...PASSED_ON, ...OF_A_PACKAGE];
  return {
    ...Object.fromEntries(
      names.filter((name) => name in buildOptions).map((name) => [name, buildOptions[name]]),
    ),
    absWorkingDir: fs.realpathSync(serviceDir),
    ...(purpose === 'offline' && { minifyWhitespace: true }),
    logLevel: 'warning',
  };
}

/** One bundle for every source file of a function. */
function bundlesOfFunctions({ buildOptions, buildDirPath, functionEntries }: EsbuildPlugin): BuildOptions {
  const entries = new Set(functionEntries.map(({ entry }) => entry));
  return {
    entryPoints: [...entries].map((entry) => ({
      in: entry,
      out: entry.slice(0, -path.extname(entry).length),
    })),
    outExtension: { '.js': String(buildOptions['outputFileExtension']) },
    outdir: buildDirPath,
  };
}

/**
 * Replaces the plugin's `bundle`; a failed build rejects, as the plugin's own does. A site that has been given a
 * release serves that: nothing is built.
 * @returns Frees the build. Until then esbuild's process, and with it ours, stays.
 */
export function bundleTogether(plugin: EsbuildPlugin, serviceDir: string): () => Promise<void> {
  return bundleWith(plugin, { watched: true }, () => ({
    ...optionsOf(plugin, serviceDir, 'offline'),
    ...bundlesOfFunctions(plugin),
  }));
}

/** The same for a build of any kind. One that is watched keeps esbuild running, for the next one. */
export function bundleWith(
  plugin: EsbuildPlugin,
  { watched }: { readonly watched: boolean },
  optionsFor: () => BuildOptions,
): () => Promise<void> {
  let build: Promise<BuildContext> | undefined;
  // A rebuild of esbuild joins the one that runs, which may have read the file before it was changed.
  plugin.bundle = newestRun(async () => {
    plugin.prepare();
    const release = releaseToServe();
    if (release !== undefined) {
      placeArtefact(release, plugin.buildDirPath);
      return;
    }
    if (!watched) {
      await buildOnce(optionsFor());
      return;
    }
    build ??= context(optionsFor());
    await (await build).rebuild();
  });
  return async () => {
    await (await build?.catch(() => undefined))?.dispose();
  };
}
