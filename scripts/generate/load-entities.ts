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

/** In the order of their files. @throws DeclarationsError that names every mistake of every file. */
export async function loadEntities(
  root = path.join(import.meta.dirname, '../..'),
): Promise<readonly DeclaredEntity[]> {
  const names = fs.readdirSync(path.join(root, ENTITIES_FOLDER)).sort();
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => `${ENTITIES_FOLDER}/${name}`);
  const problems: string[] = [];
  const loaded: DeclaredEntity[] = [];
  for (const file of files) {
    try {
      const declared = await load(root, file);
      loaded.push(declared);
      problems.push(...(await located(root, declared, schemaMistakes(declared.entity))));
    } catch (error) {
      problems.push(...(await linesOf(root, file, error)));
    }
  }
  for (const { declared, ...mistake } of twins(loaded))
    problems.push(...(await located(root, declared, [mistake])));
  if (problems.length > 0) throw new DeclarationsError(problems);
  return loaded;
}

async function load(root: string, file: string): Promise<DeclaredEntity> {
  const exports = (await import(pathToFileURL(path.join(root, file)).href)) as Record<string, unknown>;
  const found = Object.entries(exports).filter(([, value]) => isEntity(value));
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new Error(`must export exactly one entity, made by defineEntity; it exports ${found.length}`);
  return { file, exportName: only[0], entity: only[1] as Entity };
}

function isEntity(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'collection' in value && 'idField' in value;
}

/** Two entities of one name, or two that answer on one path. */
function twins(
  loaded: readonly DeclaredEntity[],
): readonly (Mistake & { readonly declared: DeclaredEntity })[] {
  const seen = new Map<string, string>();
  return loaded.flatMap((declared) => {
    const { name, collection, aliases } = declared.entity;
    const has = [
      { at: ['name'], what: `name ${camel(name)}`, key: camel(name) },
      // Azure does not tell capital letters from small ones.
      ...[`/${collection}`, ...aliases].map((where, index) => ({
        at: index === 0 ? ['collection'] : ['aliases', where],
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

type Failed = Pick<DeclaredEntity, 'file'> & { readonly entity: Pick<Entity, 'name'> };

async function located(
  root: string,
  { file, entity }: Failed,
  mistakes: readonly Mistake[],
): Promise<string[]> {
  if (mistakes.length === 0) return [];
  const { placeIn } = await import('./locate.ts');
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  return mistakes.map(({ at, detail }) => {
    const { line, column } = placeIn(text, at, /^\S+/.exec(detail)?.[0]);
    return `${file}:${line}:${column}: ${entity.name}: ${at.join('.')}: ${detail}`;
  });
}

/** What a file that cannot be loaded says about why. */
async function linesOf(root: string, file: string, error: unknown): Promise<string[]> {
  const { mistakes, entity = '', declared } = error as Partial<DeclarationError>;
  // Not by its class: the file may have one of its own, from a copy of the project.
  if (mistakes !== undefined) {
    const more = declared === undefined ? [] : schemaMistakes(declared);
    return located(root, { file, entity: { name: entity } }, [...mistakes, ...more]);
  }
  const { syntaxMistakes } = await import('./locate.ts');
  const found = syntaxMistakes(fs.readFileSync(path.join(root, file), 'utf8'));
  if (found.length > 0)
    return found.map(({ line, column, detail }) => `${file}:${line}:${column}: ${detail}`);
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const [, line = '1', column = '1'] =
    new RegExp(`${path.basename(file)}(?:\\?\\S*?)?:(\\d+):(\\d+)`).exec(stack) ?? [];
  return [`${file}:${line}:${column}: ${message}`];
}
