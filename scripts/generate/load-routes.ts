/** The custom routes that are declared, read from their folder, and what they have in common with entities. */
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import type { Mistake } from '../../src/shared/domain/declaration-mistakes.ts';
import type { Entity } from '../../src/shared/domain/entity.ts';
import type { CustomOperation, CustomRoutes } from '../../src/shared/domain/routes/custom-routes.ts';
import { pathParams } from '../../src/shared/domain/routes/route-schemas.ts';
import {
  type DeclarationFolder,
  DeclarationsError,
  type Declared,
  type DeclaredEntity,
  located,
  pathsOf,
  readDeclarations,
  readEntities,
} from './load-entities.ts';
import { functionOf } from './names.ts';
import { contractOf } from './openapi.ts';
import { routeSchemas } from './openapi-routes.ts';

/** From the root, with `/`. */
export const ROUTES_FOLDER = 'src/shared/routes';

export type DeclaredRoutes = Declared<CustomRoutes>;

export interface Declarations {
  readonly entities: readonly DeclaredEntity[];
  readonly routes: readonly DeclaredRoutes[];
}

const ROUTES: DeclarationFolder<CustomRoutes> = {
  folder: ROUTES_FOLDER,
  isOne: (value): value is CustomRoutes =>
    typeof value === 'object' && value !== null && 'operations' in value && 'uses' in value,
  what: 'set of routes, made by defineRoutes',
  mistakes: schemaMistakes,
  nameOf: ({ name }) => name,
};

/** Everything that is declared, each in the order of its files. @throws DeclarationsError that names every mistake of every file. */
export async function loadDeclarations(root: string): Promise<Declarations> {
  const { entities, problems } = await readEntities(root);
  const { loaded: routes, broken, problems: others } = await readDeclarations(root, ROUTES);
  const lines = [...problems, ...others];
  for (const { declared, ...mistake } of sharedMistakes({ entities, routes: [...routes, ...broken] }))
    lines.push(...(await located(root, { file: declared.file, name: declared.value.name }, [mistake])));
  if (lines.length > 0) throw new DeclarationsError(lines);
  return { entities, routes };
}

/** Every schema of an operation, by where it stands in the declaration. */
function schemasOf({ input, output, ...operation }: CustomOperation): [string[], object][] {
  const parts = {
    params: pathParams({ input, output, ...operation }),
    input: input ?? {},
    output: output ?? {},
  };
  return Object.entries(parts).flatMap(([part, fields]) =>
    Object.entries(fields).map(([field, schema]): [string[], object] => [
      [part, field],
      Object.fromEntries(
        Object.entries(schema).filter(([keyword]) => part !== 'output' || keyword !== 'optional'),
      ),
    ]),
  );
}

function schemaMistakes({ operations }: CustomRoutes): readonly Mistake[] {
  const ajv = new Ajv.default({ allErrors: true, strict: true, strictRequired: false, discriminator: true });
  addFormats.default(ajv);
  return Object.entries(operations).flatMap(([key, operation]) =>
    schemasOf(operation).flatMap(([at, schema]): Mistake[] => {
      try {
        ajv.compile(schema);
        return [];
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        return [{ at: ['operations', key, ...at], detail }];
      }
    }),
  );
}

type Shared = Mistake & { readonly declared: DeclaredRoutes };

function sharedMistakes({ entities, routes }: Declarations): readonly Shared[] {
  const values = entities.map(({ entity }) => entity);
  return [
    ...paths({ entities, routes }),
    ...names(values, routes),
    ...routes.flatMap((declared) =>
      uses(values, declared.value).map((mistake) => ({ ...mistake, declared })),
    ),
  ];
}

/** Two files that answer on one path, or whose functions have one name. */
function paths({ entities, routes }: Declarations): readonly Shared[] {
  // Azure does not tell capital letters from small ones.
  const keyOf = (path: string): string => functionOf(path).toLowerCase();
  const seen = new Map(
    entities.flatMap(({ file, entity }) => pathsOf(entity).map(({ path }) => [keyOf(path), file])),
  );
  return routes.flatMap((declared) => {
    const path = `/${declared.value.name}`;
    const other = seen.get(keyOf(path));
    seen.set(keyOf(path), declared.file);
    if (other === undefined) return [];
    const detail = `the path ${path}, or the function that answers there, is that of ${other}`;
    return [{ declared, at: ['name'], detail }];
  });
}

/** Operations, and schemas of the contract, of which another one has the name. */
function names(entities: readonly Entity[], routes: readonly DeclaredRoutes[]): readonly Shared[] {
  const { paths: known, components } = contractOf(entities, []);
  const ids = Object.values(known).flatMap((operations) =>
    Object.values(operations).map((operation) => String(operation['operationId'])),
  );
  const operations = new Map(ids.map((id) => [id, 'the contract']));
  const schemas = new Map(Object.keys(components.schemas).map((name) => [name, 'the contract']));
  return routes.flatMap((declared) =>
    Object.entries(declared.value.operations).flatMap(([key, operation]) => {
      const found: Shared[] = [];
      const claim = (taken: Map<string, string>, name: string, what: string): void => {
        const other = taken.get(name);
        taken.set(name, declared.file);
        if (other !== undefined)
          found.push({ declared, at: ['operations', key], detail: `${what} ${name} is in ${other} already` });
      };
      claim(operations, key, 'the operation');
      for (const name of Object.keys(routeSchemas(key, operation))) claim(schemas, name, 'the schema');
      return found;
    }),
  );
}

function uses(entities: readonly Entity[], { uses: used, operations }: CustomRoutes): readonly Mistake[] {
  const { records = {}, actsForAnybody } = used;
  const named = Object.keys(records).map(
    (name) => [name, entities.find((one) => one.name === name)] as const,
  );
  const unknown = named.flatMap(([name, entity]) =>
    entity === undefined ? [{ at: ['uses', 'records', name], detail: 'is no declared entity' }] : [],
  );
  const owned = named.filter(
    ([, entity]) => entity?.access.owner !== undefined || entity?.access.tenant !== undefined,
  );
  if (owned.length === 0 || actsForAnybody === true) return unknown;
  const open = Object.entries(operations).filter(([, { access }]) => access === 'everybody');
  const nobodys = open.map(([key]) => ({
    at: ['operations', key, 'access'],
    detail: `asks nobody who they are, and ${owned.map(([name]) => name).join(', ')} has owners or tenants: declare uses.actsForAnybody`,
  }));
  return [...unknown, ...nobodys];
}
