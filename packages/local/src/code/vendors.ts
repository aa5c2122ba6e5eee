/**
 * Packages of a site, each in a file that is made once for what is installed: the code around them changes many times a
 * day, and they make nine tenths of a bundle.
 *
 * Invariant: a file is kept by what is installed and by how it is bundled, so one that is used is the one that a bundle of
 * everything would hold.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build, type BuildOptions, type Plugin, version } from 'esbuild';
import { replaceFile, replaceSharedFile } from '@tandem-clouds/emulators/core/files';
import { isAlive } from '@tandem-clouds/emulators/core/is-alive';
import { GIVEN_BY_WORKER } from './entry-point.ts';

/** What is not named here is built with the code each time: small, or imported by its `default`, which would be lost. */
const VENDOR = /^(?:@(?:aws-sdk|azure|smithy)\/|(?:jose|uuid|wasm-vips)(?:\/|$))/;
/** Required by our code, and not imported: `require` finds other files of it. */
const REQUIRED = /^wasm-vips(?:\/|$)/;
/** Evaluated anew with the app: the worker gives it its part when the app is loaded. */
const OF_WORKER = '@azure/functions';
const NAMESPACE = 'vendor';
const IMPORTED = 'imported:';
/** What an app's bundle requires; it lies beside it and names the file that is kept. */
const BESIDE_APP = './vendors.cjs';
/** The same, with the package itself in it. */
const WORKER_BESIDE_APP = './functions.cjs';
/** What says which versions are installed: what was asked for, and what the client has done. */
const INSTALLED = ['package-lock.json', 'node_modules/.package-lock.json'];
const KEY_LENGTH = 20;
/** How long another process may take to make a file, before it is made here too. */
const MADE_WITHIN_MS = 30_000;
const POLL_MS = 50;

export type VendorOptions = Pick<BuildOptions, 'conditions' | 'mainFields' | 'target'>;

/** Makes a build take packages from beside its output, and collects the names of those that it imports. */
export function vendorsApart(found: Set<string>): Plugin {
  return {
    name: 'vendors-apart',
    setup(build) {
      build.onStart(() => found.clear());
      build.onResolve({ filter: VENDOR }, ({ path: name }) => {
        if (name === OF_WORKER) return { path: WORKER_BESIDE_APP, external: true };
        if (name.startsWith(`${OF_WORKER}-`)) return undefined;
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
export async function vendorsFile({ names, ...input }: VendorsInput): Promise<string> {
  const sorted = [...names].sort();
  // Each is evaluated when the app first asks for it.
  const lines = sorted.map(
    (name) => `exports[${JSON.stringify(name)}] = () => require(${JSON.stringify(IMPORTED + name)});`,
  );
  return keptFile(lines.join('\n'), input);
}

/** The file with the package of Azure Functions, which is to be evaluated with the app. @returns Its absolute path. */
export async function workerFile(input: Omit<VendorsInput, 'names'>): Promise<string> {
  return keptFile(`module.exports = require(${JSON.stringify(OF_WORKER)});`, input);
}

async function keptFile(contents: string, input: Omit<VendorsInput, 'names'>): Promise<string> {
  const key = keyOf(input.projectDir, JSON.stringify([version, contents, input.options]));
  const file = path.join(input.cacheDir, 'vendors', `${key}.cjs`);
  if (fs.existsSync(file)) return file;
  const claim = `${file}.made-by`;
  await untilTurn(file, claim);
  try {
    if (!fs.existsSync(file)) await make(file, contents, input);
  } finally {
    fs.rmSync(claim, { force: true });
  }
  return file;
}

/** One process makes a file and others that need it wait for it: each would compute the same, for seconds. */
async function untilTurn(file: string, claim: string): Promise<void> {
  const deadline = performance.now() + MADE_WITHIN_MS;
  while (!isClaimed(claim) && !fs.existsSync(file) && performance.now() < deadline) await delay(POLL_MS);
}

/** Claims it for this process. A claim of a process that has died is none; who cannot write claims makes the file at once. */
function isClaimed(claim: string): boolean {
  try {
    fs.mkdirSync(path.dirname(claim), { recursive: true });
    fs.writeFileSync(claim, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return true;
  }
  try {
    if (!isAlive(Number(fs.readFileSync(claim, 'utf8')))) fs.rmSync(claim, { force: true });
  } catch {
    // It has just been made.
  }
  return false;
}

async function make(
  file: string,
  contents: string,
  { projectDir, options }: Omit<VendorsInput, 'names'>,
): Promise<void> {
  const { outputFiles } = await build({
    ...options,
    absWorkingDir: projectDir,
    stdin: { contents, resolveDir: projectDir },
    external: [GIVEN_BY_WORKER],
    plugins: [asImported(projectDir)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    loader: { '.wasm': 'binary' },
    minifyWhitespace: true,
    write: false,
    logLevel: 'silent',
    outfile: file,
  });
  replaceSharedFile(file, outputFiles[0]?.text ?? '');
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
        contents: REQUIRED.test(name)
          ? `module.exports = require(${JSON.stringify(name)});`
          : `export * from ${JSON.stringify(name)};`,
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

/** Where the app's bundle is told which file holds its packages. */
export function vendorsBeside(folder: string, file: string): void {
  replaceFile(path.join(folder, BESIDE_APP), `module.exports = require(${JSON.stringify(file)});\n`);
}

/** @param file As `workerFile` has made it. */
export function workerBeside(folder: string, file: string): void {
  replaceFile(path.join(folder, WORKER_BESIDE_APP), fs.readFileSync(file));
}
