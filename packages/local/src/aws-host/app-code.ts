/**
 * The functions of a site's bundle in this process, and files through which serverless-offline finds each by its path.
 *
 * Invariants: all functions are of one build; one that cannot be evaluated leaves the last one in place. Each server has
 * functions and files of its own: of two that serve at the same time neither runs the code of the other.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { replaceFile } from '@tandem-clouds/emulators/core/files';
import { BUNDLE } from '../code/entry-point.ts';
import { evaluateAnew } from '../code/evaluate-anew.ts';

/** Exports of each source of a function, by its name without the extension. */
type App = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Code that is loaded, and that nothing calls yet. */
export interface LoadedCode {
  /** The functions are these from now on. */
  readonly serve: () => void;
  /** They stay as they are. */
  readonly discard: () => void;
}

/** Under which, with a number, the files below find the functions. */
const REGISTRY = 'tandem.functions';

const require = createRequire(import.meta.url);

export class AppCode {
  readonly #folder: string;
  readonly #registry: string;
  #app: App | undefined;

  /** @param id Of this one among all of the process. */
  constructor(folder: string, id: number) {
    this.#folder = folder;
    this.#registry = `${REGISTRY}.${id}`;
  }

  /** Where the files of the functions are: `src/handlers/items.cjs`. */
  get folder(): string {
    return this.#folder;
  }

  /** @throws What the bundle throws when it is evaluated. */
  load(appDir: string): LoadedCode {
    const folder = fs.realpathSync(appDir);
    const file = path.join(folder, `${BUNDLE}.cjs`);
    const { result, undo } = evaluateAnew(require, folder, () => require(file) as App);
    return {
      serve: () => {
        this.#app = result;
      },
      discard: undo,
    };
  }

  /** A file for each function where a bundle of its own would be, which calls the one that is loaded. */
  place(handlers: readonly string[]): void {
    Object.assign(globalThis, { [Symbol.for(this.#registry)]: (source: string) => this.#app?.[source] });
    fs.rmSync(this.#folder, { recursive: true, force: true });
    const exports = new Map<string, Set<string>>();
    for (const handler of handlers) {
      const dot = handler.lastIndexOf('.');
      const source = handler.slice(0, dot);
      exports.set(source, (exports.get(source) ?? new Set()).add(handler.slice(dot + 1)));
    }
    for (const [source, names] of exports) {
      const lines = [...names].map(
        (name) =>
          `exports[${JSON.stringify(name)}] = (event, context) => functionsOf(${JSON.stringify(source)})[${JSON.stringify(name)}](event, context);`,
      );
      const head = `'use strict';\nconst functionsOf = globalThis[Symbol.for(${JSON.stringify(this.#registry)})];\n`;
      replaceFile(path.join(this.#folder, `${source}.cjs`), `${head}${lines.join('\n')}\n`);
    }
  }

  /** Nothing calls the functions any more. */
  remove(): void {
    Reflect.deleteProperty(globalThis, Symbol.for(this.#registry));
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}
