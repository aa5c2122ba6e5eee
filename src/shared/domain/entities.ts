/** Every declared entity: what the generator of validators and of the contract reads, and the only list of them. */
import { ITEM, writeSchema } from './entities/item.ts';
import { user } from './entities/user.ts';
import { type Entity, type JsonSchemaObject, patchSchema } from './entity.ts';

export const entities: readonly Entity[] = [user];

/** Name → what a change may hold (JSON Schema), for every kind of record that clients write. */
export const changeSchemas: Readonly<Record<string, JsonSchemaObject>> = {
  ...Object.fromEntries(entities.map((entity) => [entity.name, patchSchema(entity)])),
  [ITEM]: writeSchema,
};
