import { describe, expect, test } from '@jest/globals';
import { extentOf, linkedTraces, spanRows, titleOf } from '../../src/otlp/span-tree.ts';
import type { SpanFacts } from '../../src/otlp/trace.ts';

const span = (spanId: string, parentId?: string, more: Partial<SpanFacts> = {}): SpanFacts => ({
  spanId,
  ...(parentId !== undefined && { parentId }),
  name: spanId,
  kind: 'internal',
  site: 'aws-us-east-1',
  startMs: 1_000,
  endMs: 1_010,
  attributes: {},
  links: [],
  ...more,
});

const shape = (spans: readonly SpanFacts[]): readonly (readonly [string, number, number])[] =>
  spanRows(spans).map(({ span: { spanId }, depth, below }) => [spanId, depth, below]);

describe('the rows of a trace', () => {
  test('have parents before children, and say how many are below each', () => {
    const spans = [span('a'), span('b', 'a'), span('c', 'a'), span('d', 'b'), span('e')];
    expect(shape(spans)).toEqual([
      ['a', 0, 3],
      ['b', 1, 1],
      ['d', 2, 0],
      ['c', 1, 0],
      ['e', 0, 0],
    ]);
  });

  test('have at the top what nobody there is above of, and spans that name each other', () => {
    expect(shape([span('a', 'missing'), span('x', 'y'), span('y', 'x'), span('z', 'z')])).toEqual([
      ['a', 0, 0],
      ['x', 0, 1],
      ['y', 1, 0],
      ['z', 0, 0],
    ]);
  });

  test('are made of a chain of thousands too', () => {
    const chain = Array.from({ length: 20_000 }, (_span, at) =>
      span(`${at}`, at === 0 ? undefined : `${at - 1}`),
    );
    expect(spanRows(chain).at(-1)).toMatchObject({ depth: 19_999, below: 0 });
    expect(spanRows(chain)[0]).toMatchObject({ depth: 0, below: 19_999 });
  });

  test('of nothing are none', () => {
    expect(spanRows([])).toEqual([]);
    expect(extentOf([])).toEqual({ startMs: 0, endMs: 0 });
  });
});

test('a trace lasts from its first beginning to its last end', () => {
  const spans = [span('a', undefined, { startMs: 5, endMs: 9 }), span('b', 'a', { startMs: 3, endMs: 7 })];
  expect(extentOf(spans)).toEqual({ startMs: 3, endMs: 9 });
});

test('a title names entity and peer, and a link each other trace once', () => {
  const attributes = { 'tandem.entity': 'item', 'tandem.peer': 'azure-eastus' };
  expect(titleOf(span('send', undefined, { attributes }))).toBe('send (item) → azure-eastus');
  const links = ['t1', 't2', 't1', 'own'].map((traceId) => ({ traceId, spanId: '1' }));
  expect(linkedTraces({ links }, 'own')).toEqual(['t1', 't2']);
});
