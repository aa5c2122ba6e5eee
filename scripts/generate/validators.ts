/** Compiles every JSON Schema ahead of time into one module without a schema compiler in it. */
import { createRequire } from 'node:module';
import Ajv from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import addFormats from 'ajv-formats';
import { build } from 'esbuild';
import { stepSchema } from '@tandem-clouds/replication/anti-entropy/step-schema';
import { eventSchema } from '@tandem-clouds/replication/event-schema';
import { configSchema } from '../../src/shared/config/config-schema.ts';
import type { Entity } from '../../src/shared/domain/entity.ts';
import {
  createSchema,
  inputSchema,
  patchSchema,
  storedSchema,
} from '../../src/shared/domain/entity-schemas.ts';
import { ITEM } from '../../src/shared/domain/item.ts';
import type { CustomRoutes } from '../../src/shared/domain/routes/custom-routes.ts';
import {
  outputSchema,
  paramsSchema,
  routeInputSchema,
} from '../../src/shared/domain/routes/route-schemas.ts';
import {
  conflictOverrideSchema,
  discardSchema,
  inventoryBeginSchema,
  personEraseSchema,
  personFindSchema,
  reactionChangeSchema,
  reactionScanSchema,
  replaySchema,
  restoreSchema,
  verificationBeginSchema,
  writerCloseSchema,
  writerOpenSchema,
} from '../../src/shared/http/operations/body-schemas.ts';
import { changeSchemas } from './change-schemas.ts';
import { actionCheck, camel } from './names.ts';

/** Name of the exported check → schema of everything that is validated at run time. */
function runtimeSchemas(
  entities: readonly Entity[],
  routes: readonly CustomRoutes[],
): Record<string, object> {
  const schemas: Record<string, object> = {
    config: configSchema,
    event: eventSchema,
    deadLetterDiscard: discardSchema,
    deadLetterReplay: replaySchema,
    conflictOverride: conflictOverrideSchema,
    restore: restoreSchema,
    step: stepSchema,
    verificationBegin: verificationBeginSchema,
    inventoryBegin: inventoryBeginSchema,
    personErase: personEraseSchema,
    personFind: personFindSchema,
    reactionChange: reactionChangeSchema,
    reactionScan: reactionScanSchema,
    writerClose: writerCloseSchema,
    writerOpen: writerOpenSchema,
  };
  for (const entity of entities) {
    schemas[`${camel(entity.name)}Create`] = createSchema(entity);
    schemas[`${camel(entity.name)}Patch`] = patchSchema(entity);
    schemas[`${camel(entity.name)}Stored`] = storedSchema(entity);
    for (const [name, action] of Object.entries(entity.actions))
      schemas[actionCheck(entity.name, name)] = inputSchema(action);
  }
  for (const [name, operation] of routes.flatMap(({ operations }) => Object.entries(operations))) {
    const parts = {
      params: paramsSchema(operation),
      input: routeInputSchema(operation),
      output: outputSchema(operation),
    };
    // No name of an entity has a `$`.
    for (const [part, schema] of Object.entries(parts))
      if (schema !== undefined) schemas[`${name}$${part}`] = schema;
  }
  for (const [name, schema] of Object.entries(changeSchemas(entities)))
    schemas[changeCheck(name, entities)] = schema;
  return schemas;
}

/**
 * Name of the check of what may be set at an entity, which is that of a client's change where clients write every field.
 * Generic records are only ever written as a whole.
 */
function changeCheck(name: string, entities: readonly Entity[]): string {
  if (name === ITEM) return 'itemWrite';
  const isAllClients = entities.some((entity) => entity.name === name && Object.keys(entity.by).length === 0);
  return isAllClients ? `${camel(name)}Patch` : `${camel(name)}Override`;
}

/** The source of `validators.js` and of its declarations. */
export async function validatorsModule(
  entities: readonly Entity[],
  routes: readonly CustomRoutes[],
): Promise<{ js: string; dts: string }> {
  const schemas = runtimeSchemas(entities, routes);
  const names = Object.keys(schemas);
  const ajv = new Ajv.default({
    allErrors: true,
    strict: true,
    strictRequired: false,
    discriminator: true,
    code: { source: true, esm: true },
  });
  addFormats.default(ajv);
  for (const name of names) ajv.addSchema(schemas[name] ?? {}, name);
  const changes = Object.keys(changeSchemas(entities)).map(
    (name) => `${JSON.stringify(name)}: ${changeCheck(name, entities)}`,
  );
  const stored = entities.map(({ name }) => `${JSON.stringify(name)}: ${camel(name)}Stored`);
  const code = [
    standaloneCode.default(ajv, Object.fromEntries(names.map((name) => [name, name]))),
    `export const changeChecks = { ${changes.join(', ')} };`,
    `export const storedChecks = { ${stored.join(', ')} };`,
  ].join('\n');
  const require = createRequire(import.meta.url);
  const bundled = await build({
    stdin: {
      contents: code,
      resolveDir: require.resolve('ajv/package.json').replace(/package\.json$/, ''),
    },
    bundle: true,
    format: 'esm',
    minifySyntax: true,
    treeShaking: true,
    write: false,
    charset: 'utf8',
  });
  const exported = bundled.outputFiles[0]?.text ?? '';
  const head = '// Generated by `npm run generate` from the schemas in src/shared. Do not edit.\n';
  return {
    js: head + exported.replaceAll(/^\s*\/\/ \.\..*\n/gm, ''),
    dts: `${head}import type { ValidateFunction } from 'ajv';

${names.map((name) => `export declare const ${name}: ValidateFunction;`).join('\n')}
/** Entity → the check of what may be set at it, whoever writes it. */
export declare const changeChecks: Readonly<Record<string, ValidateFunction>>;
/** Entity → the check of its fields as they are stored. */
export declare const storedChecks: Readonly<Record<string, ValidateFunction>>;
`,
  };
}
