/** The entities that are declared, read from their folder: whoever adds a file there has nothing else to list. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeclarationError, Mistake } from '../../src/shared/domain/declaration-mistakes.ts';
import type { Entity } from '../../src/shared/domain/entity.ts';
import { schemaMistakes } from './check-examples.ts';
import { camel, functionOf } from './names.ts';

/** From the root, with `/`. */
export const ENTITIES_FOLDER = 'src/shared/entities';

export interface DeclaredEntity {
  /** From the root: `src/shared/entities/user.ts`. */
  readonly file: string;
  /** The name under which the file exports it. */
  readonly exportName: string;
  readonly entity: Entity;
}

/** Declarations contradict themselves, or one another. A line each: `file:line:column: entity: place: what`. */
export class DeclarationsError extends Error {
  override readonly name = 'DeclarationsError';

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** A file in a folder of declarations, and what it declares. */
export interface Declared<T> {
  readonly file: string;
  readonly exportName: string;
  readonly value: T;
}

/** What a folder of declarations holds: one in each file. */
export interface DeclarationFolder<T> {
  /** From the root, with `/`; none when it is not there. */
  readonly folder: string;
  readonly isOne: (value: unknown) => value is T;
  /** What each file must export. */
  readonly what: string;
  /** What only a schema compiler sees. */
  readonly mistakes: (value: T) => readonly Mistake[];
  readonly nameOf: (value: T) => string;
}

/** In the order of their files, with a line for every mistake; `broken` has mistakes of its own. */
export async function readDeclarations<T>(
  root: string,
  { folder, isOne, what, mistakes, nameOf }: DeclarationFolder<T>,
): Promise<{
  readonly loaded: readonly Declared<T>[];
  readonly broken: readonly Declared<T>[];
  readonly problems: readonly string[];
}> {
  const there = path.join(root, folder);
  const names = fs.existsSync(there) ? fs.readdirSync(there).sort() : [];
  const problems: string[] = [];
  const loaded: Declared<T>[] = [];
  const broken: Declared<T>[] = [];
  for (const name of names.filter((one) => one.endsWith('.ts'))) {
    const file = `${folder}/${name}`;
    try {
      const exports = (await import(pathToFileURL(path.join(root, file)).href)) as Record<string, unknown>;
      const found = Object.entries(exports).flatMap(([exportName, value]) =>
        isOne(value) ? [{ file, exportName, value }] : [],
      );
      const [only] = found;
      if (only === undefined || found.length > 1)
        throw new Error(`must export exactly one ${what}; it exports ${found.length}`);
      loaded.push(only);
      problems.push(...(await located(root, { file, name: nameOf(only.value) }, mistakes(only.value))));
    } catch (error) {
      const { declared } = error as Partial<DeclarationError>;
      const value: unknown = declared;
      const isShaped = isOne(value);
      if (isShaped) broken.push({ file, exportName: '', value });
      problems.push(...(await linesOf(root, file, error, isShaped ? mistakes(value) : [])));
    }
  }
  return { loaded, broken, problems };
}

const ENTITIES: DeclarationFolder<Entity> = {
  folder: ENTITIES_FOLDER,
  isOne: (value): value is Entity =>
    typeof value === 'object' && value !== null && 'collection' in value && 'idField' in value,
  what: 'entity, made by defineEntity',
  mistakes: schemaMistakes,
  nameOf: ({ name }) => name,
};

/** Those that can be loaded, and a line for every mistake. */
export async function readEntities(
  root: string,
): Promise<{ readonly entities: readonly DeclaredEntity[]; readonly problems: readonly string[] }> {
  const { loaded, problems } = await readDeclarations(root, ENTITIES);
  const entities = loaded.map(({ value, ...declared }) => ({ ...declared, entity: value }));
  const more: string[] = [];
  for (const { declared, ...mistake } of twins(entities))
    more.push(...(await located(root, { file: declared.file, name: declared.entity.name }, [mistake])));
  return { entities, problems: [...problems, ...more] };
}

/** Paths of one segment that an entity answers on, and where it says so. */
export function pathsOf({ collection, aliases }: Entity): { at: string[]; path: string }[] {
  return [`/${collection}`, ...aliases].map((one, index) => ({
    at: index === 0 ? ['collection'] : ['aliases', one],
    path: one,
  }));
}

/** Two entities of one name, or two that answer on one path. */
function twins(
  loaded: readonly DeclaredEntity[],
): readonly (Mistake & { readonly declared: DeclaredEntity })[] {
  const seen = new Map<string, string>();
  return loaded.flatMap((declared) => {
    const { name } = declared.entity;
    const has = [
      { at: ['name'], what: `name ${camel(name)}`, key: camel(name) },
      // Azure does not tell capital letters from small ones.
      ...pathsOf(declared.entity).map(({ at, path: where }) => ({
        at,
        what: `path ${where}, or the function that answers there,`,
        key: `/${functionOf(where).toLowerCase()}`,
      })),
    ];
    return has.flatMap(({ at, what, key }) => {
      const other = seen.get(key);
      seen.set(key, declared.file);
      return other === undefined ? [] : [{ declared, at, detail: `the ${what} is that of ${other}` }];
    });
  });
}

interface Failed {
  readonly file: string;
  /** Of the entity, or of the routes. */
  readonly name: string;
}

/** A line for each: `file:line:column: name: place: what`. */
export async function located(
  root: string,
  { file, name }: Failed,
  mistakes: readonly Mistake[],
): Promise<string[]> {
  if (mistakes.length === 0) return [];
  const { placeIn } = await import('./locate.ts');
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  return mistakes.map(({ at, detail }) => {
    const { line, column } = placeIn(text, at, /^\S+/.exec(detail)?.[0]);
    return `${file}:${line}:${column}: ${name}: ${at.join('.')}: ${detail}`;
  });
}

/** What a file that cannot be loaded says about why. @param more What else is wrong with what it declares. */
async function linesOf(
  root: string,
  file: string,
  error: unknown,
  more: readonly Mistake[],
): Promise<string[]> {
  const { mistakes, entity = '' } = error as Partial<DeclarationError>;
  // Not by its class: the file may have one of its own, from a copy of the project.
  if (mistakes !== undefined) return located(root, { file, name: entity }, [...mistakes, ...more]);
  const { syntaxMistakes } = await import('./locate.ts');
  const found = syntaxMistakes(fs.readFileSync(path.join(root, file), 'utf8'));
  if (found.length > 0)
    return found.map(({ line, column, detail }) => `${file}:${line}:${column}: ${detail}`);
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const [, line = '1', column = '1'] =
    new RegExp(`${path.basename(file)}(?:\\?\\S*?)?:(\\d+):(\\d+)`).exec(stack) ?? [];
  return [`${file}:${line}:${column}: ${message}`];
}
