import { describe, expect, test } from '@jest/globals';
import { contentFields } from '../../../src/shared/domain/content.ts';
import { DeclarationError } from '../../../src/shared/domain/declaration-mistakes.ts';
import {
  defineEntity,
  type EntityDeclaration,
  type FieldDeclaration,
} from '../../../src/shared/domain/define-entity.ts';
import { createSchema, patchSchema } from '../../../src/shared/domain/entity-schemas.ts';
import type { Properties } from '../../../src/shared/domain/json-schema.ts';

/** A declaration whose fields the compiler does not know. */
type Loose = EntityDeclaration<
  Readonly<Record<string, FieldDeclaration>>,
  string,
  Readonly<Record<string, Properties>>
>;

const declaration: Loose = {
  name: 'book',
  collection: 'books',
  idField: 'bookId',
  description: 'A book',
  required: ['title'],
  fields: {
    title: { type: 'string' },
    pages: { type: 'integer' },
    shelf: { type: 'string', by: 'action' },
    loan: { states: { order: ['in', 'out', 'lost'], allowed: { in: ['out', 'lost'], out: ['lost'] } } },
  },
  example: { title: 'Middlemarch' },
};

/** Where each mistake is and what it says. */
function mistakes(change: Partial<Loose>): readonly string[] {
  try {
    defineEntity({ ...declaration, ...change });
    return [];
  } catch (error) {
    if (!(error instanceof DeclarationError)) throw error;
    return error.mistakes.map(({ at, detail }) => `${at.join('.')}: ${detail}`);
  }
}

