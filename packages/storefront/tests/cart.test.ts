import { describe, expect, test } from '@jest/globals';
import { orderLinesMax, orderUnitsMax } from '../../../src/shared/bounds.ts';
import {
  type CartLine,
  linesMax,
  readCart,
  totalMinor,
  unitsMax,
  unitsOf,
  withAdded,
  withCurrent,
  withUnits,
} from '../src/cart.ts';

const tea: CartLine = { sku: 'tea', name: 'Tea', units: 1, priceMinor: 790, currency: 'EUR' };
const mug: CartLine = { sku: 'mug', name: 'Mug', units: 2, priceMinor: 1_450, currency: 'EUR' };

describe('a cart', () => {
  test('takes what an order takes, and no more', () => {
    expect([linesMax, unitsMax]).toEqual([orderLinesMax, orderUnitsMax]);
  });

  test('adds up what is put into it twice', () => {
    expect(withAdded([tea], { ...tea, units: 2 })).toEqual([{ ...tea, units: 3 }]);
    expect(withAdded([{ ...tea, units: unitsMax }], tea)).toEqual([{ ...tea, units: unitsMax }]);
  });

  test('refuses another currency, for an order has one', () => {
    expect(withAdded([tea], { ...mug, currency: 'USD' })).toBe('other_currency');
  });

  test('refuses one article more than an order takes, and still takes more of one that it has', () => {
    const full = Array.from({ length: linesMax }, (_, index) => ({ ...tea, sku: `tea-${index}` }));
    expect(withAdded(full, mug)).toBe('full');
    expect(withAdded(full, { ...tea, sku: 'tea-3' })).toHaveLength(linesMax);
  });

  test('loses what nothing is wanted of, and bounds what is wanted', () => {
    expect(withUnits([tea, mug], 'tea', 0)).toEqual([mug]);
    expect(withUnits([tea], 'tea', 1_000_000)).toEqual([{ ...tea, units: unitsMax }]);
    expect(withUnits([tea], 'tea', 2.9)).toEqual([{ ...tea, units: 2 }]);
  });

  test('knows how much it is', () => {
    expect(totalMinor([tea, mug])).toBe(790 + 2 * 1_450);
    expect(unitsOf([tea, mug])).toBe(3);
  });

  test('takes over a new price, drops what is not sold any more, and stays itself when nothing has changed', () => {
    const cart = [tea, mug];
    expect(withCurrent(cart, 'tea', { name: 'Tea', priceMinor: 800, currency: 'EUR' })).toEqual([
      { ...tea, priceMinor: 800 },
      mug,
    ]);
    expect(withCurrent(cart, 'tea', undefined)).toEqual([mug]);
    expect(withCurrent(cart, 'tea', tea)).toBe(cart);
  });

  test.each([
    ['nothing', null, []],
    ['something else', { tea }, []],
    [
      'lines and what are none',
      [tea, { sku: 'x' }, 7, null, { ...mug, units: 0 }, { ...mug, currency: '<b>' }],
      [tea],
    ],
  ])('reads %s that a browser has kept', (_, kept, cart) => {
    expect(readCart(kept)).toEqual(cart);
  });
});
