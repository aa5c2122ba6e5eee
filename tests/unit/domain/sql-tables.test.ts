/** Tables of entities: what they are made of, the order of their rows, and migrations. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeStates } from '@tandem-clouds/replication/merge';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import { type FoundColumn, planOf } from '../../../src/shared/domain/sql/migration.ts';
import { snake, tableOf, upsert } from '../../../src/shared/domain/sql/tables.ts';
import { versionOf } from '../../../src/shared/domain/state-version.ts';
import { entities } from '../../../src/shared/registry/entities.ts';

const parcel = defineEntity({
  name: 'parcel',
  collection: 'parcels',
  idField: 'parcelId',
  description: 'A parcel',
  required: [],
  fields: {
    weightGrams: { type: 'integer', minimum: 0 },
    ratio: { type: 'number' },
    sentAt: { type: 'string', format: 'date-time' },
    isFragile: { type: 'boolean' },
    labels: { type: 'array', items: { type: 'string' }, merge: 'set' },
    places: { type: 'array', items: { type: 'object' } },
    address: { type: 'object' },
    seen: { type: 'integer', minimum: 0, maximum: 1e9, merge: 'counter' },
    status: { states: { order: ['packed', 'sent'], allowed: { packed: ['sent'] } }, by: ['action'] },
  },
  example: { weightGrams: 1 },
  actions: {
    send: { summary: 'Sends it', decide: () => ({ status: 'sent' }) },
  },
});
const table = tableOf(parcel);

const at = (ms: number, site = 'aws-us-east-1') => encodeStamp(1_800_000_000_000 + ms, 0, site);
function record(fields: Readonly<Record<string, unknown>>, ms = 1, site = 'aws-us-east-1'): StoredRecord {
  const stamp = at(ms, site);
  return {
    key: 'parcel:7',
    state: {
      fields: Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, [stamp, value]]),
      ) as never,
      vector: { [site]: stamp },
    },
    pending: {},
    operations: [],
  };
}

describe('the table of an entity', () => {
  test('has a column of its type for each field, beside the key and what orders its rows', () => {
    expect(Object.fromEntries(table.columns.map(({ name, type }) => [name, type]))).toEqual({
      _key: 'text',
      parcel_id: 'text',
      weight_grams: 'bigint',
      ratio: 'double precision',
      sent_at: 'timestamp with time zone',
      is_fragile: 'boolean',
      labels: 'text[]',
      places: 'jsonb',
      address: 'jsonb',
      seen: 'bigint',
      status: 'text',
      created_at: 'timestamp with time zone',
      _version: 'numeric',
      _deleted: 'boolean',
      _changed_at: 'timestamp with time zone',
      _projected_at: 'timestamp with time zone',
    });
  });

  test('can be made of every declared entity', () => {
    const names = entities.map((entity) => tableOf(entity).name);
    expect(new Set(names).size).toBe(entities.length);
    expect(names).toContain('order_notifications');
  });

  test('is refused where two fields would have one column, or a name is too long', () => {
    const withFields = (...fields: string[]) => ({
      ...parcel,
      fields: Object.fromEntries(fields.map((field) => [field, { type: 'string' }])),
    });
    expect(() => tableOf(withFields('paidAt', 'paid_at'))).toThrow(
      'parcel: two fields have the column paid_at',
    );
    expect(() => tableOf(withFields('x'.repeat(64)))).toThrow('names of 63 bytes');
    expect(snake('paidAtMs')).toBe('paid_at_ms');
  });
});

describe('the row of a record', () => {
  const values = (held: StoredRecord): Record<string, unknown> => {
    const statement = upsert('here', parcel, table, held);
    const columns = table.columns.filter(({ name }) => name !== '_projected_at');
    return Object.fromEntries(columns.map(({ name }, index) => [name, statement.values[index]]));
  };

  test('has its fields as the client of PostgreSQL takes them', () => {
    expect(values(record({ weightGrams: 5, places: [{ a: 1 }], address: { city: 'Ulm' } }))).toMatchObject({
      ...{
        _key: 'parcel:7',
        parcel_id: '7',
        weight_grams: 5,
        places: '[{"a":1}]',
        address: '{"city":"Ulm"}',
      },
      ...{ labels: [], seen: 0, status: 'packed', ratio: null, _deleted: false },
      _changed_at: new Date(1_800_000_000_001).toISOString(),
    });
  });

  test('keeps of what is deleted its id and version alone', () => {
    const row = values(record({ weightGrams: 5, $deleted: true }));
    expect(row).toMatchObject({
      _key: 'parcel:7',
      parcel_id: '7',
      _deleted: true,
      weight_grams: null,
      seen: null,
    });
  });

  test.each([
    [
      'weightGrams',
      'heavy',
      'parcel:7: weightGrams is "heavy", which parcels.weight_grams (bigint) does not take',
    ],
    ['weightGrams', 2 ** 53, 'does not take'],
    ['sentAt', 'yesterday', 'parcels.sent_at (timestamp with time zone) does not take'],
    ['address', { note: 'a\u0000b' }, 'parcels.address (jsonb) does not take'],
  ])('of a %s that no longer fits is refused by name', (field, value, message) => {
    expect(() => values(record({ [field]: value }))).toThrow(message);
  });
});

describe('the version of a state', () => {
  test('grows with everything that a site comes to hold, also with what arrives late', () => {
    const write = fc.record({
      field: fc.constantFrom('a', 'b', 'c'),
      ms: fc.integer({ min: 0, max: 1_000 }),
      site: fc.constantFrom('aws-us-east-1', 'azure-eastus', 'aws-eu-west-1'),
    });
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 20 }), (writes) => {
        let state = record({}, 0).state;
        for (const { field, ms, site } of writes) {
          const arrived = record({ [field]: ms }, ms, site).state;
          const { state: merged } = mergeStates(state, arrived);
          const [before, after] = [BigInt(versionOf(state)), BigInt(versionOf(merged))];
          const isNews = JSON.stringify(merged.vector) !== JSON.stringify(state.vector);
          expect(after > before).toBe(isNews);
          state = merged;
        }
      }),
    );
  });

  test('of a later life is greater than any of the lives before it', () => {
    const sites = [
      'aws-us-east-1',
      'azure-eastus',
      'aws-eu-west-1',
      'aws-eu-west-2',
      'azure-west',
      'azure-north',
    ];
    const last = Object.fromEntries(sites.map((site) => [site, encodeStamp(36 ** 9 - 1, 36 ** 4 - 1, site)]));
    const first = { 'aws-us-east-1': at(0) };
    expect(BigInt(versionOf({ vector: first, incarnation: 1 }))).toBeGreaterThan(
      BigInt(versionOf({ vector: last })),
    );
  });
});

describe('a migration', () => {
  const held: readonly FoundColumn[] = table.columns.map(({ name, type }) => ({
    table: 'parcels',
    column: name,
    type: type,
  }));
  const plan = (found: readonly FoundColumn[]) => planOf('here', [table], found);

  test('makes schema and table where there is nothing, and nothing where all is there', () => {
    const { statements, problems } = plan([]);
    expect(statements[0]).toBe('CREATE SCHEMA IF NOT EXISTS "here"');
    expect(statements[1]).toContain(
      'CREATE TABLE "here"."parcels" (\n  "_key" text PRIMARY KEY,\n  "parcel_id" text,',
    );
    expect(problems).toEqual([]);
    expect(plan(held)).toEqual({ statements: [], problems: [] });
  });

  test('adds columns and widens types, and drops nothing', () => {
    const found = [
      ...held
        .filter(({ column }) => column !== 'ratio')
        .map((one) => (one.column === 'seen' ? { ...one, type: 'integer' } : one)),
      { table: 'parcels', column: 'by_hand', type: 'text' },
    ];
    expect(plan(found)).toEqual({
      statements: [
        'ALTER TABLE "here"."parcels" ADD COLUMN "ratio" double precision',
        'ALTER TABLE "here"."parcels" ALTER COLUMN "seen" TYPE bigint',
      ],
      problems: [expect.stringContaining('parcels.by_hand is no field of parcel')],
    });
  });

  test('leaves a type to a person that not every value can become', () => {
    const found = held.map((one) => (one.column === 'weight_grams' ? { ...one, type: 'text' } : one));
    const { statements, problems } = plan(found);
    expect(statements).toEqual([]);
    expect(problems).toEqual([
      expect.stringMatching(/^parcels\.weight_grams is text, and parcel says bigint/),
    ]);
  });
});
