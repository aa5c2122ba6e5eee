/** Entities with content: what a declaration must say, what the fields mean, and which upload is the content. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '@tandem-clouds/replication/json';
import { HELD_BY, storageName, uploadOfName } from '@tandem-clouds/replication/objects/content';
import type { RecordState } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { COMPLETE, contentFields, contentsOf, takesType } from '../../../src/shared/domain/content.ts';
import { DeclarationError } from '../../../src/shared/domain/declaration-mistakes.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import type { Entity } from '../../../src/shared/domain/entity.ts';
import { createSchema, patchSchema } from '../../../src/shared/domain/entity-schemas.ts';
import { RuleError } from '../../../src/shared/domain/rule-error.ts';

const declaration = {
  name: 'file',
  collection: 'files',
  idField: 'fileId',
  description: 'A file',
  required: [],
  access: { owner: 'ownerId' },
  fields: { ...contentFields, ownerId: { type: 'string' }, note: { type: 'string' } },
  content: {},
  example: {},
};

const declared = (changed: object = {}): Entity => defineEntity({ ...declaration, ...changed });

function mistakes(changed: object): readonly string[] {
  try {
    declared(changed);
    return [];
  } catch (error) {
    if (!(error instanceof DeclarationError)) throw error;
    return error.mistakes.map(({ at, detail }) => `${at.join('.')}: ${detail}`);
  }
}

describe('declaring content', () => {
  test('adds the action that completes, and takes a name and an upload of clients, once', () => {
    const file = declared();
    expect(Object.keys(file.actions)).toEqual([COMPLETE]);
    expect(Object.keys(createSchema(file).properties)).toEqual(['fileId', 'name', 'upload', 'note']);
    expect(Object.keys(patchSchema(file).properties)).toEqual(['note']);
  });

  test.each<[string, object, readonly (string | RegExp)[]]>([
    [
      'without the fields',
      { fields: { ownerId: { type: 'string' } } },
      [
        'actions.complete.writes: content is no declared field',
        'actions.complete.writes: heldBy is no declared field',
        'fields: must hold ...contentFields, as they are',
      ],
    ],
    [
      'with other fields',
      { fields: { ...declaration.fields, name: { type: 'string' } } },
      ['fields: must hold ...contentFields, as they are'],
    ],
    [
      'with content that merges by member',
      { fields: { ...declaration.fields, content: { ...contentFields.content, merge: 'register' } } },
      ['fields: must hold ...contentFields, as they are'],
    ],
    [
      'with an action of its name',
      { actions: { complete: { summary: 'x', decide: () => undefined } } },
      ['actions.complete: is made for what has content'],
    ],
    [
      'with a reaction of its name',
      { reactions: { hold: { on: ['note'], when: () => false, run: () => Promise.resolve(undefined) } } },
      ['reactions.hold: is made for what has content'],
    ],
    [
      'of too many bytes',
      { content: { bytesMax: 6_000 * 1024 * 1024 } },
      [/^content\.bytesMax: must be a whole number from 1 to/],
    ],
    [
      'of no media type',
      { content: { types: ['image'] } },
      ['content.types: image is no media type, nor image/*'],
    ],
    [
      'fetched before it is there',
      { content: { fetch: { 'a/': { afterSeconds: -1 } } } },
      [/^content\.fetch\.a\/\.afterSeconds: must be/],
    ],
    [
      'with a quota of nothing',
      { content: { quota: { ownerBytes: 0 } } },
      ['content.quota.ownerBytes: must be a whole number from 1 on'],
    ],
    [
      'with a quota that nobody knows',
      { content: { quota: { bytes: 1 } } },
      [/^content\.quota\.bytes: must be one of/],
    ],
    [
      'with a quota of owners that nobody has',
      { access: {}, content: { quota: { ownerBytes: 1 } } },
      ['content.quota: is about owners, whom access.owner does not declare'],
    ],
    [
      'with a quota of tenants that nobody has',
      { content: { quota: { tenantBytes: 1 } } },
      ['content.quota: is about tenants, whom access.tenant does not declare'],
    ],
  ])('%s is refused', (_, changed, expected) => {
    const found = mistakes(changed);
    expect(found).toHaveLength(expected.length);
    expected.forEach((each, at) =>
      typeof each === 'string' ? expect(found[at]).toBe(each) : expect(found[at]).toMatch(each),
    );
  });

  test.each([
    [[], 'anything/at-all', true],
    [['image/*'], 'image/png', true],
    [['image/*'], 'IMAGE/PNG; a=b', true],
    [['image/*'], 'imagery/png', false],
    [['text/plain'], 'text/plain;charset=utf-8', true],
    [['text/plain'], 'text/html', false],
  ])('of %s takes %s: %s', (types, type, takes) => {
    const { content } = declared({ content: { types } });
    expect(content !== undefined && takesType(content, type)).toBe(takes);
  });
});

const UPLOAD = {
  older: 'aws-a.018f0000000070008000000000000001',
  newer: 'azure-b.018f0000000070008000000000000002',
};
const contentOf = (upload: string): Readonly<Record<string, Json>> => ({
  upload,
  bytes: 3,
  crc64: 'M3eFcAZSQlc=',
  contentType: 'text/plain',
  completedMs: 1_000,
});

describe('completing an upload', () => {
  const decide = (record: object, upload: string): unknown =>
    declared().actions[COMPLETE]?.decide(
      { id: 'x', heldBy: [], ...record },
      { upload, content: contentOf(upload) },
      {} as never,
    );

  test('makes it the content, held by the site that it was sent to, in place of the claims of the one before', () => {
    const before = {
      content: contentOf(UPLOAD.older),
      heldBy: [`${UPLOAD.older}@aws-a`, `${UPLOAD.older}@azure-b`],
    };
    expect(decide(before, UPLOAD.newer)).toEqual({
      content: contentOf(UPLOAD.newer),
      heldBy: { add: [`${UPLOAD.newer}@azure-b`], remove: before.heldBy },
    });
  });

  test('changes nothing when it is the content already, and is refused when a later one is, whichever site it was sent to', () => {
    expect(decide({ content: contentOf(UPLOAD.newer) }, UPLOAD.newer)).toBeUndefined();
    expect(() => decide({ content: contentOf(UPLOAD.newer) }, UPLOAD.older)).toThrow(RuleError);
    expect(decide({ content: contentOf(UPLOAD.older) }, UPLOAD.newer)).toMatchObject({
      content: { upload: UPLOAD.newer },
    });
  });
});

describe('what a record says of its bytes', () => {
  const stamp = encodeStamp(1_000, 0, 'aws-a');
  const stateOf = (name: string, claims: readonly string[]): RecordState => ({
    fields: { name: [stamp, name], content: [stamp, contentOf(UPLOAD.newer)] },
    sets: {
      [HELD_BY]: Object.fromEntries(claims.map((each) => [`aws-a|"${each}"`, [stamp, each] as const])),
    },
    vector: { 'aws-a': stamp },
  });
  const contents = contentsOf([
    declared({ content: { fetch: { 'logs/': { afterSeconds: 60, withinSeconds: 10 }, 'logs/now/': {} } } }),
  ]);

  test('is who holds this very upload, and from when on others fetch it, by the longest beginning of its name', () => {
    const claims = [`${UPLOAD.newer}@azure-b`, `${UPLOAD.older}@aws-a`, 'nonsense'];
    expect(contents?.of('file:x', stateOf('a', claims), 0)).toMatchObject({
      heldBy: ['azure-b'],
      fromMs: 1_000,
      byMs: 301_000,
    });
    expect(contents?.of('file:x', stateOf('logs/a', []), 0)).toMatchObject({ fromMs: 61_000, byMs: 71_000 });
    expect(contents?.of('file:x', stateOf('logs/now/a', []), 0)).toMatchObject({ fromMs: 1_000 });
  });

  test('is nothing of an entity without content, before an upload, and after a delete', () => {
    expect(contents?.of('user:x', stateOf('a', []), 0)).toBeUndefined();
    expect(contents?.of('file:x', { fields: {}, vector: {} }, 0)).toBeUndefined();
    const state = stateOf('a', []);
    expect(
      contents?.of('file:x', { ...state, fields: { ...state.fields, $deleted: [stamp, true] } }, 0),
    ).toBeUndefined();
    expect(contentsOf([])).toBeUndefined();
    expect(contents?.isNothingWithout?.('file:x')).toBe(false);
    expect(contentsOf([declared({ content: { required: true } })])?.isNothingWithout?.('file:x')).toBe(true);
  });

  test('is at a name that says whose it is', () => {
    expect(storageName('file:acme~o1', UPLOAD.older)).toBe(`content/file/acme~o1/${UPLOAD.older}`);
    expect(uploadOfName(`content/file/acme~o1/${UPLOAD.older}`)).toEqual({
      key: 'file:acme~o1',
      upload: UPLOAD.older,
    });
    for (const name of ['other/file/a/b', 'content/file/a', 'content/file/a/b/c', 'content//a/b'])
      expect(uploadOfName(name)).toBeUndefined();
  });
});
