import { mailAddressMax } from '../bounds.ts';
import { defineEntity } from '../domain/define-entity.ts';
import { channels, kinds, languages } from '../domain/notifications/notice.ts';
import { type Notification, notificationStates, sendNotification } from '../domain/notifications/send.ts';

const STAFF = 'shop/notifications';
const count = { type: 'integer', minimum: 0, maximum: 1_000_000, by: 'reaction' } as const;
const name = { type: 'string', maxLength: 128, by: 'reaction' } as const;
const staffOnly = { readableBy: [STAFF] } as const;

/** What a customer is written about an order: one mail or SMS, `<order>~<what it is about>` (docs/notifications.md). */
export const notification = defineEntity({
  name: 'notification',
  collection: 'order-notifications',
  idField: 'notificationId',
  description: 'What a customer is written about an order',
  required: [],
  access: { owner: 'customerId' },
  subject: { field: 'customerId' },
  removable: false,
  fields: {
    customerId: { type: 'string', maxLength: 256 },
    orderId: name,
    kind: { type: 'string', enum: kinds, by: 'reaction' },
    refundId: name,
    channel: { type: 'string', enum: channels, by: 'reaction' },
    to: { type: 'string', maxLength: mailAddressMax, by: 'reaction', readableBy: ['owner', STAFF] },
    language: { type: 'string', enum: languages, by: 'reaction' },
    status: { states: notificationStates, by: 'reaction' },
    messageId: { type: 'string', maxLength: 400, by: 'reaction' },
    sentMs: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, by: 'reaction' },
    site: { type: 'string', maxLength: 48, by: 'reaction' },
    attempts: count,
    ended: { ...count, ...staffOnly },
    copies: { ...count, ...staffOnly },
    detail: { type: 'string', maxLength: 300, by: 'reaction', ...staffOnly },
  },
  indexes: { byOrder: { on: 'orderId' } },
  reactions: {
    send: {
      on: ['status'],
      at: 'site',
      when: ({ status }) => status === 'pending',
      // One mail or SMS, whoever finds it to be sent.
      once: () => '',
      steps: (record, context) => sendNotification(record as unknown as Notification, context),
    },
  },
  samples: {},
  example: {},
});
