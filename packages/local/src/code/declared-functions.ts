/**
 * The functions of a service definition without the framework, as far as tools and tests need them: whole, but for those
 * behind a flag that is off unless somebody turns it on, and with what the framework would fill in as it is written (`${…}`).
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parse } from 'yaml';
import type { DeclaredFunction } from './entry-point.ts';

export type DeclaredFunctions = Readonly<
  Record<string, DeclaredFunction & { readonly handler: string; readonly role?: string }>
>;

/** `${file(infra/azure/transfer.yml):${self:custom.features.objects}.function, null}` */
const BEHIND_FLAG = /^\$\{file\(([^)]+\.yml)\):\$\{self:custom\.features\.(\w+)\}\.function, null\}$/;
/** Flags that follow from what is declared, and the module that says whether they are on. */
const FOLLOWING: Readonly<Record<string, string>> = { objects: './infra/has-content.cjs' };
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
  return Object.fromEntries(
    all.flatMap(([key, one]: [string, unknown]) => {
      const found = typeof one === 'string' ? behindFlag(one, dir) : one;
      return found === undefined ? [] : [[key, found]];
    }),
  ) as DeclaredFunctions;
}

/** A text is a function behind a flag, in a file of its own. */
function behindFlag(text: string, dir: string): unknown {
  const [, file = '', flag = ''] = BEHIND_FLAG.exec(text) ?? [];
  const follows = FOLLOWING[flag];
  if (follows === undefined) return undefined;
  const isOn = createRequire(path.join(dir, 'package.json'))(follows) as () => string;
  const parts = parse(fs.readFileSync(path.join(dir, file), 'utf8')) as Record<string, { function?: object }>;
  return parts[isOn()]?.function;
}

function mappingOf(part: unknown, dir: string): object {
  if (typeof part === 'object' && part !== null) return part;
  const [, file, name] = OF_FILE.exec(String(part)) ?? [];
  if (file === undefined || name === undefined)
    throw new Error(`functions: ${String(part)} is no mapping, and no file that exports one`);
  const exported = createRequire(path.join(dir, 'package.json'))(`./${file}`) as Record<string, object>;
  return exported[name] ?? {};
}
