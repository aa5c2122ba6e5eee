/** Where a record is read. */
import { idOf } from '@tandem-clouds/replication/record';
import { ITEM } from '../../../../src/shared/domain/item.ts';
import { entities } from '../../../../src/shared/registry/entities.ts';

/** `user:ada` → `/users/ada`. @throws Error when no entity has it. */
export function recordPath(key: string): string {
  const name = key.slice(0, key.indexOf(':'));
  const collection = name === ITEM ? 'items' : entities.find((entity) => entity.name === name)?.collection;
  if (collection === undefined) throw new Error(`${key} is of no declared entity`);
  return `/${collection}/${idOf(key)}`;
}
