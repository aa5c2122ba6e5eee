/** Makes serverless-esbuild build one bundle of the whole app, and zip the folder that it is in. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { StdinOptions } from 'esbuild';
import { bundleWith, type EsbuildPlugin, optionsOf } from '../bundle-together.ts';
import {
  BUNDLE,
  type DeclaredFunction,
  entrySource,
  GIVEN_BY_WORKER,
  registrationsOf,
} from './entry-point.ts';

/** What esbuild is to build: an entry point that is in no file. */
export function appEntry(
  functions: Readonly<Record<string, DeclaredFunction>>,
  resolveDir: string,
): StdinOptions {
  return {
    contents: entrySource(registrationsOf(functions)),
    resolveDir,
    sourcefile: 'entry-point.ts',
    loader: 'ts',
  };
}

interface AzureEsbuildPlugin extends EsbuildPlugin {
  readonly workDirPath: string;
  readonly serverless: { readonly service: { readonly package: { artifact?: string } } };
  pack(): Promise<void>;
}

export interface BundleAppOptions {
  readonly serviceDir: string;
  readonly functions: Readonly<Record<string, DeclaredFunction>>;
  /** Offline a build is for reading and for speed; a package is minified, with its source map. */
  readonly offline: boolean;
  /** Of the zip, without its extension. */
  readonly name: string;
}

/** Replaces the plugin's building, of one bundle a function, and its packing, which leaves package.json out. */
export function bundleApp(plugin: AzureEsbuildPlugin, options: BundleAppOptions): void {
  const { serviceDir, functions, offline, name } = options;
  bundleWith(plugin, { watched: offline }, () => {
    const { buildDirPath, buildOptions } = plugin;
    const { external = [], ...chosen } = optionsOf(plugin, serviceDir, offline ? 'offline' : 'package');
    const excluded = offline ? [] : ((buildOptions['exclude'] as string[] | undefined) ?? []);
    return {
      ...chosen,
      external: [...external, ...excluded, GIVEN_BY_WORKER],
      stdin: appEntry(functions, serviceDir),
      outfile: path.join(buildDirPath, `${BUNDLE}.cjs`),
    };
  });
  plugin.pack = async () => {
    const zipPath = path.join(plugin.workDirPath, '.serverless', `${name}.zip`);
    await zipFolder(plugin.buildDirPath, zipPath);
    // Without it the framework makes a package of its own, of the whole project.
    plugin.serverless.service.package.artifact = zipPath;
  };
}

type Zip = (
  zipPath: string,
  files: { localPath: string; rootPath: string }[],
  native: boolean,
) => Promise<void>;

async function zipFolder(folder: string, zipPath: string): Promise<void> {
  const { zip } = createRequire(import.meta.url)('serverless-esbuild/dist/utils') as { zip: Zip };
  const files = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const rootPath = path.join(entry.parentPath, entry.name);
      return { localPath: path.relative(folder, rootPath), rootPath };
    });
  await zip(zipPath, files, false);
}
