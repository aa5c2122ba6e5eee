/** The product's functions, bundled as they are deployed and loaded into this process with the environment of a site. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { type CloudName, CLOUDS, readServiceBundles, ROOT } from '../service-bundles.ts';
import type { BenchSite } from './two-sites.ts';

/** What the platform calls. */
export type PlatformHandler = (...args: readonly unknown[]) => Promise<unknown>;

/** Cloud → name of the function's file → bundle. */
export type Bundles = Readonly<Record<CloudName, Readonly<Record<string, string>>>>;

/** Bundles functions (`forward`, `users`) for both clouds, as `serverless.<cloud>.yml` says. */
export async function bundleFunctions(names: readonly string[], folder: string): Promise<Bundles> {
  const [aws, azure] = await Promise.all(CLOUDS.map((cloud) => bundleFor(cloud, names, folder)));
  return { aws: aws ?? {}, azure: azure ?? {} };
}

async function bundleFor(
  cloud: CloudName,
  names: readonly string[],
  folder: string,
): Promise<Record<string, string>> {
  const { options, bundles } = readServiceBundles(cloud);
  const wanted = bundles.filter(({ name }) => names.includes(name));
  const outdir = path.join(ROOT, '.bench', folder, cloud);
  await build({
    ...options,
    absWorkingDir: ROOT,
    entryPoints: wanted.map(({ source }) => source),
    entryNames: '[name]',
    outdir,
    outExtension: { '.js': '.cjs' },
    logLevel: 'error',
  });
  return Object.fromEntries(wanted.map(({ name }) => [name, path.join(outdir, `${name}.cjs`)]));
}

const require = createRequire(import.meta.url);

/**
 * Loads one function. It reads its configuration as it loads; what the two sites' environments share by name is
 * looked at then only.
 */
export function loadFunction(bundle: string, { env }: BenchSite): PlatformHandler {
  Object.assign(process.env, env);
  return (require(bundle) as { handler: PlatformHandler }).handler;
}
