import { describe, expect, test } from '@jest/globals';
import { BAR_UNITS, barOf, precise, shownRows, traceIdIn } from '@tandem-clouds/console/ui/trace-rows';
import { spanRows } from '@tandem-clouds/emulators/otlp/span-tree';
import type { SpanFacts } from '@tandem-clouds/emulators/otlp/trace';

const span = (spanId: string, parentId?: string, more: Partial<SpanFacts> = {}): SpanFacts => ({
  spanId,
  ...(parentId !== undefined && { parentId }),
  name: `step ${spanId}`,
  kind: 'internal',
  site: 'aws-us-east-1',
  startMs: 0,
  endMs: 1,
  attributes: {},
  links: [],
  ...more,
});

/** a > (b > c), d > e */
const ROWS = spanRows([
  span('a'),
  span('b', 'a'),
  span('c', 'b', { failure: 'timeout', site: 'azure-eastus' }),
  span('d', 'a', { attributes: { 'tandem.entity': 'Order' } }),
  span('e', 'd'),
]);

describe('the rows that are shown', () => {
  const ids = (filter: Omit<Parameters<typeof shownRows>[1], 'folded'>, folded: string[] = []): string =>
    shownRows(ROWS, { ...filter, folded: new Set(folded) })
      .map((row) => row.span.spanId)
      .join('');

  test.each([
    ['all of them', {}, [], 'abcde'],
    ['nothing below what is folded', {}, ['b'], 'abde'],
    ['only the top when all is folded', {}, ['a', 'b', 'd'], 'a'],
    ['what failed, with all above it', { failed: true }, [], 'abc'],
    ['what is of a site, with all above it', { site: 'azure-eastus' }, [], 'abc'],
    ['what has a text in its name', { text: 'STEP E' }, [], 'ade'],
    ['what has it in its entity', { text: 'order' }, [], 'ad'],
    ['what has it in its failure', { text: 'time' }, [], 'abc'],
    ['nothing that is not there', { text: 'x' }, [], ''],
    ['nothing below what is folded, of what is looked for', { failed: true }, ['a'], 'a'],
  ])('are %s', (_, filter, folded, wanted) => {
    expect(ids(filter, folded)).toBe(wanted);
  });

  test('of tens of thousands are found at once', () => {
    const chain = spanRows(
      Array.from({ length: 20_000 }, (_span, at) => span(`${at}`, at === 0 ? undefined : `${at - 1}`)),
    );
    const began = performance.now();
    expect(shownRows(chain, { text: 'step', folded: new Set() })).toHaveLength(20_000);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

test('a bar is where its time is, and never too narrow to see or outside', () => {
  const whole = { startMs: 100, endMs: 200 };
  expect(barOf({ startMs: 150, endMs: 175 }, whole)).toEqual({ x: 500, width: 250 });
  const last = barOf({ startMs: 200, endMs: 200 }, whole);
  expect(last.x + last.width).toBe(BAR_UNITS);
  expect(barOf({ startMs: 5, endMs: 5 }, { startMs: 5, endMs: 5 })).toEqual({ x: 0, width: BAR_UNITS });
});

test.each([
  ['an id', '4BF92F3577B34DA6A3CE929D0E0E4736', '4bf92f3577b34da6a3ce929d0e0e4736'],
  ['how one begins', ' 4bf9 ', '4bf9'],
  [
    'a header',
    'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '4bf92f3577b34da6a3ce929d0e0e4736',
  ],
  ['another text', 'POST /write', undefined],
  ['too much', 'a'.repeat(33), undefined],
  ['nothing', '', undefined],
])('the id in %s', (_, text, wanted) => {
  expect(traceIdIn(text)).toBe(wanted);
});

test('times are as precise as they are short', () => {
  expect([0.04, 29.71, 3_204].map(precise)).toEqual(['0.0 ms', '29.7 ms', '3.20 s']);
});
