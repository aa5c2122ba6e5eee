/**
 * The files that follow from the declared custom routes, beside validators and documents: the registry, the same as data for
 * the service definitions (`infra/{aws,azure}/entities.cjs`), and a function for each.
 */
import path from 'node:path';
import { sharedCache } from '../../src/shared/domain/caching/keys.ts';
import type { RecordedSlots } from '../../src/shared/domain/indexes/declared-index.ts';
import { reactionNames } from '../../src/shared/domain/reactions.ts';
import {
  outputSchema,
  paramsSchema,
  routeInputSchema,
} from '../../src/shared/domain/routes/route-schemas.ts';
import { paymentSecrets } from '../../src/shared/payment-secrets.ts';
import { compiledEntity, HEAD } from './entity-files.ts';
import type { Declarations, DeclaredRoutes } from './load-routes.ts';
import { functionOf } from './names.ts';

/** From the root, with `/`. What is in it that no declaration asks for is deleted. */
export const ROUTE_HANDLERS_FOLDER = 'src/handlers/routes';
const REGISTRY_DATA = 'infra/routes.json';

/** The order of names that lint wants. */
const AS_LINTED = new Intl.Collator('en', { caseFirst: 'upper', numeric: true }).compare;

/** Name, from the root → text. */
export function routeFiles(
  declarations: Declarations,
  slots: RecordedSlots,
): Readonly<Record<string, string>> {
  const { routes } = declarations;
  return {
    'src/shared/registry/routes.ts': registryModule(routes),
    [REGISTRY_DATA]: `${JSON.stringify(
      routes.map((one) => dataOf(one, declarations, slots)),
      undefined,
      2,
    )}\n`,
    ...Object.fromEntries(routes.map((one) => [handlerFile(one), handlerModule(one, declarations)])),
  };
}

const handlerFile = ({ value }: DeclaredRoutes): string => `${ROUTE_HANDLERS_FOLDER}/${value.name}.ts`;

function registryModule(declared: readonly DeclaredRoutes[]): string {
  const imports = declared.map(
    ({ file, exportName }) => `import { ${exportName} } from '../routes/${path.basename(file)}';\n`,
  );
  return `${HEAD} the files in src/shared/routes. Do not edit.
import type { CustomRoutes } from '../domain/routes/custom-routes.ts';
${imports.join('')}
/** Every declared file of custom routes. */
export const routes: readonly CustomRoutes[] = [${declared.map(({ exportName }) => exportName).join(', ')}];
`;
}

/** What the service definitions need to know, which are no TypeScript: above all what the function may do. */
function dataOf(declared: DeclaredRoutes, { entities }: Declarations, slots: RecordedSlots): object {
  const { name, uses, operations } = declared.value;
  const records = Object.entries(uses.records ?? {});
  const written = records.filter(([, right]) => right === 'write').map(([entity]) => entity);
  const all = records.flatMap(([entity]) => Object.values(slots[entity] ?? {}));
  return {
    name,
    function: functionOf(`/${name}`),
    handler: handlerFile(declared).replace(/ts$/, 'handler'),
    reads: records.length > 0,
    writes: written.length > 0,
    /** The generic indexes of the store that lists of those entities read. */
    slots: [...new Set(all)].sort((a, b) => a - b),
    /** Whether what it writes may have to be reacted to. */
    reacts: entities.some(({ entity }) => written.includes(entity.name) && reactionNames(entity).length > 0),
    /** Whether shared caches may keep what it writes. */
    cached: entities.some(({ entity }) => written.includes(entity.name) && sharedCache(entity) !== undefined),
    /** Whether it asks who calls, whose requests are then counted. */
    asks: Object.values(operations).some(({ access }) => access !== 'everybody'),
    /** Whether it keeps what this site has counted. */
    ...(uses.counts === true && { counts: true }),
    secrets: [...new Set([...(uses.secrets ?? []), ...(uses.payments === true ? paymentSecrets : [])])],
  };
}

function handlerModule({ file, exportName, value }: DeclaredRoutes, { entities }: Declarations): string {
  const used = entities.filter(({ entity }) => Object.hasOwn(value.uses.records ?? {}, entity.name));
  const operations = Object.entries(value.operations).map(([name, operation]) => {
    const schemas = {
      params: paramsSchema(operation),
      input: routeInputSchema(operation),
      output: outputSchema(operation),
    };
    const parts = Object.entries(schemas).flatMap(([part, schema]) => (schema === undefined ? [] : [part]));
    return { name, parts };
  });
  const compiled = used.map(({ entity }) => compiledEntity(entity));
  const checks = [
    ...operations.flatMap(({ name, parts }) => parts.map((part) => `${name}$${part}`)),
    ...compiled.flatMap(({ imported }) => imported),
  ].sort(AS_LINTED);
  const members = operations.map(
    ({ name, parts }) =>
      `    ${name}: {${parts.map((part) => ` ${part}: ${name}$${part}`).join(',')}${parts.length > 0 ? ' ' : ''}},\n`,
  );
  const withEntities = used.map(
    ({ exportName: entity }, i) => `    { entity: ${entity}, checks: ${compiled[i]?.text ?? ''} },\n`,
  );
  return `${HEAD} ${file}. Do not edit.
${used.map((one) => `import { ${one.exportName} } from '../../shared/entities/${path.basename(one.file)}';\n`).join('')}${
    checks.length === 0
      ? ''
      : `import { ${checks.join(', ')} } from '../../shared/generated/validators.js';\n`
  }${value.uses.payments === true ? "import { openPayments } from '../../shared/open-payments.ts';\n" : ''}import { ${exportName} } from '../../shared/routes/${path.basename(file)}';
import { serveRoutes } from '../../shared/serve-routes.ts';

/** \`/${value.name}\` and all that is below it. */
export const handler = serveRoutes(${exportName}, {
  operations: {
${members.join('')}  },
  entities: [${withEntities.length > 0 ? '\n' : ''}${withEntities.join('')}${withEntities.length > 0 ? '  ' : ''}],
}${value.uses.payments === true ? ', openPayments' : ''});
`;
}
