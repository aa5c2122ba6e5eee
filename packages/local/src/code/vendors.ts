/**
 * The vendors' SDKs of a site in one file, which is made once for what is installed: the code around them changes many
 * times a day, and they make nine tenths of a bundle.
 *
 * Invariant: the file is kept by what is installed and by how it is bundled, so one that is used is the one that a
 * bundle of everything would hold.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { build, type BuildOptions, type Plugin, version } from 'esbuild';
import { replaceFile, replaceSharedFile } from '@tandem-clouds/emulators/core/files';

/** Packages that are kept apart. The worker's own part of `@azure/functions` is given when the app is loaded. */
const VENDOR = /^@(?:aws-sdk|azure|smithy)\//;
const NOT_APART = /^@azure\/functions(?:$|[/-])/;
const NAMESPACE = 'vendor';
const IMPORTED = 'imported:';
/** What an app's bundle requires; it lies beside it and names the file that is kept. */
const BESIDE_APP = './vendors.cjs';
/** What says which versions are installed: what was asked for, and what the client has done. */
const INSTALLED = ['package-lock.json', 'node_modules/.package-lock.json'];
const KEY_LENGTH = 20;

export type VendorOptions = Pick<BuildOptions, 'conditions' | 'mainFields' | 'target'>;

/** Makes a build take the SDKs from beside its output, and collects the names of those that it imports. */
export function vendorsApart(found: Set<string>): Plugin {
  return {
    name: 'vendors-apart',
    setup(build) {
      build.onStart(() => found.clear());
      build.onResolve({ filter: VENDOR }, ({ path: name }) => {
        if (NOT_APART.test(name)) return undefined;
        found.add(name);
        return { path: name, namespace: NAMESPACE };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path: name }) => ({
        contents: `module.exports = require(${JSON.stringify(BESIDE_APP)})[${JSON.stringify(name)}]();`,
        loader: 'js',
      }));
      build.onResolve({ filter: /^\.\/vendors\.cjs$/, namespace: NAMESPACE }, () => ({
        path: BESIDE_APP,
        external: true,
      }));
    },
  };
}

export interface VendorsInput {
  readonly projectDir: string;
  readonly names: readonly string[];
  readonly options: VendorOptions;
  readonly cacheDir: string;
}

/** The file with these packages, made now if it is not kept. @returns Its absolute path. */
export async function vendorsFile({ projectDir, names, options, cacheDir }: VendorsInput): Promise<string> {
  const sorted = [...names].sort();
  const key = keyOf(projectDir, JSON.stringify([version, sorted, options]));
  const file = path.join(cacheDir, 'vendors', `${key}.cjs`);
  if (fs.existsSync(file)) return file;
  const { outputFiles } = await build({
    ...options,
    absWorkingDir: projectDir,
    stdin: {
      // Each is evaluated when the app first asks for it.
      contents: sorted
        .map(
          (name) => `exports[${JSON.stringify(name)}] = () => require(${JSON.stringify(IMPORTED + name)});`,
        )
        .join('\n'),
      resolveDir: projectDir,
    },
    plugins: [asImported(projectDir)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minifyWhitespace: true,
    write: false,
    logLevel: 'silent',
    outfile: file,
  });
  replaceSharedFile(file, outputFiles[0]?.text ?? '');
  return file;
}

/** `require` would find other files of a package than the `import` in our code does. */
function asImported(projectDir: string): Plugin {
  return {
    name: 'as-imported',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${IMPORTED}`) }, ({ path: name }) => ({
        path: name.slice(IMPORTED.length),
        namespace: NAMESPACE,
      }));
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path: name }) => ({
        contents: `export * from ${JSON.stringify(name)};`,
        loader: 'js',
        resolveDir: projectDir,
      }));
    },
  };
}

function keyOf(projectDir: string, how: string): string {
  const hash = createHash('sha256').update(how);
  for (const name of INSTALLED) {
    const file = path.join(projectDir, name);
    if (fs.existsSync(file)) hash.update(fs.readFileSync(file));
  }
  return hash.digest('hex').slice(0, KEY_LENGTH);
}

/** Where the app's bundle is told which file holds its SDKs. */
export function vendorsBeside(folder: string, file: string): void {
  replaceFile(path.join(folder, BESIDE_APP), `module.exports = require(${JSON.stringify(file)});\n`);
}
