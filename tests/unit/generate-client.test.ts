/** What the contract says about repeating an operation, as the client's table has it. */
import { expect, test } from '@jest/globals';
import { operationFactsOf } from '../../scripts/generate/client.ts';

const KEYED = { parameters: [{ name: 'Idempotency-Key' }] };
const CREATES = { responses: { '201': {} } };

test('a creation goes elsewhere, an action only when the contract says so, and what takes no key nowhere', () => {
  const paths = {
    '/bookings': { get: {}, post: { ...KEYED, ...CREATES } },
    '/bookings/{bookingId}': { get: {}, patch: KEYED, delete: {} },
    '/bookings/{bookingId}/count': { post: KEYED },
    '/bookings/{bookingId}/confirm': { post: { ...KEYED, 'x-tandem-repeat': 'elsewhere' } },
    '/transfer': { post: { ...KEYED, 'x-tandem-session': 'several' } },
    '/holds/{holdId}': { get: {}, delete: { 'x-tandem-repeat': 'here' } },
    '/holds/of/{userId}': { delete: { 'x-tandem-repeat': 'elsewhere' } },
    '/replication/pauses/{peer}': { delete: {} },
  };
  const table = operationFactsOf({ paths }).map(({ method, path, ...facts }) => [`${method} ${path}`, facts]);
  expect(Object.fromEntries(table)).toEqual({
    'GET /bookings': { keyed: false },
    'POST /bookings': { keyed: true, repeat: 'elsewhere' },
    'GET /bookings/{bookingId}': { keyed: false },
    'PATCH /bookings/{bookingId}': { keyed: true },
    'DELETE /bookings/{bookingId}': { keyed: false, idempotent: true },
    'POST /bookings/{bookingId}/count': { keyed: true },
    'POST /bookings/{bookingId}/confirm': { keyed: true, repeat: 'elsewhere' },
    'POST /transfer': { keyed: true, session: 'several' },
    'GET /holds/{holdId}': { keyed: false },
    'DELETE /holds/{holdId}': { keyed: false },
    'DELETE /holds/of/{userId}': { keyed: false, idempotent: true },
    'DELETE /replication/pauses/{peer}': { keyed: false },
  });
});

test('a word that has no meaning there is a mistake', () => {
  const paths = { '/a': { post: { ...KEYED, 'x-tandem-repeat': 'always' } } };
  expect(() => operationFactsOf({ paths })).toThrow('x-tandem-repeat of post /a must be elsewhere or here');
});
