import { defineEntity } from '../domain/define-entity.ts';
import { SUPPRESSION_CLAIM } from '../domain/notifications/suppress.ts';

/**
 * An address or a phone that gets nothing, or less, named by its SHA-256 (docs/notifications.md). Written by `/notifications` and
 * `/unsubscribe` alone: routes of records show it to nobody.
 */
export const suppression = defineEntity({
  name: 'suppression',
  collection: 'suppressions',
  idField: 'addressHash',
  description: 'An address or a phone that gets nothing, or less, named by its SHA-256',
  required: [],
  access: { tenant: SUPPRESSION_CLAIM },
  removable: false,
  fields: {
    bounced: { type: 'boolean', by: 'reaction' },
    softBounces: {
      type: 'integer',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      merge: 'counter',
      by: 'reaction',
    },
    unsubscribed: { type: 'boolean', by: 'reaction' },
  },
  samples: {},
  example: {},
});
