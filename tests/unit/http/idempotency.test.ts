/** The id that a keyed creation makes is the same in every release: a retry may meet an older one, at the other cloud. */
import { expect, test } from '@jest/globals';
import { keyedRequest } from '../../../src/shared/http/idempotency.ts';
import type { Caller, HttpRequest } from '../../../src/shared/http/route.ts';

const caller = (identity: string): Caller => ({ name: 'x', identity, subject: 's', scopes: [], claims: {} });

/** As release 0.2.0 made them. */
test.each<[string, Caller | undefined, string]>([
  ['nobody is asked', undefined, '0716cd9d-2bb8-87cc-94c9-792a7faee621'],
  ['anybody is trusted', { ...caller('anybody'), isAnybody: true }, '0716cd9d-2bb8-87cc-94c9-792a7faee621'],
  ['a service asks', caller('service abc'), 'dd29a268-0e71-8609-b366-34b853b926eb'],
])('where %s', (_, asking, id) => {
  const request = {
    headers: { 'idempotency-key': 'k1' },
    body: { a: 1 },
    caller: asking,
  } as unknown as HttpRequest;
  expect(keyedRequest('user', request)?.id).toBe(id);
});
