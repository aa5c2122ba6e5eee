/**
 * Bundles of an app, kept: the sources are built again only when one of them, or how they are built, is another.
 *
 * Invariant: what is kept was built from exactly these inputs: the contents of every file that the build has read, the entry
 * point, the options, what is installed, and the modules that build. Nothing of it depends on where the stack has its folder.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { version } from 'esbuild';
import { replaceSharedFile } from '@tandem-clouds/emulators/core/files';
import { forgetOldest } from './forget-oldest.ts';

/** Code with its source map, whose sources are relative to the project. */
export interface Bundle {
  readonly code: string;
  readonly map: string;
  /** Packages that it takes from beside it. */
  readonly vendors: readonly string[];
}

/** A kept bundle, with what it was built from: file, relative to the project → hash of its contents. */
interface Kept extends Bundle {
  readonly inputs: Readonly<Record<string, string>>;
}

export interface KeptBundlesOptions {
  /** Absolute, both. */
  readonly projectDir: string;
  readonly cacheDir: string;
}

/** Say how imports are resolved, and what is installed. */
const RESOLUTION = ['package.json', 'tsconfig.json', 'package-lock.json', 'node_modules/.package-lock.json'];
const FOLDER = 'apps';
const KEY_LENGTH = 20;
/** A few branches of both clouds. */
const KEPT_MAX = 8;

export class KeptBundles {
  readonly #projectDir: string;
  readonly #folder: string;

  constructor({ projectDir, cacheDir }: KeptBundlesOptions) {
    this.#projectDir = projectDir;
    this.#folder = path.join(cacheDir, FOLDER);
  }

  /** @param how What decides, beside the files: the entry point and the options. */
  read(how: unknown): (Bundle & { readonly inputs: readonly string[] }) | undefined {
    const file = this.#file(how);
    let kept: Kept;
    try {
      kept = JSON.parse(fs.readFileSync(file, 'utf8')) as Kept;
    } catch {
      return undefined;
    }
    const { inputs, ...bundle } = kept;
    if (Object.entries(inputs).some(([input, hash]) => this.#hashOf(input) !== hash)) return undefined;
    const now = new Date();
    fs.utimesSync(file, now, now);
    return { ...bundle, inputs: Object.keys(inputs) };
  }

  /** @param inputs Relative to the project. A cache that cannot be written is none. */
  keep(how: unknown, bundle: Bundle, inputs: readonly string[]): void {
    const hashes = inputs.map((input) => [input, this.#hashOf(input)] as const);
    // It has gone meanwhile: the next build will say so.
    if (hashes.some(([, hash]) => hash === undefined)) return;
    try {
      replaceSharedFile(
        this.#file(how),
        JSON.stringify({ ...bundle, inputs: Object.fromEntries(hashes) } satisfies Bundle & {
          inputs: unknown;
        }),
      );
      forgetOldest(this.#folder, KEPT_MAX);
    } catch {
      // Built each time, then.
    }
  }

  #file(how: unknown): string {
    const hash = createHash('sha256').update(JSON.stringify([version, how]));
    const own = fs.readdirSync(import.meta.dirname).sort();
    for (const name of own) hash.update(fs.readFileSync(path.join(import.meta.dirname, name)));
    for (const name of RESOLUTION) hash.update(this.#hashOf(name) ?? 'none');
    return path.join(this.#folder, `${hash.digest('hex').slice(0, KEY_LENGTH)}.json`);
  }

  #hashOf(file: string): string | undefined {
    try {
      return createHash('sha256')
        .update(fs.readFileSync(path.join(this.#projectDir, file)))
        .digest('base64');
    } catch {
      return undefined;
    }
  }
}
