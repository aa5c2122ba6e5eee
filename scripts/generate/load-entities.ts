/** The entities that are declared, read from their folder: whoever adds a file there has nothing else to list. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Entity } from '../../src/shared/domain/entity.ts';
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

/** In the order of their files. @throws Error that names every file that is not right. */
export async function loadEntities(
  root = path.join(import.meta.dirname, '../..'),
): Promise<readonly DeclaredEntity[]> {
  const names = fs.readdirSync(path.join(root, ENTITIES_FOLDER)).sort();
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => `${ENTITIES_FOLDER}/${name}`);
  const problems: string[] = [];
  const loaded: DeclaredEntity[] = [];
  for (const file of files) {
    try {
      loaded.push(await load(root, file));
    } catch (error) {
      problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  problems.push(...twins(loaded));
  if (problems.length > 0) throw new Error(problems.join('\n'));
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
function twins(loaded: readonly DeclaredEntity[]): readonly string[] {
  const seen = new Map<string, string>();
  return loaded.flatMap(({ file, entity: { name, collection, aliases } }) =>
    [
      `name ${camel(name)}`,
      ...[`/${collection}`, ...aliases].flatMap((at) => [
        `path ${at}`,
        `function ${functionOf(at).toLowerCase()}`,
      ]),
    ].flatMap((what) => {
      const other = seen.get(what);
      seen.set(what, file);
      return other === undefined ? [] : [`${file}: the ${what} is that of ${other}`];
    }),
  );
}
