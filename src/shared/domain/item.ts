import { idSchema, type JsonSchemaObject } from './json-schema.ts';

/** Ten years: an expiry further away is most likely a wrong unit. */
const TTL_SECONDS_MAX = 10 * 366 * 24 * 3600;

/** The key prefix of generic records. */
export const ITEM = 'item';

/** What `POST /write` takes: any JSON object under an id, with an optional time to live. */
export const writeSchema: JsonSchemaObject = {
  type: 'object',
  required: ['data'],
  additionalProperties: false,
  properties: {
    id: idSchema,
    data: { type: 'object', maxProperties: 1_000, additionalProperties: true },
    ttlSeconds: { type: 'integer', minimum: 1, maximum: TTL_SECONDS_MAX },
  },
};

/** What is answered for a generic record. */
export const itemSchema: JsonSchemaObject = {
  type: 'object',
  required: ['id', 'data', 'createdAt'],
  additionalProperties: false,
  properties: {
    id: idSchema,
    data: { type: 'object', additionalProperties: true },
    createdAt: { type: 'string', format: 'date-time' },
    expiresAt: { type: 'string', format: 'date-time' },
  },
};
