import { contentFields } from '../domain/content.ts';
import { defineEntity } from '../domain/define-entity.ts';
import { THUMBNAIL_TYPE, THUMBNAILS } from '../domain/pictures/thumbnails.ts';

const pixels = { type: 'integer', minimum: 1, maximum: 100_000, by: 'reaction' } as const;

/**
 * A picture in one of its sizes, made and written by the reaction of the picture. It is read as
 * `GET /pictures/{pictureId}/{size}`.
 */
export const thumbnail = defineEntity({
  name: 'thumbnail',
  collection: 'thumbnails',
  idField: 'thumbnailId',
  description: 'A picture in one of its sizes',
  required: [],
  access: { read: 'everybody', write: 'shop/catalogue' },
  fields: {
    ...contentFields,
    /** Id of the picture. */
    picture: { type: 'string', maxLength: 128, by: 'reaction' },
    size: { type: 'string', enum: THUMBNAILS.map(({ name }) => name), by: 'reaction' },
    width: pixels,
    height: pixels,
  },
  content: {
    types: [THUMBNAIL_TYPE],
    bytesMax: 5_000_000,
    belongsTo: { entity: 'picture', field: 'picture' },
  },
  removable: false,
  samples: {},
  example: {},
});
