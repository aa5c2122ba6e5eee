/** JSON Schema of the replication event, version 1: `docs/event.schema.json` is generated from it. */
import { eventBytesMax, vectorSitesMax } from './bounds.ts';
import { SPEC_VERSION } from './event.ts';

const stamp = { type: 'string', pattern: '^[0-9a-z]{13}\\.[a-z0-9-]{1,48}$' } as const;
const stamps = { type: 'object', additionalProperties: stamp } as const;

/** Field → name of the slot → its stamp and its value. */
const slots = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    additionalProperties: {
      type: 'array',
      minItems: 2,
      maxItems: 2,
      items: [stamp, {}],
    },
  },
} as const;

export const eventSchema = {
  $comment: `Tandem replication event ${SPEC_VERSION}; at most ${eventBytesMax} bytes. Unknown fields are kept.`,
  type: 'object',
  required: ['specversion', 'event_id', 'source', 'type', 'timestamp', 'key', 'payload', 'state', 'sent_at'],
  additionalProperties: true,
  properties: {
    specversion: { type: 'string', pattern: '^1\\.[0-9]+$' },
    event_id: {
      type: 'string',
      pattern: '^[^|]+\\|[^|]+\\|[0-9a-z]{13}\\.[a-z0-9-]+$',
      maxLength: 400,
    },
    source: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,47}$' },
    type: { type: 'string', pattern: '^[a-z][a-z0-9-]*\\.(created|updated|deleted)$' },
    timestamp: { type: 'string', format: 'date-time' },
    key: { type: 'string', pattern: '^[a-z][a-z0-9-]*:[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$' },
    payload: { type: 'object' },
    state: {
      type: 'object',
      required: ['stamps', 'vector'],
      additionalProperties: true,
      properties: {
        stamps,
        reserved: { type: 'object' },
        ranks: { type: 'object', additionalProperties: { type: 'string', maxLength: 128 } },
        sets: slots,
        counters: slots,
        vector: { ...stamps, minProperties: 1, maxProperties: vectorSitesMax },
        incarnation: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 1 },
      },
    },
    sent_at: { type: 'number', minimum: 0 },
    traceparent: { type: 'string', maxLength: 128 },
  },
} as const;
