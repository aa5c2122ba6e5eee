/**
 * The indexes that the declarations of entities ask for, and where each of them lies.
 *
 * Invariant: whatever an entry depends on is part of its index's id, and the id is part of the entry. So an index that is
 * declared otherwise, or lies elsewhere, is another index: it is filled before it answers, and entries of the one before
 * are in nobody's way.
 */
import { hashText } from '@tandem-clouds/replication/hash';
import type { Json } from '@tandem-clouds/replication/json';
import { INDEX_SLOTS, type IndexSlot } from '@tandem-clouds/replication/ports/store';
import { defaultOf, type Entity } from '../entity.ts';
import { FOLDING_VERSION } from './fold.ts';
import { ENCODING_VERSION, type SortType } from './sort-key.ts';

export interface DeclaredIndex {
  /** Names it wherever it lies, and all that an entry depends on: `booking.byCustomer.0x1f…`. */
  readonly id: string;
  readonly entity: string;
  readonly name: string;
  readonly on: string;
  readonly onType: SortType;
  readonly order: string;
  readonly orderType: SortType;
  readonly buckets: number;
  /** What stands in for a value that a record does not have; undefined: such a record has no place. */
  readonly onDefault?: Json;
  readonly orderDefault?: Json;
  /** Whether its order is that of folded text (`fold.ts`). */
  readonly folded: boolean;
  /** Whether its records belong to tenants: then a tenant has entries of its own, and is asked for with the value. */
  readonly tenanted: boolean;
  /** Which of the store's generic indexes holds it. */
  readonly slot: IndexSlot;
}

/** Entity → index → its slot, as it was recorded when the index was declared first (`registry/index-slots.ts`). */
export type RecordedSlots = Readonly<Record<string, Readonly<Record<string, IndexSlot>>>>;

/** The indexes of one entity, in the order of its declaration. */
export function indexesOf(entity: Entity, recorded: RecordedSlots = {}): readonly DeclaredIndex[] {
  const slots = slotsOf(entity, recorded);
  return Object.entries(entity.indexes).map(
    ([name, { on, order = 'createdAt', buckets = 1, folded = false }]) => {
      const slot = slots[name] ?? INDEX_SLOTS[0];
      const parts = {
        on,
        onType: sortTypeOf(entity, on),
        order,
        orderType: sortTypeOf(entity, order),
        buckets,
        slot,
      };
      const [onDefault, orderDefault] = [defaultOf(entity, on), defaultOf(entity, order)];
      const defaults = {
        ...(onDefault !== undefined && { onDefault }),
        ...(orderDefault !== undefined && { orderDefault }),
      };
      const tenanted = entity.access.tenant !== undefined;
      const all = [
        ENCODING_VERSION,
        ...Object.values(parts),
        ...(tenanted ? ['tenanted'] : []),
        ...(folded ? [`folded ${FOLDING_VERSION}`] : []),
        // None, and so the id that it had before there were defaults.
        ...(Object.keys(defaults).length > 0 ? [defaults] : []),
      ];
      const digest = hashText(JSON.stringify(all));
      return {
        id: `${entity.name}.${name}.${digest}`,
        entity: entity.name,
        name,
        ...parts,
        ...defaults,
        folded,
        tenanted,
      };
    },
  );
}

/**
 * A slot for each index of an entity: the recorded one, and for what is new the first that is free. So none moves when
 * another one comes or goes.
 */
export function slotsOf(entity: Entity, recorded: RecordedSlots): Readonly<Record<string, IndexSlot>> {
  const slots: Record<string, IndexSlot> = {};
  const known = recorded[entity.name] ?? {};
  const names = Object.keys(entity.indexes);
  for (const name of names) if (known[name] !== undefined) slots[name] = known[name];
  for (const name of names) {
    const taken = Object.values(slots);
    const free = INDEX_SLOTS.find((slot) => !taken.includes(slot));
    if (slots[name] === undefined && free !== undefined) slots[name] = free;
  }
  return slots;
}

/** How the values of a field are ordered. */
export function sortTypeOf({ fields }: Entity, field: string): SortType {
  if (field === 'createdAt') return 'instant';
  const { type, format } = (fields[field] ?? {}) as { type?: unknown; format?: unknown };
  if (type === 'boolean') return 'boolean';
  if (type === 'integer' || type === 'number') return 'number';
  return format === 'date-time' ? 'instant' : 'string';
}
