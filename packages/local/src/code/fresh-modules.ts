/**
 * Modules of the project as the files are now, in a process that stays: what has changed since it was evaluated is
 * evaluated again, and so is what imports it; nothing else is.
 *
 * Invariant: a module that is found was evaluated from its file, and from those that it imports, as they are now. After a
 * failure nothing of before is found.
 */
import fs from 'node:fs';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SOURCE = /\.(?:ts|js)$/;

interface Evaluated {
  /** In its address: a module of another address is another module (https://nodejs.org/api/esm.html#urls). */
  readonly generation: number;
  /** Of the file, before it was read. */
  readonly stamp: string;
}

export class FreshModules {
  readonly #projectDir: string;
  readonly #project: string;
  /** By file, relative to the project. */
  readonly #evaluated = new Map<string, Evaluated>();
  readonly #importers = new Map<string, Set<string>>();
  #generation = 0;

  /** @param projectDir Absolute, symbolic links resolved. */
  constructor(projectDir: string) {
    this.#projectDir = projectDir;
    this.#project = `${pathToFileURL(projectDir).href}/`;
    registerHooks({
      resolve: (specifier, context, nextResolve) => {
        const found = nextResolve(specifier, context);
        // What is loaded before the first generation is this process's own.
        const file = this.#generation === 0 ? undefined : this.#fileOf(found.url);
        if (file === undefined) return found;
        const importer = context.parentURL === undefined ? undefined : this.#fileOf(context.parentURL);
        return { ...found, url: `${found.url}?generation=${this.#generationOf(file, importer)}` };
      },
    });
  }

  /** Files of the modules that were evaluated, relative to the project. */
  get files(): readonly string[] {
    return [...this.#evaluated.keys()];
  }

  /** Whatever is imported from now on, until the next time, is as its file is now. */
  begin(): void {
    this.#generation += 1;
    const changed = this.files.filter((file) => this.#evaluated.get(file)?.stamp !== this.#stampOf(file));
    for (const file of changed) this.#forget(file);
  }

  /** What failed may have been remembered: all of it is evaluated again. */
  forgetAll(): void {
    this.#evaluated.clear();
    this.#importers.clear();
  }

  #forget(file: string): void {
    const importers = this.#importers.get(file) ?? [];
    this.#evaluated.delete(file);
    this.#importers.delete(file);
    for (const importer of importers) this.#forget(importer);
  }

  #generationOf(file: string, importer: string | undefined): number {
    if (importer !== undefined) {
      const importers = this.#importers.get(file) ?? new Set();
      this.#importers.set(file, importers.add(importer));
    }
    const known = this.#evaluated.get(file);
    if (known !== undefined) return known.generation;
    this.#evaluated.set(file, { generation: this.#generation, stamp: this.#stampOf(file) });
    return this.#generation;
  }

  /** Undefined: no source of the project. */
  #fileOf(url: string): string | undefined {
    const address = url.replace(/\?generation=\d+$/, '');
    const isOurs =
      address.startsWith(this.#project) && !address.includes('/node_modules/') && SOURCE.test(address);
    return isOurs ? path.relative(this.#projectDir, fileURLToPath(address)) : undefined;
  }

  #stampOf(file: string): string {
    const found = fs.statSync(path.join(this.#projectDir, file), {
      throwIfNoEntry: false,
      bigint: true,
    });
    return found === undefined ? 'absent' : `${found.mtimeNs} ${found.size} ${found.ino}`;
  }
}
