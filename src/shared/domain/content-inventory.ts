/** What an inventory is told of entities with content (`replication/objects/inventory.ts`). Pure. */
import type { InventoryParts } from '@tandem-clouds/replication/objects/inventory-step';
import { entityOf, plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { contentsOf } from './content.ts';
import type { Entity } from './entity.ts';
import { deletionOf } from './entity-service.ts';
import { accountsOf, ownerIn } from './quotas.ts';
import type { Sha256 } from './scope.ts';

/** Undefined where no entity has content. */
export function inventoryParts(
  entities: readonly Entity[],
  sha256: Sha256,
): Omit<InventoryParts, 'goesOn'> | undefined {
  const contents = contentsOf(entities);
  if (contents === undefined) return undefined;
  const accounts = accountsOf(entities, sha256);
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  const entityIn = ({ key }: StoredRecord): Entity => {
    const entity = byName.get(entityOf(key));
    if (entity === undefined) throw new TypeError(`${key} is of no entity`);
    return entity;
  };
  return {
    contents,
    accountsOf: (record) => {
      const owner = ownerIn(entityIn(record), record.state);
      return accounts({ key: record.key, owner }).map(({ key }) => key);
    },
    deletion: (record) => deletionOf(entityIn(record), record),
    parentOf: (record) => {
      const { content } = entityIn(record);
      const { entity, field } = content?.belongsTo ?? {};
      const id = field === undefined ? undefined : plainValues(record.state)[field];
      // Of an entity that is not declared nobody can say that a record is gone.
      return entity === undefined || typeof id !== 'string' || !byName.has(entity)
        ? undefined
        : `${entity}:${id}`;
    },
  };
}
