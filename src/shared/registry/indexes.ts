/** The indexes of every declared entity. */
import { type DeclaredIndex, indexesOf } from '../domain/indexes/declared-index.ts';
import { entities } from './entities.ts';
import { indexSlots } from './index-slots.ts';

export const indexes: readonly DeclaredIndex[] = entities.flatMap((entity) => indexesOf(entity, indexSlots));
