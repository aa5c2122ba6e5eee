import { pictureBytesMax } from '../bounds.ts';
import { contentFields } from '../domain/content.ts';
import { defineEntity } from '../domain/define-entity.ts';
import { checkPicture, pictureRefusals, THUMBNAILS } from '../domain/pictures/thumbnails.ts';

const pixels = { type: 'integer', minimum: 1, maximum: 100_000, by: 'reaction' } as const;

/** A picture of a product, as it was sent: what is shown of it are its thumbnails (docs/products.md). */
export const picture = defineEntity({
  name: 'picture',
  collection: 'pictures',
  idField: 'pictureId',
  description: 'A picture of a product: bytes that are checked, and shown in three sizes',
  required: ['sku'],
  access: { read: 'everybody', write: 'shop/catalogue' },
  fields: {
    ...contentFields,
    /** Of the product that it goes with. */
    sku: { type: 'string', minLength: 1, maxLength: 128 },
    /** What it shows, for who does not see it. */
    alt: { type: 'string', maxLength: 300 },
    status: {
      type: 'string',
      enum: ['checking', 'ready', 'refused'],
      default: 'checking',
      by: ['action', 'reaction'],
    },
    reason: { type: 'string', enum: pictureRefusals, by: 'reaction' },
    detail: { type: 'string', maxLength: 300, by: 'reaction' },
    /** Of the latest wish to have it checked again. */
    asked: { type: 'string', maxLength: 40, by: 'action' },
    /** What `status` is about: an upload, and a wish. */
    checkedFor: { type: 'string', maxLength: 160, by: 'reaction' },
    width: pixels,
    height: pixels,
    sizes: {
      type: 'object',
      merge: 'whole',
      by: 'reaction',
      additionalProperties: {
        type: 'object',
        required: ['width', 'height', 'bytes'],
        properties: {
          width: { type: 'integer' },
          height: { type: 'integer' },
          bytes: { type: 'integer' },
        },
      },
    },
  },
  indexes: { bySku: { on: 'sku' } },
  content: {
    types: ['image/jpeg', 'image/png', 'image/webp', 'image/gif'],
    bytesMax: pictureBytesMax,
    required: true,
    belongsTo: { entity: 'product', field: 'sku' },
    variants: { entity: 'thumbnail', names: THUMBNAILS.map(({ name }) => name) },
  },
  actions: {
    check: {
      summary: 'Check it again, and make its thumbnails anew',
      writes: ['status', 'asked'],
      decide: (_record, _input, { newId }) => ({ status: 'checking', asked: newId() }),
    },
  },
  reactions: {
    thumbnails: {
      on: ['content', 'asked'],
      when: (record) => record.content !== undefined && toCheck(record) !== record.checkedFor,
      // Two sites that complete one upload come to one effect.
      once: toCheck,
      *steps(record, context) {
        const { id, content, heldBy } = record;
        return yield* checkPicture({ id, content, heldBy, checkedFor: toCheck(record) }, context);
      },
    },
  },
  samples: {},
  example: { sku: 'earl-grey', alt: 'A tin of tea' },
});

/** Names what is checked: the upload, and the wish to have it checked again. */
function toCheck({ content, asked = '' }: { readonly content?: unknown; readonly asked?: string }): string {
  return `${(content as { readonly upload: string }).upload}/${asked}`;
}
