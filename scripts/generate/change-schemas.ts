/** Name → what may be set (JSON Schema), whoever writes it, for every kind of record that clients create. */
import type { Entity } from '../../src/shared/domain/entity.ts';
import { overrideSchema } from '../../src/shared/domain/entity-schemas.ts';
import { ITEM, writeSchema } from '../../src/shared/domain/item.ts';
import type { JsonSchemaObject } from '../../src/shared/domain/json-schema.ts';

export function changeSchemas(entities: readonly Entity[]): Readonly<Record<string, JsonSchemaObject>> {
  return {
    ...Object.fromEntries(entities.map((entity) => [entity.name, overrideSchema(entity)])),
    [ITEM]: writeSchema,
  };
}
