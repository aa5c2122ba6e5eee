/** The modules of a packaged app, in Node's own module cache, so that functions of one bundle share its state. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { FunctionDefinition } from './function-app.ts';
import type { FunctionCallback } from './programming-model.ts';

export class Bundles {
  readonly #require = createRequire(import.meta.url);
  readonly #root: string;

  constructor(appDir: string) {
    // As in the module cache: symbolic links resolved.
    this.#root = fs.realpathSync(appDir) + path.sep;
  }

  /** @throws Error when a bundle does not export the entry point, or what it throws itself. */
  load(functions: readonly FunctionDefinition[]): ReadonlyMap<FunctionDefinition, FunctionCallback> {
    return new Map(functions.map((definition) => [definition, this.#callback(definition)]));
  }

  #callback({ name, scriptFile, entryPoint }: FunctionDefinition): FunctionCallback {
    const module = this.#require(scriptFile) as Record<string, unknown>;
    const callback = module[entryPoint];
    if (typeof callback !== 'function') {
      throw new Error(`function ${name}: ${scriptFile} exports no function '${entryPoint}'`);
    }
    return callback as FunctionCallback;
  }

  /** The next load reads the files again. */
  forget(): void {
    const { cache } = this.#require;
    for (const file of Object.keys(cache)) {
      if (file.startsWith(this.#root)) Reflect.deleteProperty(cache, file);
    }
  }
}
