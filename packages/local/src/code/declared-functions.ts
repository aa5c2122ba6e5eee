/**
 * The functions of a service definition without the framework, as far as tools and tests need them: whole, but for those
 * behind a flag, and with what the framework would fill in as it is written (`${…}`).
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import type { DeclaredFunction } from './entry-point.ts';

export type DeclaredFunctions = Readonly<
  Record<string, DeclaredFunction & { readonly handler: string; readonly role?: string }>
>;

/** `${file(infra/aws/entities.cjs):functions}` */
const OF_FILE = /^\$\{file\(([^)]+\.cjs)\):(\w+)\}$/;

/**
 * @param functions The member of that name, after YAML: a mapping, or a list of mappings and of files that export some.
 * @param dir That of the definition; absolute.
 * @throws Error that names the part which is neither.
 */
export function declaredFunctions(functions: unknown, dir: string): DeclaredFunctions {
  const parts: unknown[] = Array.isArray(functions) ? functions : [functions];
  const all = parts.flatMap((part) => Object.entries(mappingOf(part, dir)));
  // A text is a function behind a flag, in a file of its own.
  return Object.fromEntries(all.filter(([, one]) => typeof one !== 'string'));
}

function mappingOf(part: unknown, dir: string): object {
  if (typeof part === 'object' && part !== null) return part;
  const [, file, name] = OF_FILE.exec(String(part)) ?? [];
  if (file === undefined || name === undefined)
    throw new Error(`functions: ${String(part)} is no mapping, and no file that exports one`);
  const exported = createRequire(path.join(dir, 'package.json'))(`./${file}`) as Record<string, object>;
  return exported[name] ?? {};
}
