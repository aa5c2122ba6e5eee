import {
  chargeWithinMs,
  mailAddressMax,
  orderAmountMax,
  orderLinesMax,
  orderUnitsMax,
  paymentCheckMs,
  refundMailsMax,
} from '../bounds.ts';
import { countHappened } from '../domain/analytics/count.ts';
import { defineEntity } from '../domain/define-entity.ts';
import type { RuleCaller } from '../domain/entity.ts';
import {
  ADDRESS_PATTERN,
  dueNotices,
  kinds,
  languages,
  type NotifiedOrder,
  PHONE_PATTERN,
  smsKinds,
} from '../domain/notifications/notice.ts';
import { notifyOrder } from '../domain/notifications/send.ts';
import {
  cancelling,
  isOver,
  isPaid,
  type Order,
  orderStates,
  reasons,
  totalMinor,
} from '../domain/orders/order.ts';
import {
  chargeOrder,
  lookBehindRejection,
  openRefunds,
  type Refundable,
  refundOrder,
  voidOrder,
} from '../domain/orders/payment.ts';
import { reserveOrder, settleOrder } from '../domain/orders/reserve.ts';
import { RuleError } from '../domain/rule-error.ts';
import { notification } from './notification.ts';

const moment = {
  type: 'integer',
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  by: ['reaction', 'action'],
} as const;
const siteId = { type: 'string', maxLength: 48, by: 'reaction' } as const;

const STAFF = 'shop/orders';
const NOT_STAFF = { title: `It takes the scope ${STAFF}`, status: 403 } as const;

/** Where callers are known: what the shop does, and not its customer. @throws RuleError */
function requireStaff({ subject, scopes }: RuleCaller): void {
  if (subject !== undefined && !scopes.includes(STAFF)) throw new RuleError('not_staff');
}