describe('declaring an entity', () => {
  test.each<[string, NonNullable<Loose['indexes']>, string[]]>([
    ['none', {}, ['byOwner']],
    ['one on another field', { byTitle: { on: 'title' } }, ['byOwner', 'byTitle']],
    ['one on the owner', { byAuthor: { on: 'author', order: 'pages' } }, ['byAuthor']],
    [
      'two on the owner',
      { byPages: { on: 'author', order: 'pages' }, byAge: { on: 'author' } },
      ['byPages', 'byAge'],
    ],
  ])('lists by the owner, of the indexes that are declared: %s', (_title, indexes, names) => {
    const fields = { ...declaration.fields, author: { type: 'string' } };
    const owned: Loose = { ...declaration, fields, access: { owner: 'author' }, indexes };
    const book = defineEntity(owned);
    expect(Object.keys(book.indexes)).toEqual(names);
  });

  test('gives the schemas of a creation and of a change', () => {
    const book = defineEntity(declaration);
    expect(createSchema(book)).toMatchObject({ required: ['title'], additionalProperties: false });
    expect(Object.keys(createSchema(book).properties)).toEqual(['bookId', 'title', 'pages']);
    expect(patchSchema(book).properties).toEqual({
      title: { type: 'string' },
      pages: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
      loan: { type: 'string', enum: ['in', 'out', 'lost'] },
    });
  });

  test.each<[string, Partial<Loose>, readonly string[]]>([
    ['no site', { sites: [] }, ['sites: must name 1 to 9 sites, each once']],
    ['one twice', { sites: ['aws-a', 'aws-a'] }, ['sites: must name 1 to 9 sites, each once']],
    [
      'what is no site',
      { sites: ['aws-us-east-1', 'gcp-x'] },
      ['sites: gcp-x is no id of a site, such as aws-eu-west-1 or azure-westeurope'],
    ],
    ['no list', { sites: 'aws-us-east-1' as never }, ['sites: must be a list of ids of sites']],
    [
      'a writer that is no site',
      { writes: 'elsewhere' },
      ['writes: elsewhere is no id of a site, such as aws-eu-west-1 or azure-westeurope'],
    ],
    [
      'a writer that does not keep the records',
      { sites: ['aws-a', 'azure-b'], writes: 'aws-c' },
      ['writes: aws-c is none of the sites that keep the records'],
    ],
    [
      'a writer where one site keeps them',
      { sites: ['aws-a'], writes: 'aws-a' },
      ['writes: is said by sites already: there is aws-a alone'],
    ],
    ['no text', { writes: ['aws-a'] as never }, ['writes: must be the id of a site']],
    [
      'a reaction everywhere, of what is at one site',
      {
        sites: ['aws-us-east-1'],
        reactions: {
          index: { on: ['title'], when: () => true, run: () => Promise.resolve(), site: 'every' },
        },
      },
      ['reactions.index.site: every is aws-us-east-1 alone, where its records are: leave it out'],
    ],
  ])('says of sites what is wrong: %s', (_, change, expected) => {
    expect(mistakes(change)).toEqual(expected);
  });

  const cached = (cache: object, access: Loose['access'] = { read: 'everybody' }): Partial<Loose> => ({
    access,
    indexes: { byPages: { on: 'pages' } },
    cache: cache as NonNullable<Loose['cache']>,
  });

  test.each<[string, Partial<Loose>, readonly string[]]>([
    ['nothing wrong', cached({ maxAgeSeconds: 60, by: ['pages'], staleIfErrorSeconds: 0 }), []],
    ['nothing wrong of what few may read', cached({ maxAgeSeconds: 86_400 }, {}), []],
    [
      'no object',
      { cache: 60 as never },
      ['cache: must be an object, { maxAgeSeconds, by, staleIfErrorSeconds }'],
    ],
    ['no age', cached({}), ['cache.maxAgeSeconds: must be a whole number of seconds from 1 to 86400']],
    [
      'an age of half a second, errors of years, and what there is not',
      cached({ maxAgeSeconds: 0.5, staleIfErrorSeconds: 1e9, shared: true }),
      [
        'cache.shared: must be one of maxAgeSeconds, by, staleIfErrorSeconds',
        'cache.maxAgeSeconds: must be a whole number of seconds from 1 to 86400',
        'cache.staleIfErrorSeconds: must be a whole number of seconds from 0 to 86400',
      ],
    ],
    [
      'fields by which nobody lists',
      cached({ maxAgeSeconds: 60, by: ['title', 'nothing'] }),
      [
        'cache.by: title is what no index is on, so no list is by it',
        'cache.by: nothing is no declared field',
      ],
    ],
    [
      'one field twice',
      cached({ maxAgeSeconds: 60, by: ['pages', 'pages'] }),
      ['cache.by: must be a list of fields, each once'],
    ],
    [
      'lists that few may read',
      cached({ maxAgeSeconds: 60, by: ['pages'] }, {}),
      ['cache.by: is about lists that everybody reads: declare access.read everybody'],
    ],
  ])('says of caches: %s', (_, change, expected) => {
    expect(mistakes(change)).toEqual(expected);
  });

  const out = (allowed: Record<string, string[]>): Partial<Loose> => ({
    required: [],
    fields: { loan: { states: { order: ['in', 'out'], allowed } } },
  });

  const withDefault = (field: FieldDeclaration, more: Partial<Loose> = {}): Partial<Loose> => ({
    required: [],
    fields: { f: field },
    example: {},
    ...more,
  });

  test.each<[string, Partial<Loose>, string]>([
    [
      'a default of a counter',
      withDefault({ type: 'integer', maximum: 9, merge: 'counter', default: 1 }),
      'fields.f.default: is not for a counter, which begins by itself',
    ],
    [
      'a default of an object',
      withDefault({ type: 'object', default: {} }),
      'fields.f.default: is not for an object, whose members are written one by one',
    ],
    [
      'a default that is none',
      withDefault({ type: 'string', default: null }),
      'fields.f.default: must be a value: null is no value',
    ],
    [
      'a default of a unique field',
      withDefault({ type: 'string', default: 'x' }, { unique: ['f'] }),
      'fields.f.default: is not for a field that is unique',
    ],
    [
      'a default of the owner',
      withDefault({ type: 'string', default: 'x' }, { access: { owner: 'f' } }),
      'fields.f.default: is not for the owner, whom the creation writes and nothing else',
    ],
    ['a name that is not lower case', { name: 'Book' }, 'name: must be lower case, and not one of our own'],
    ['a name of our own', { name: 'heartbeat' }, 'name: must be lower case, and not one of our own'],
    ['a path of our own', { collection: 'items' }, 'collection: must be lower case, and no path of our own'],
    [
      'a name of a function',
      { collection: 'verify-hourly' },
      'collection: must be lower case, and no path of our own',
    ],
    [
      "a beginning that Azure's host has for itself",
      { collection: 'administrators' },
      'collection: must be lower case, and no path of our own',
    ],
    [
      'an alias of several segments',
      { aliases: ['/a/b'] },
      'aliases: /a/b must be one segment, such as /book, and no path of our own',
    ],
    [
      'a required field that is not declared',
      { required: ['author'] },
      'required: author is no declared field',
    ],
    [
      'a required field that clients do not write',
      { required: ['shelf'] },
      'required: shelf is not written by clients and cannot be required of them',
    ],
    [
      'a required field that walks',
      { required: ['loan'] },
      'required: loan is a states and cannot be required',
    ],
    ['a field that is the id', { fields: { title: {}, bookId: {} } }, 'fields.bookId: is a reserved name'],
    [
      'a field that is reserved',
      { fields: { title: {}, $deleted: {} } },
      'fields.$deleted: is a reserved name',
    ],
    [
      'a set of something else than a list',
      { fields: { title: {}, tags: { type: 'string', merge: 'set' } } },
      'fields.tags.merge: a set needs a field of type array',
    ],
    [
      'a counter without an end',
      { fields: { title: {}, seen: { type: 'integer', merge: 'counter' } } },
      'fields.seen: a counter needs a maximum that can be counted exactly',
    ],
    [
      'a state that is not in the order',
      out({ in: ['gone'] }),
      'fields.loan.states.allowed: gone is not in the order',
    ],
    [
      'states that go in a circle',
      out({ in: ['out'], out: ['in'] }),
      'fields.loan.states.allowed: out to in goes against the order',
    ],
    [
      'an index on what is no field',
      { indexes: { byAuthor: { on: 'author' } } },
      'indexes.byAuthor.on: author is no declared field',
    ],
    [
      'an index with too many buckets',
      { indexes: { byTitle: { on: 'title', buckets: 17 } } },
      'indexes.byTitle.buckets: must be a whole number from 1 to 16',
    ],
    [
      'a number that is to be unique',
      { unique: ['pages'] },
      'unique: pages must be a string that is a register',
    ],
    [
      'the name of the index on the owner for another field',
      {
        fields: { ...declaration.fields, author: { type: 'string' } },
        access: { owner: 'author' },
        indexes: { byOwner: { on: 'title' } },
      },
      'indexes.byOwner: is the name of the index on author, the owner: give this one another',
    ],
    [
      'an owner that is no field',
      { access: { owner: 'author' } },
      'access.owner: author must be a string that is a register',
    ],
    [
      'an action with a required input that it does not have',
      { actions: { lend: { summary: 'Lend', required: ['to'], decide: () => undefined } } },
      'actions.lend.required: to is no declared input',
    ],
    [
      'an error that is none',
      {
        actions: {
          lend: { summary: '', errors: { lent: { title: '', status: 500 } }, decide: () => undefined },
        },
      },
      'actions.lend.errors.lent: its status must be from 400 to 499',
    ],
    [
      'an error by a code of our own',
      { actions: { lend: { summary: '', errors: { not_found: 'x' }, decide: () => undefined } } },
      'actions.lend.errors.not_found: must be lower case, with underscores, and no code of our own',
    ],
    [
      'an action that every entity has',
      { actions: { change: { summary: '', decide: () => undefined } } },
      'actions.change: must begin with a small letter, hold letters and digits, and be no operation of our own',
    ],
    [
      'a rule that does not decide at once',
      { actions: { lend: { summary: '', decide: (async () => Promise.resolve(undefined)) as never } } },
      'actions.lend.decide: must be a plain function: a rule decides at once, inside the write',
    ],
    [
      'a field for an owner that nobody is',
      { fields: { title: { readableBy: ['owner'] } } },
      'fields.title.readableBy: names the owner, whom access.owner does not declare',
    ],
    [
      'a field that nobody writes',
      { fields: { title: {}, note: { by: [] } } },
      'fields.note.by: must name a writer',
    ],
    [
      'a passing state that is none',
      {
        required: [],
        fields: {
          loan: { states: { order: ['in', 'out'], allowed: { in: ['out'] }, passing: ['in', 'gone'] } },
        },
      },
      'fields.loan.states.passing: gone is not in the order',
    ],
    [
      'a passing state that is an end',
      {
        required: [],
        fields: { loan: { states: { order: ['in', 'out'], allowed: { in: ['out'] }, passing: ['out'] } } },
      },
      'fields.loan.states.passing: out is an end: nothing leads on from it',
    ],
    ['a removal that is no answer', { removable: 'no' as never }, 'removable: must be true or false'],
    [
      'ids from what is no such key',
      { ids: { from: 'uuid4' as never, withinMs: 60_000 } },
      'ids.from: must be uuid7',
    ],
    [
      'ids from keys of any age',
      { ids: { from: 'uuid7' } as never },
      'ids.withinMs: must be a whole number of milliseconds from 1000 to 2592000000',
    ],
    [
      'ids of what has content',
      {
        ids: { from: 'uuid7', withinMs: 60_000 },
        fields: { title: {}, ...contentFields },
        content: {},
      },
      'ids: is not for what has content, whose ids derive from names',
    ],
    ['ids that are said by a word', { ids: 'uuid7' as never }, 'ids: must be an object, { from, withinMs }'],
    [
      'a writer that is none',
      { fields: { title: {}, note: { by: 'creations' as never } } },
      'fields.note.by: creations must be one of client, creation, action, reaction',
    ],
    [
      'a creation beside the client, who creates',
      { fields: { title: {}, note: { by: ['client', 'creation'] } } },
      'fields.note.by: creation says nothing beside client, who creates records',
    ],
    [
      'states that a creation writes',
      {
        fields: {
          title: {},
          loan: { states: { order: ['in', 'out'], allowed: {} }, by: ['creation', 'action'] },
        },
      },
      'fields.loan.by: creation is not for states, whose first one is where every record begins',
    ],
    [
      'a reaction to lost values where none is unique',
      { onDuplicate: { run: () => Promise.resolve() } },
      'onDuplicate: is about values that are unique, and no field is',
    ],
    [
      'a reaction to lost values that does nothing',
      { unique: ['title'], onDuplicate: { run: 'mail' as never } },
      'onDuplicate.run: must be a function',
    ],
    [
      'a reaction by the name of another thing',
      { reactions: { onDuplicate: { on: ['title'], when: () => false, run: () => Promise.resolve() } } },
      'reactions.onDuplicate: is the name of what the entity declares beside unique',
    ],
    [
      'a reaction to nothing',
      { reactions: { mail: { on: [], when: () => false, run: () => Promise.resolve() } } },
      'reactions.mail.on: must name at least one field',
    ],
  ])('%s is refused', (_, change, mistake) => {
    expect(mistakes(change)).toEqual([mistake]);
  });

  test('every mistake is named at once', () => {
    expect(mistakes({ name: 'Book', required: ['author'], unique: ['pages'] })).toHaveLength(3);
  });

  test('rules and reactions know the types of their fields', () => {
    const book = defineEntity({
      name: 'book',
      collection: 'books',
      idField: 'bookId',
      description: 'A book',
      required: ['title'],
      fields: {
        title: { type: 'string' },
        loan: { states: { order: ['in', 'out'], allowed: { in: ['out'] } }, by: 'action' },
        seen: { type: 'integer', maximum: 9, merge: 'counter' },
      },
      actions: {
        lend: {
          summary: 'Lend',
          input: { days: { type: 'integer' }, to: { type: 'string' } },
          required: ['to'],
          decide: ({ title, loan, seen }, { days, to }) => {
            // Neither compiles otherwise: what is required is there, and what is not may lack.
            expect(to.length + (days ?? 1)).toBeGreaterThan(0);
            const known: { title: string; loan: 'in' | 'out'; seen: number; days: number | undefined } = {
              title,
              loan,
              seen,
              days,
            };
            return known.loan === 'in' ? { loan: 'out', seen: { increment: 1 } } : undefined;
          },
        },
        back: { summary: 'Nothing is needed', decide: () => ({ seen: { increment: 1 } }) },
        note: {
          summary: 'Nothing is required',
          input: { days: { type: 'integer' } },
          decide: (_, { days }) => ({ seen: { increment: days ?? 1 } }),
        },
      },
      example: { title: 'Middlemarch' },
    });
    const context = {} as Parameters<(typeof book.actions)[string]['decide']>[2];
    const decide = book.actions['lend']?.decide;
    expect(decide?.({ id: 'b1', title: 'Emma', loan: 'in', seen: 0 }, { to: 'Ada' }, context)).toEqual({
      loan: 'out',
      seen: { increment: 1 },
    });
    expect(
      decide?.({ id: 'b1', title: 'Emma', loan: 'out', seen: 1 }, { to: 'Ada' }, context),
    ).toBeUndefined();
  });

  test.each<[string, Partial<Loose>, string[]]>([
    [
      'a field that is none',
      { subject: { field: 'author' } },
      ['subject.field: author must be bookId, or a string that is a register'],
    ],
    [
      'a number',
      { subject: { field: 'pages' } },
      ['subject.field: pages must be bookId, or a string that is a register'],
    ],
    [
      'what may be deleted',
      { subject: { field: 'title', empties: ['pages'] } },
      ['subject.empties: is for records that stay: say removable: false, or leave it out, and nothing stays'],
    ],
    [
      'an id that stays, what is required, and states',
      { removable: false, subject: { field: 'bookId', empties: ['title', 'loan', 'none'] } },
      [
        'subject.empties: is for a subject that a field names: the id bookId stays as it is',
        'subject.empties: title is required, so it cannot be empty',
        'subject.empties: loan must be a register, or an object that is a whole',
        'subject.empties: none is no other declared field',
      ],
    ],
    [
      'no function',
      { subject: { field: 'bookId', when: true as never } },
      ['subject.when: must be a function of the record'],
    ],
    ['what is right', { removable: false, subject: { field: 'shelf', empties: ['pages'] } }, []],
  ])('refuses a subject that cannot be erased: %s', (_, change, expected) => {
    expect(mistakes(change)).toEqual(expected);
  });
});
