/**
 * What `npm pack` runs before and after, in the folder of the package that is packed: this one, or another that stands alone (https://docs.npmjs.com/cli/v11/using-npm/scripts#life-cycle-operation-order).
 * `prepare` writes dist/ and a package.json for who installs it; `restore` puts back what is in the repository.
 *
 * Invariants: package.json is never half written. While the other one is in place every import of this package in the
 * repository still resolves, to dist. npm runs no `postpack` when packing fails or is interrupted, so a guard restores as
 * soon as npm has ended; a machine that went down in between is put right by the next `prepare`.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../src/core/is-alive.ts';
import { compile } from './compile.ts';

/** Of the package: where npm runs its scripts. */
const FOLDER = process.cwd();
const MANIFEST = path.join(FOLDER, 'package.json');
/** The one of the repository, while the other is in its place. */
const KEPT = path.join(FOLDER, '.package.json.kept');
const DIST = path.join(FOLDER, 'dist');
const POLL_MS = 100;

interface Manifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The package.json for who installs the package. It stays private: npm refuses to publish such a tarball. */
function packedManifest({ scripts: _scripts, dependencies, bin, exports, ...rest }: Manifest): object {
  const { '.': main, ...others } = mapped(exports, (name) => ({
    types: `./dist/${name}.d.ts`,
    default: `./dist/${name}.js`,
  }));
  return {
    ...rest,
    ...(bin && { bin: mapped(bin, scriptOf) }),
    exports: { '.': main, './internal/*': null, ...others },
    dependencies: Object.fromEntries(
      Object.entries(dependencies).filter(([name]) => !name.startsWith('@tandem-clouds/')),
    ),
  };
}

const scriptOf = (name: string): string => `./dist/${name}.js`;

/** `./src/main.ts` → what `main` is in the package. */
function mapped<T>(files: Readonly<Record<string, string>>, to: (name: string) => T): Record<string, T> {
  return Object.fromEntries(
    Object.entries(files).map(([key, file]) => [key, to(file.replace(/^\.\/src\/|\.ts$/g, ''))]),
  );
}

function prepare(): void {
  restore();
  compile(FOLDER, DIST);
  const manifest = JSON.parse(fs.readFileSync(MANIFEST, 'utf8')) as Manifest;
  for (const script of Object.values(mapped(manifest.bin ?? {}, scriptOf)))
    fs.chmodSync(path.join(FOLDER, script), 0o755);
  const packed = packedManifest(manifest);
  const next = `${KEPT}.next`;
  fs.copyFileSync(MANIFEST, next);
  fs.renameSync(next, KEPT);
  restoreAfter(npmAbove());
  fs.writeFileSync(next, `${JSON.stringify(packed, null, 2)}\n`);
  fs.renameSync(next, MANIFEST);
}

function restore(): void {
  if (fs.existsSync(KEPT)) fs.renameSync(KEPT, MANIFEST);
  fs.rmSync(DIST, { recursive: true, force: true });
}

/** The npm that runs this script, with or without a shell in between; undefined where there is no `ps`. */
function npmAbove(): number | undefined {
  let pid = process.ppid;
  for (let level = 0; level < 2; level += 1) {
    const { stdout } = spawnSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' });
    const [, parent, command = ''] = /^\s*(\d+)\s+(.*)$/m.exec(stdout) ?? [];
    if (/^npm\b|npm-cli\.js/.test(command)) return pid;
    pid = Number(parent);
  }
  return undefined;
}

function restoreAfter(npm: number | undefined): void {
  if (npm === undefined) return;
  const guard = [import.meta.filename, 'guard', String(npm)];
  spawn(process.execPath, guard, { detached: true, stdio: 'ignore' }).unref();
}

/** Ends when `postpack` has restored, or restores when npm has ended without it. */
async function guard(npm: number): Promise<void> {
  while (fs.existsSync(KEPT) && isAlive(npm)) await delay(POLL_MS);
  if (fs.existsSync(KEPT)) restore();
}

const [what, npm] = process.argv.slice(2);
if (what === 'prepare') prepare();
else if (what === 'guard') await guard(Number(npm));
else restore();
