import { describe, expect, test } from '@jest/globals';
import { addedByTheStack, differences } from '../../scripts/bench/http/responses.ts';
import type { PlatformResponse } from '../../scripts/bench/http/worker.ts';

const wanted: PlatformResponse = {
  status: 201,
  body: '{"id":"1"}',
  headers: {
    'content-type': 'application/json',
    etag: '"a"',
    'X-Frame-Options': 'DENY',
    'x-request-id': 'ours',
  },
};
const same: PlatformResponse = {
  ...wanted,
  headers: {
    'content-type': 'application/json; charset=utf-8',
    ETag: '"a"',
    'x-frame-options': 'DENY',
    'X-Request-Id': 'theirs',
    date: 'today',
  },
};
const all = { withHeaders: true };

describe('differences', () => {
  test('compares names without case, ignores more headers, and asks only that the request id is there', () => {
    expect(differences(same, wanted, all)).toEqual([]);
  });

  const lesser: readonly (readonly [string, PlatformResponse, string])[] = [
    ['another status', { ...same, status: 200 }, 'status 200 instead of 201'],
    ['another body', { ...same, body: '{}' }, 'body {} instead of {"id":"1"}'],
    [
      'a missing header',
      { ...same, headers: { ...same.headers, 'x-frame-options': undefined } },
      'x-frame-options: undefined instead of DENY',
    ],
    [
      'another media type',
      { ...same, headers: { ...same.headers, 'content-type': 'text/plain' } },
      'content-type: text/plain instead of application/json',
    ],
  ];
  test.each(lesser)('finds %s', (_title, response, difference) => {
    expect(differences(response, wanted, all)).toEqual([difference]);
  });

  test('finds that the request id is missing', () => {
    const { 'X-Request-Id': _, ...headers } = same.headers as Record<string, unknown>;
    expect(differences({ ...same, headers }, wanted, all)).toEqual(['x-request-id: absent instead of ours']);
  });

  test('looks at status and body only where headers are not asked for', () => {
    expect(differences({ ...wanted, headers: {} }, wanted, { withHeaders: false })).toEqual([]);
  });
});

test('what the stack adds is everything but the headers of the route', () => {
  expect(addedByTheStack(wanted)).toEqual({ 'x-frame-options': 'DENY' });
});
