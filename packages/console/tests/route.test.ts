import { describe, expect, test } from '@jest/globals';
import { hrefOf, parseRoute } from '@tandem-clouds/console/ui/route';

describe('the address of a view', () => {
  test('is read as it was written, whatever is in it', () => {
    const args = ['aws-us-east-1', 'order:a/b?c#d', 'ü %'];
    const query = { prefix: 'a&b=c', after: '<x>' };
    expect(parseRoute(hrefOf('records', args, query))).toEqual({ view: 'records', args, query });
  });

  test('leaves out what is not chosen', () => {
    expect(hrefOf('traces', [], { route: '', minMs: undefined, failed: 'true' })).toBe(
      '#/traces?failed=true',
    );
    expect(hrefOf('')).toBe('#/');
  });

  test('of nothing is the overview, and what cannot be decoded is shown as it is', () => {
    expect(parseRoute('')).toEqual({ view: '', args: [], query: {} });
    expect(parseRoute('#/records/%E0%A4')).toEqual({ view: 'records', args: ['%E0%A4'], query: {} });
  });
});
