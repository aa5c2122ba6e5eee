/** Changes the source text of one module of the product while it is being loaded into this thread. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import type { Faults } from './faults.ts';

export interface Mutant {
  readonly name: string;
  /** The module, from the root. */
  readonly file: string;
  /** Text that occurs exactly once in it. */
  readonly search: string;
  readonly replacement: string;
  /** Faults that are on in every schedule, because the defect shows under them only. */
  readonly faults?: Partial<Faults>;
}

/** A defect as a row. */
export function mutant(
  name: string,
  file: string,
  search: string,
  replacement: string,
  faults?: Partial<Faults>,
): Mutant {
  return { name, file, search, replacement, ...(faults !== undefined && { faults }) };
}

const ROOT = new URL('../../../../', import.meta.url);

/** The module's text with the mutation. @throws RangeError when the text to replace is not there exactly once. */
export function mutatedText({ name, file, search, replacement }: Mutant): string {
  const text = readFileSync(fileURLToPath(new URL(file, ROOT)), 'utf8');
  const parts = text.split(search);
  if (parts.length !== 2) {
    throw new RangeError(`mutant "${name}": its text occurs ${parts.length - 1} times in ${file}, not once`);
  }
  return parts.join(replacement);
}

/**
 * A mutant whose module cannot be loaded says nothing about the checkers.
 * @throws RangeError as `mutatedText` does. @throws an error of the compiler that says where the text is no module.
 */
export function checkMutant(mutant: Mutant): void {
  transformSync(mutatedText(mutant), { loader: 'ts', sourcefile: mutant.name, logLevel: 'silent' });
}

/** From now on this thread loads the mutated module. @throws RangeError as `mutatedText` does. */
export function loadMutated(mutant: Mutant): void {
  const source = mutatedText(mutant);
  const target = new URL(mutant.file, ROOT).href;
  registerHooks({
    load: (url, context, nextLoad) =>
      url === target ? { format: 'module-typescript', source, shortCircuit: true } : nextLoad(url, context),
  });
}
