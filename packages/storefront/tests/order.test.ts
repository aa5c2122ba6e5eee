import { describe, expect, test } from '@jest/globals';
import { orderStates } from '../../../src/shared/domain/orders/order.ts';
import { actionUrl, isSettled, type Order, stageOf } from '../src/order.ts';
import { newPlacement, readPlacement } from '../src/placement.ts';
import { en } from '../src/texts/en.ts';

describe('an order', () => {
  test('has words for every state that the service knows', () => {
    expect(Object.keys(en.status).sort()).toEqual([...orderStates.order].sort());
  });

  test.each([
    ['paying', undefined, 'paying', false],
    ['paying', { url: 'https://bank.example/3ds' }, 'to_confirm', false],
    ['reserved', undefined, 'to_pay', false],
    ['fulfilled', undefined, 'paid', true],
    ['rejected', undefined, 'over', true],
  ] as const)('that is %s with the action %j is shown as %s', (status, action, stage, settled) => {
    const order = { status, ...(action && { action }) } as Pick<Order, 'status' | 'action'>;
    expect(stageOf(order)).toBe(stage);
    expect(isSettled(order)).toBe(settled);
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', 'nowhere', ''])(
    'does not lead the browser to %j',
    (url) => {
      expect(actionUrl({ action: { url } })).toBeUndefined();
    },
  );
});

describe('what is sent', () => {
  const cart = [{ sku: 'tea', name: 'Tea', units: 2, priceMinor: 790, currency: 'EUR' }];

  test('has a key of version 7 that is born at the sites’ time, and what the contract takes', () => {
    const { key, body } = newPlacement({
      cart,
      method: 'pm_card_visa',
      email: undefined,
      language: 'en',
      nowMs: 0x0192_b1c0_0000,
    });
    expect(key).toMatch(/^0192b1c0-0000-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(body).toEqual({
      currency: 'EUR',
      lines: [{ sku: 'tea', units: 2, priceMinor: 790 }],
      method: 'pm_card_visa',
    });
    const { body: bare } = newPlacement({
      cart,
      method: undefined,
      email: undefined,
      language: 'en',
      nowMs: 0,
    });
    expect(bare).not.toHaveProperty('method');
    expect(bare).not.toHaveProperty('language');
  });

  test('has the customer’s address and language where one is given', () => {
    const wishes = { cart, method: undefined, language: 'de', nowMs: 0 } as const;
    const { body } = newPlacement({ ...wishes, email: 'hedy@example.com' });
    expect(body).toMatchObject({ email: 'hedy@example.com', language: 'de' });
  });

  test('is read again after a reload, and nothing else is', () => {
    const placement = newPlacement({ cart, method: undefined, email: undefined, language: 'en', nowMs: 0 });
    expect(readPlacement(JSON.parse(JSON.stringify(placement)))).toEqual(placement);
    expect(readPlacement(null)).toBeUndefined();
    expect(readPlacement({ key: 7, body: {} })).toBeUndefined();
  });
});
