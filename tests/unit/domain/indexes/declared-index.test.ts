import { describe, expect, test } from '@jest/globals';
import { recordSlots } from '../../../../scripts/generate/index-slots.ts';
import { defineEntity } from '../../../../src/shared/domain/define-entity.ts';
import type { Entity, Index } from '../../../../src/shared/domain/entity.ts';
import {
  indexesOf,
  type RecordedSlots,
  slotsOf,
} from '../../../../src/shared/domain/indexes/declared-index.ts';

function entityWith(indexes: Readonly<Record<string, Index>>): Entity {
  return defineEntity({
    name: 'trip',
    collection: 'trips',
    idField: 'tripId',
    description: 'A trip',
    required: [],
    fields: {
      city: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
      price: { type: 'number' },
      paid: { type: 'boolean' },
    },
    indexes,
    example: { city: 'Oslo' },
  });
}

const [city, price, paid] = [{ on: 'city' }, { on: 'price' }, { on: 'paid' }];

describe('where indexes lie', () => {
  test('none moves when another one is added before it or is removed', () => {
    let recorded: RecordedSlots = recordSlots([entityWith({ city, price })], {});
    expect(recorded).toEqual({ trip: { city: 1, price: 2 } });
    recorded = recordSlots([entityWith({ paid, city, price })], recorded);
    expect(recorded).toEqual({ trip: { city: 1, price: 2, paid: 3 } });
    recorded = recordSlots([entityWith({ paid, price })], recorded);
    expect(recorded).toEqual({ trip: { price: 2, paid: 3 } });
    recorded = recordSlots([entityWith({ city: { on: 'city', order: 'at' }, paid, price })], recorded);
    expect(recorded).toEqual({ trip: { city: 1, price: 2, paid: 3 } });
    expect(recordSlots([entityWith({})], recorded)).toEqual({});
  });

  test('what was never recorded is put where it will be recorded', () => {
    const entity = entityWith({ paid, city });
    expect({ trip: slotsOf(entity, {}) }).toEqual(recordSlots([entity], {}));
  });

  test('one that is declared otherwise, or lies elsewhere, has another id', () => {
    const ids = [
      indexesOf(entityWith({ city })),
      indexesOf(entityWith({ city: { on: 'city', order: 'at' } })),
      indexesOf(entityWith({ city: { on: 'city', buckets: 2 } })),
      indexesOf(entityWith({ city: { on: 'price' } })),
      indexesOf(entityWith({ city }), { trip: { city: 2 } }),
    ].map(([index]) => index?.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids[0]).toMatch(/^trip\.city\.[0-9a-z]{14}$/);
    expect(indexesOf(entityWith({ paid, city }), { trip: { city: 1 } }).map(({ id }) => id)).toContain(
      ids[0],
    );
  });

  test('values are ordered by what they are', () => {
    const [index] = indexesOf(entityWith({ city: { on: 'paid', order: 'price' } }));
    expect(index).toMatchObject({ onType: 'boolean', orderType: 'number', buckets: 1, slot: 1 });
    expect(indexesOf(entityWith({ city }))[0]).toMatchObject({ onType: 'string', orderType: 'instant' });
  });

  test('an entity has four at most, under names that fit, and of fields that no parameter of a list is called like', () => {
    const many = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, city]));
    expect(() => entityWith(many)).toThrow('indexes: are 5, and an entity has at most 4');
    expect(() => entityWith({ 'by-city': city })).toThrow('indexes.by-city: must begin with a small letter');
    const declare = (): Entity =>
      defineEntity({
        name: 'trip',
        collection: 'trips',
        idField: 'tripId',
        description: 'A trip',
        required: [],
        fields: { order: { type: 'integer' } },
        indexes: { byOrder: { on: 'order' } },
        example: {},
      });
    expect(declare).toThrow('indexes.byOrder.on: order is a parameter of every list');
  });
});
