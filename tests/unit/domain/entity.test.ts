import { describe, expect, test } from '@jest/globals';
import { createSchema, defineEntity, type Entity, patchSchema } from '../../../src/shared/domain/entity.ts';

const declaration: Entity = {
  name: 'book',
  collection: 'books',
  idField: 'bookId',
  description: 'A book',
  required: ['title'],
  fields: { title: { type: 'string' }, pages: { type: 'integer' } },
  example: { title: 'Middlemarch' },
};

describe('declaring an entity', () => {
  test('gives the schemas of a creation and of a change', () => {
    const book = defineEntity(declaration);
    expect(createSchema(book)).toMatchObject({ required: ['title'], additionalProperties: false });
    expect(Object.keys(createSchema(book).properties)).toEqual(['bookId', 'title', 'pages']);
    expect(patchSchema(book).properties).toEqual({
      title: { type: 'string' },
      pages: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    });
  });

  test.each([
    ['a name that is not lower case', { name: 'Book' }],
    ['a name of our own', { name: 'heartbeat' }],
    ['a required field that is not declared', { required: ['author'] }],
    ['a field that is the id', { fields: { title: {}, bookId: {} } }],
    ['a field that is reserved', { fields: { title: {}, $deleted: {} } }],
  ])('%s is refused', (_, change) => {
    expect(() => defineEntity({ ...declaration, ...change })).toThrow(TypeError);
  });
});
