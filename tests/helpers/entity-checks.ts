/** What `npm run generate` makes of a declaration, for an entity that a test declares. */
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Entity } from '../../src/shared/domain/entity.ts';
import {
  createSchema,
  inputSchema,
  patchSchema,
  storedSchema,
} from '../../src/shared/domain/entity-schemas.ts';
import { EntityService } from '../../src/shared/domain/entity-service.ts';
import type { Replica } from '../../src/shared/domain/replica.ts';
import { entityRoutes } from '../../src/shared/http/entity-routes.ts';
import type { Route } from '../../src/shared/http/route.ts';
import type { CompiledEntity } from '../../src/shared/serve-entity.ts';
import { validate } from '../../src/shared/validation/validate.ts';

function compile(schema: object): ValidateFunction {
  const ajv = new Ajv.default({ allErrors: true, strict: true, strictRequired: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** As `generated/validators.js` has them. */
export function checksOfEntity(entity: Entity): CompiledEntity {
  const actions = Object.entries(entity.actions).map(([name, action]) => [
    name,
    compile(inputSchema(action)),
  ]);
  return {
    create: compile(createSchema(entity)),
    patch: compile(patchSchema(entity)),
    stored: compile(storedSchema(entity)),
    actions: Object.fromEntries(actions) as Record<string, ValidateFunction>,
  };
}

export function serviceOf(entity: Entity, replica: Replica): EntityService {
  const stored = compile(storedSchema(entity));
  return new EntityService(entity, replica, (fields) => validate(stored, fields));
}

export function routesOf(entity: Entity, replica: Replica): readonly Route[] {
  return entityRoutes(entity, serviceOf(entity, replica), checksOfEntity(entity));
}
