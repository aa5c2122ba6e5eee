/** Name → what a change may hold (JSON Schema), for every kind of record that clients write. */
import type { Entity } from '../../src/shared/domain/entity.ts';
import { patchSchema } from '../../src/shared/domain/entity-schemas.ts';
import { ITEM, writeSchema } from '../../src/shared/domain/item.ts';
import type { JsonSchemaObject } from '../../src/shared/domain/json-schema.ts';

export function changeSchemas(entities: readonly Entity[]): Readonly<Record<string, JsonSchemaObject>> {
  return {
    ...Object.fromEntries(entities.map((entity) => [entity.name, patchSchema(entity)])),
    [ITEM]: writeSchema,
  };
}
