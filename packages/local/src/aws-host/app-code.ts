/**
 * The functions of a site's bundle in this process, and files through which serverless-offline finds each by its path.
 *
 * Invariant: all functions are of one build; one that cannot be evaluated leaves the last one in place.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BUNDLE } from '../code/entry-point.ts';
import { evaluateAnew } from '../code/evaluate-anew.ts';
import { replaceFile } from '@tandem-clouds/emulators/core/files';

/** Exports of each source of a function, by its name without the extension. */
type App = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Under which the files below find the functions. */
const REGISTRY = 'tandem.functions';

const require = createRequire(import.meta.url);

export class AppCode {
  #app: App | undefined;

  /** Makes the functions findable for the files that `placeFunctions` writes. */
  register(): void {
    Object.assign(globalThis, { [Symbol.for(REGISTRY)]: (source: string) => this.#app?.[source] });
  }

  /** @throws What the bundle throws when it is evaluated. */
  load(appDir: string): void {
    const folder = fs.realpathSync(appDir);
    const file = path.join(folder, `${BUNDLE}.cjs`);
    this.#app = evaluateAnew(require, folder, () => require(file) as App);
  }
}

/** A file for each function where a bundle of its own would be, which calls the one that is loaded. */
export function placeFunctions(bundlesDir: string, handlers: readonly string[]): void {
  fs.rmSync(bundlesDir, { recursive: true, force: true });
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
    const head = `'use strict';\nconst functionsOf = globalThis[Symbol.for(${JSON.stringify(REGISTRY)})];\n`;
    replaceFile(path.join(bundlesDir, `${source}.cjs`), `${head}${lines.join('\n')}\n`);
  }
}
