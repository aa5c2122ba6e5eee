import { describe, expect, test } from '@jest/globals';
import { hrefOf, parseRoute } from '../src/route.ts';

describe('addresses of views', () => {
  test.each([
    { view: 'home' },
    { view: 'category', category: 'tea & coffee/50 %' },
    { view: 'search', prefix: 'té #1' },
    { view: 'product', sku: 'earl-grey' },
    { view: 'cart' },
    { view: 'checkout' },
    { view: 'orders' },
    { view: 'order', orderId: '0192b1c0-0000-7000-8000-000000000000' },
  ] as const)('lead to the view that they were made for: $view', (route) => {
    expect(parseRoute(hrefOf(route))).toEqual(route);
  });

  test.each([
    ['', 'home'],
    ['#', 'home'],
    ['#/category', 'nothing'],
    ['#/nowhere', 'nothing'],
    ['#/product/a/b', 'nothing'],
    ['#/cart/x', 'nothing'],
  ])('%j shows %s', (hash, view) => {
    expect(parseRoute(hash).view).toBe(view);
  });

  test('what is no percent-encoding is taken as it is', () => {
    expect(parseRoute('#/search/100%')).toEqual({ view: 'search', prefix: '100%' });
  });
});
