import { describe, expect, test } from '@jest/globals';
import { causeText, isMeant, prettyBody, rateOf } from '@tandem-clouds/console/ui/views/dead-letters/groups';

const CAUSE = {
  source: 'tandem-in',
  reason: 'malformed',
  messages: 2,
  detail: '/state is required',
  oldest: '2026-03-01T12:00:00.000Z',
  newest: '2026-03-01T12:00:01.000Z',
  ids: ['dead-1', 'dead-2'],
  keys: [{ key: 'user:ada', detail: '/state is required' }],
};

describe('a cause of dead letters', () => {
  test.each([
    ['no filter', {}, true],
    ['its queue', { source: 'tandem-in' }, true],
    ['another queue', { source: 'tandem-out' }, false],
    ['a part of its reason', { reason: 'mal' }, true],
    ['another reason', { reason: 'foreign' }, false],
    ['a part of its detail', { text: 'STATE' }, true],
    ['one of its ids', { text: 'dead-2' }, true],
    ['one of its keys', { text: 'user:ada' }, true],
    ['what is nowhere in it', { text: 'user:alan' }, false],
  ])('by %s', (_, filter, isShown) => {
    expect(isMeant(CAUSE, filter)).toBe(isShown);
  });

  test('is named by how many, from where and why', () => {
    expect(causeText(CAUSE)).toBe('2 letters of tandem-in, malformed');
    expect(causeText({ ...CAUSE, messages: 1, source: '' })).toBe('1 letter of an unknown queue, malformed');
  });
});

test('a body is laid out where it is JSON, and otherwise left as it is', () => {
  expect(prettyBody('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(prettyBody('{"half":')).toBe('{"half":');
});

test.each([
  ['20', 20],
  [undefined, 50],
  ['', 50],
  ['0', 50],
  ['1e9', 50],
  ['2.5', 50],
])('a rate of %p is %i a second', (text, rate) => {
  expect(rateOf(text)).toBe(rate);
});
