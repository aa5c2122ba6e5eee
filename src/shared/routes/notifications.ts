import { mailAddressMax } from '../bounds.ts';
import { notificationOf } from '../domain/notifications/ask-mail.ts';
import { ADDRESS_PATTERN, isSuppressed, kinds, PHONE_PATTERN } from '../domain/notifications/notice.ts';
import { noteBounce } from '../domain/notifications/send.ts';
import { addressHash, noteAddress } from '../domain/notifications/suppress.ts';
import { defineRoutes } from '../domain/routes/define-routes.ts';
import { RuleError } from '../domain/rule-error.ts';

const access = { scope: 'shop/notifications' } as const;
const address = { type: 'string', maxLength: mailAddressMax, pattern: ADDRESS_PATTERN } as const;
const phone = { type: 'string', pattern: PHONE_PATTERN } as const;
const text = { type: 'string' } as const;
const whole = { type: 'integer' } as const;
const suppressed = { type: 'array', items: { type: 'string', enum: kinds } } as const;

const item = {
  type: 'object',
  required: ['notificationId', 'kind', 'to', 'status'],
  properties: {
    ...{ notificationId: text, kind: text, channel: text, to: text, language: text, status: text },
    ...{ messageId: text, sentMs: whole, site: text, attempts: whole, copies: whole, detail: text },
    createdAt: text,
  },
} as const;

/** What the shop's people ask about mails and SMS, and what their providers report (docs/notifications.md). */
export const notifications = defineRoutes({
  name: 'notifications',
  description: 'Mails and SMS about orders: what became of them, and what came back',
  uses: { records: { notification: 'write', suppression: 'write' }, actsForAnybody: true, site: true },
  operations: {
    listNotifications: {
      method: 'GET',
      path: '/notifications',
      summary: 'What was written about an order',
      access,
      input: { orderId: { type: 'string', minLength: 1, maxLength: 128 } },
      required: ['orderId'],
      output: { items: { type: 'array', items: item } },
      async handle({ input: { orderId } }, { records }) {
        const page = await records.notification.actingFor({}).list({ where: { orderId }, limit: 100 });
        const shown = page.items.map((record) =>
          Object.fromEntries(
            Object.keys(item.properties).flatMap((field) =>
              record[field] === undefined ? [] : [[field, record[field]]],
            ),
          ),
        );
        return { items: shown };
      },
    },
    reportBounce: {
      method: 'POST',
      path: '/notifications/bounces',
      summary: 'A mail came back, an address complains, or a phone wants nothing more',
      access,
      input: {
        messageId: { type: 'string', minLength: 3, maxLength: 400 },
        address,
        phone,
        kind: { type: 'string', enum: ['hard', 'soft'] },
      },
      required: ['kind'],
      output: { suppressed },
      errors: {
        names_nobody: { title: 'One of messageId, address and phone must be given', status: 400 },
        unknown_message: { title: 'No mail of this Message-ID is known here', status: 404 },
      },
      async handle({ input }, { records, site, newId }) {
        const { messageId, kind } = input;
        if ([messageId, input.address, input.phone].filter((one) => one !== undefined).length !== 1)
          throw new RuleError('names_nobody');
        const given = input.address ?? input.phone;
        const all = records.notification.actingFor({});
        const id = messageId === undefined ? undefined : notificationOf(messageId);
        const known = id === undefined ? undefined : await all.find(id);
        if (messageId !== undefined && known === undefined) throw new RuleError('unknown_message');
        if (known !== undefined && kind === 'hard') await site.run((here) => noteBounce(here, known.id));
        const hash = addressHash(given ?? (known?.['to'] as string));
        const state = await site.run((here) =>
          noteAddress(here, { hash, noted: kind, name: known === undefined ? newId() : known.id }),
        );
        return { suppressed: kinds.filter((each) => isSuppressed(state, each)) };
      },
    },
    liftSuppression: {
      method: 'POST',
      path: '/notifications/lifts',
      summary: 'An address or a phone is written to again',
      access,
      input: { address, phone },
      output: { suppressed },
      errors: { names_nobody: { title: 'Either address or phone must be given', status: 400 } },
      async handle({ input }, { site, newId }) {
        const given = input.address ?? input.phone;
        if (given === undefined || (input.address !== undefined && input.phone !== undefined))
          throw new RuleError('names_nobody');
        const report = { hash: addressHash(given), noted: 'lifted', name: newId() } as const;
        const state = await site.run((here) => noteAddress(here, report));
        return { suppressed: kinds.filter((each) => isSuppressed(state, each)) };
      },
    },
  },
});
