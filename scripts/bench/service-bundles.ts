/**
 * What a service definition says about bundles: the options of `custom.esbuild` and the source of every function.
 * Read from the file that packaging uses, so that a bench measures what is deployed.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { BuildOptions } from 'esbuild';
import { parse } from 'yaml';
import { declaredFunctions } from '@tandem-clouds/local/code/declared-functions';
import type { DeclaredFunction } from '@tandem-clouds/local/code/entry-point';

export type CloudName = 'aws' | 'azure';

export const CLOUDS: readonly CloudName[] = ['aws', 'azure'];

/** The root of the project. */
export const ROOT = path.join(import.meta.dirname, '../..');

export interface ServiceBundles {
  readonly cloud: CloudName;
  /** esbuild's own options, without entry points and output. */
  readonly options: BuildOptions;
  /** One per source file: several functions may share a bundle. Sorted by name. */
  readonly bundles: readonly { readonly name: string; readonly source: string }[];
  readonly functions: Readonly<Record<string, DeclaredFunction>>;
}

/**
 * Options in `custom.esbuild` that steer the plugin (serverless-esbuild 1.57, `dist/bundle.js`) and that esbuild
 * would refuse.
 */
const OF_THE_PLUGIN = new Set([
  'concurrency',
  'disposeContext',
  'exclude',
  'installExtraArgs',
  'keepOutputDirectory',
  'nativeZip',
  'nodeExternals',
  'outputBuildFolder',
  'outputFileExtension',
  'outputWorkFolder',
  'packagePath',
  'packager',
  'packagerOptions',
  'skipBuild',
  'skipBuildExcludeFns',
  'skipRebuild',
  'stripEntryResolveExtensions',
  'watch',
  'zipConcurrency',
]);

interface Definition {
  readonly custom: { readonly esbuild: Readonly<Record<string, unknown>> };
  readonly functions: unknown;
}

/** Reads `serverless.<cloud>.yml`. */
export function readServiceBundles(cloud: CloudName): ServiceBundles {
  const text = fs.readFileSync(path.join(ROOT, `serverless.${cloud}.yml`), 'utf8');
  return { cloud, ...parseDefinition(text) };
}

/** What a service definition says, from its text. */
export function parseDefinition(text: string): Omit<ServiceBundles, 'cloud'> {
  const { custom, functions } = parse(text, { merge: true }) as Definition;
  const own = Object.entries(custom.esbuild).filter(([name]) => !OF_THE_PLUGIN.has(name));
  const external = custom.esbuild['exclude'] as string[] | undefined;
  const declared = declaredFunctions(functions, ROOT);
  const sources = new Set(Object.values(declared).map(({ handler }) => sourceOf(handler)));
  return {
    options: { platform: 'node', external: external ?? [], ...(Object.fromEntries(own) as BuildOptions) },
    functions: declared,
    bundles: [...sources]
      .map((source) => ({ name: path.basename(source, '.ts'), source }))
      .sort((a, b) => a.name.localeCompare(b.name)),
  };
}

/** `src/handlers/items.handler` → `src/handlers/items.ts` */
function sourceOf(handler: string): string {
  return handler.replace(/\.[^./]+$/, '.ts');
}
