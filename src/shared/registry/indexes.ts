/** The indexes of every declared entity. */
import { happenedIndex } from '../domain/analytics/happened.ts';
import { type DeclaredIndex, indexesOf } from '../domain/indexes/declared-index.ts';
import { entities } from './entities.ts';
import { indexSlots } from './index-slots.ts';

export const indexes: readonly DeclaredIndex[] = entities.flatMap((entity) => indexesOf(entity, indexSlots));

/** What a store has entries of: also of what this site has counted from, which no list of the API is made of. */
export const storeIndexes: readonly DeclaredIndex[] = [...indexes, happenedIndex];
