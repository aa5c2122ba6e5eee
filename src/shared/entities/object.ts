import { contentFields } from '../domain/content.ts';
import { defineEntity } from '../domain/define-entity.ts';
import { metadataSchema } from '../domain/json-schema.ts';

/** A file: bytes in the storage of both clouds, under a name of its owner (docs/objects.md). */
export const object = defineEntity({
  name: 'object',
  collection: 'objects',
  idField: 'objectId',
  description: 'A file: bytes in the storage of both clouds, under a name of its owner',
  required: [],
  access: { owner: 'ownerId' },
  subject: { field: 'ownerId' },
  fields: {
    ...contentFields,
    ownerId: { type: 'string', maxLength: 256 },
    metadata: metadataSchema,
  },
  // What an owner has, the newest last; or by the beginning of its name: ?ownerId=…&name[gte]=photos/&name[lt]=photos0
  indexes: { byAge: { on: 'ownerId' }, byName: { on: 'ownerId', order: 'name' } },
  content: {
    required: true,
    fetch: { 'logs/': { afterSeconds: 3_600, withinSeconds: 3_600 }, 'critical/': { withinSeconds: 60 } },
    quota: { ownerBytes: 1_000_000_000_000, ownerObjects: 1_000_000 },
  },
  example: { metadata: { album: 'pottery' } },
});