/** What a customer buys: held, charged and settled step by step (docs/shop.md). */
export const order = defineEntity({
  name: 'order',
  collection: 'orders',
  idField: 'orderId',
  description: 'What a customer buys: goods are held for it, it is charged once, and settled',
  required: ['lines', 'currency'],
  access: { owner: 'customerId' },
  // It stays, with what was bought and paid, because the law wants it; who bought it and where it went to does not.
  subject: {
    field: 'customerId',
    empties: ['email', 'phone', 'language', 'method', 'action'],
    when: ({ status }) => isOver({ status: status as Order['status'] }),
  },
  // The provider has forgotten the key of a payment after 24 hours.
  ids: { from: 'uuid7', withinMs: chargeWithinMs },
  fields: {
    customerId: { type: 'string', maxLength: 256 },
    lines: {
      type: 'array',
      by: 'creation',
      minItems: 1,
      maxItems: orderLinesMax,
      items: {
        type: 'object',
        required: ['sku', 'units', 'priceMinor'],
        additionalProperties: false,
        properties: {
          sku: { type: 'string', minLength: 1, maxLength: 128 },
          units: { type: 'integer', minimum: 1, maximum: orderUnitsMax },
          priceMinor: { type: 'integer', minimum: 1, maximum: orderAmountMax },
        },
      },
    },
    currency: { type: 'string', pattern: '^[A-Z]{3}$', by: 'creation' },
    method: { type: 'string', minLength: 1, maxLength: 255, by: ['creation', 'action'], readableBy: [] },
    // Where what happens to it is written to; without it, nowhere (docs/notifications.md).
    email: {
      type: 'string',
      pattern: ADDRESS_PATTERN,
      maxLength: mailAddressMax,
      by: 'creation',
      readableBy: ['owner'],
    },
    // The same by SMS.
    phone: {
      type: 'string',
      pattern: PHONE_PATTERN,
      maxLength: 16,
      by: 'creation',
      readableBy: ['owner'],
    },
    language: { type: 'string', enum: languages, by: 'creation', readableBy: ['owner'] },
    status: { states: orderStates, by: ['action', 'reaction'] },
    reason: { type: 'string', enum: reasons, by: ['action', 'reaction'] },
    failedSku: { type: 'string', maxLength: 128, by: 'reaction' },
    stockSite: siteId,
    reservedUntilMs: moment,
    payingSinceMs: moment,
    paidFrom: siteId,
    paidAtMs: moment,
    paymentId: { type: 'string', maxLength: 255, by: 'reaction' },
    action: {
      type: 'object',
      merge: 'whole',
      by: 'reaction',
      readableBy: ['owner'],
      additionalProperties: { type: 'string', maxLength: 2_000 },
    },
    lookAgainMs: moment,
    checked: { type: 'string', maxLength: 255, by: 'action' },
    checkedFor: { type: 'string', maxLength: 255, by: 'reaction' },
    checkedAtMs: moment,
    refunds: { type: 'object', maxProperties: 50, additionalProperties: { type: 'integer' }, by: 'action' },
    refunded: {
      type: 'object',
      merge: 'whole',
      by: 'reaction',
      additionalProperties: {
        type: 'object',
        required: ['amountMinor', 'status'],
        properties: {
          amountMinor: { type: 'integer' },
          status: { type: 'string', maxLength: 40 },
          refundId: { type: 'string', maxLength: 255 },
        },
      },
    },
    // Names of the notifications that were written down.
    notified: {
      type: 'array',
      maxItems: kinds.length + refundMailsMax + smsKinds.length,
      items: { type: 'string', maxLength: 128 },
      merge: 'set',
      by: 'reaction',
      readableBy: [],
    },
  },
  indexes: { byCustomer: { on: 'customerId' }, byStatus: { on: 'status', buckets: 4 } },
  actions: {
    pay: {
      summary: 'Pay what is reserved',
      input: { method: { type: 'string', minLength: 1, maxLength: 255 } },
      errors: { not_reserved: 'Nothing is reserved for it, or it is over' },
      decide({ status }, { method }, { now }) {
        if (status === 'paying') return undefined;
        if (status !== 'reserved') throw new RuleError('not_reserved', `it is ${status}`);
        return { status: 'paying', payingSinceMs: now.getTime(), ...(method !== undefined && { method }) };
      },
    },
    cancel: {
      summary: 'Cancel it, unless it is paid',
      errors: { over: 'It is over' },
      decide({ status, reason }) {
        if (status === 'cancelling' || (status === 'cancelled' && reason === 'by_customer')) return undefined;
        if (isOver({ status })) throw new RuleError('over', `it is ${status}`);
        return { status: 'cancelling', reason: 'by_customer', lookAgainMs: null };
      },
    },
    check: {
      summary: 'Look at its payment again, now',
      input: { event: { type: 'string', minLength: 1, maxLength: 255 } },
      errors: { not_staff: NOT_STAFF },
      decide({ status, checked }, { event }, { caller, now }) {
        // Each one is looked at, so who could invent them would have the order's reactions taken for a loop.
        if (event !== undefined) requireStaff(caller);
        // Another site may have charged what this one has rejected.
        if (status !== 'rejected' && isOver({ status })) return undefined;
        const name = event ?? `asked-${Math.floor(now.getTime() / paymentCheckMs)}`;
        if (name === checked) return undefined;
        const isRejected = status === 'rejected';
        return { checked: name, ...(isRejected && { checkedAtMs: now.getTime(), lookAgainMs: null }) };
      },
    },
    fulfil: {
      summary: 'The goods have left',
      errors: { not_paid: 'It is not paid', not_staff: NOT_STAFF },
      decide({ status }, _, { caller }) {
        requireStaff(caller);
        if (status === 'fulfilled') return undefined;
        if (status !== 'paid') throw new RuleError('not_paid', `it is ${status}`);
        return { status: 'fulfilled' };
      },
    },
    refund: {
      summary: 'Pay back a part, or all that is left',
      input: { amountMinor: { type: 'integer', minimum: 1, maximum: orderAmountMax } },
      errors: {
        not_paid: 'It is not paid',
        too_much: 'More than is left of what was paid',
        not_staff: NOT_STAFF,
      },
      decide(record, { amountMinor }, { caller, newId }) {
        requireStaff(caller);
        const known = record as unknown as Refundable;
        if (!isPaid(known)) throw new RuleError('not_paid', `it is ${known.status}`);
        const left = totalMinor(known) - askedBack(known);
        const wanted = amountMinor ?? left;
        if (wanted > left || left === 0) throw new RuleError('too_much', `${left} are left`);
        return { refunds: { [newId()]: wanted } };
      },
    },
  },
  reactions: {
    reserve: {
      on: ['status'],
      when: ({ status }) => status === 'reserving',
      steps: (record, context) => reserveOrder(record as unknown as Order, context),
    },
    // Without a method the customer has until then. With one, it was reserved by an older release, and is charged at once.
    proceed: {
      on: ['status'],
      at: 'stockSite',
      when: ({ status, method, reservedUntilMs = 0 }) =>
        status === 'reserved' && (method === undefined ? reservedUntilMs : true),
      *steps({ method, stockSite }, { site }) {
        if (stockSite !== site.site) return cancelling('taken_over');
        return method === undefined
          ? cancelling('not_paid_in_time')
          : { status: 'paying', payingSinceMs: site.now() };
      },
    },
    charge: {
      on: ['status', 'checked', 'lookAgainMs'],
      at: 'stockSite',
      when: ({ status, checked, checkedFor, lookAgainMs }) =>
        status === 'paying' && (checked === checkedFor ? (lookAgainMs ?? true) : true),
      // What the provider reports of a charge while it is made is no reason to forget what the charge has answered.
      // Both: by a coarse clock two looks may be due at one moment.
      once: ({ lookAgainMs = 0, checkedFor = '' }) => `${lookAgainMs}/${checkedFor}`,
      steps: (record, context) => chargeOrder(record as unknown as Order, context),
    },
    lookBehind: {
      on: ['status', 'checked', 'lookAgainMs'],
      when: ({ status, checked, checkedFor, lookAgainMs }) =>
        status === 'rejected' && checked !== undefined && checked !== checkedFor && (lookAgainMs ?? true),
      steps: (record, context) => lookBehindRejection(record as unknown as Order, context),
    },
    void: {
      on: ['status', 'lookAgainMs'],
      when: ({ status, lookAgainMs }) => status === 'cancelling' && (lookAgainMs ?? true),
      steps: (record, context) => voidOrder(record as unknown as Order, context),
    },
    settle: {
      on: ['status', 'paidFrom'],
      site: 'every',
      when: ({ status }) => isOver({ status }),
      // A rejection may have lost against a site that went on, which is then cancelled.
      once: ({ status, paidFrom = '' }) => {
        if (isPaid({ status })) return paidFrom;
        return status === 'rejected' ? '-rejected' : '-';
      },
      steps: (record, context) => settleOrder(record as unknown as Order, context),
    },
    payBack: {
      on: ['refunds'],
      at: 'paidFrom',
      when: (record) => openRefunds(record as unknown as Refundable).length > 0,
      steps: (record) => refundOrder(record as unknown as Refundable),
    },
    notify: {
      on: ['status', 'refunded'],
      when: (record) => dueNotices(record as unknown as NotifiedOrder).length > 0,
      steps: (record, context) => notifyOrder(record as unknown as NotifiedOrder, context, notification),
    },
    // What is counted by the minute (docs/analytics.md), at each site for itself.
    countPlaced: {
      on: ['createdAt'],
      site: 'every',
      when: () => true,
      steps: (_, context) => countHappened(context, 'placed'),
    },
    countPaid: {
      on: ['paidFrom', 'paidAtMs', 'lines', 'currency'],
      site: 'every',
      when: ({ status }) => isPaid({ status }),
      steps: (_, context) => countHappened(context, 'paid'),
    },
    countRefunded: {
      on: ['refunded', 'paidFrom', 'paidAtMs', 'currency'],
      site: 'every',
      when: ({ refunded }) => refunded !== undefined,
      steps: (_, context) => countHappened(context, 'refunded'),
    },
  },
  removable: false,
  samples: {},
  example: {
    lines: [{ sku: 'earl-grey', units: 2, priceMinor: 790 }],
    currency: 'EUR',
  },
});

/** What was asked for and not refused. */
function askedBack({ refunds = {}, refunded = {} }: Refundable): number {
  return Object.entries(refunds).reduce(
    (sum, [id, amountMinor]) =>
      refunded[id]?.status.startsWith('refused') === true ? sum : sum + amountMinor,
    0,
  );
}
