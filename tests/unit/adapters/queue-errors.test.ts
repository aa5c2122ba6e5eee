/** A credential that expired or is wrong: the peer is silent for now, and the cause can be read. */
import { describe, expect, test } from '@jest/globals';
import { queueError as sqsError } from '../../../src/shared/adapters/aws/errors.ts';
import { queueError as serviceBusError } from '../../../src/shared/adapters/azure/errors.ts';

const named = (name: string, message: string, rest: object = {}): Error =>
  Object.assign(new Error(message), { name }, rest);

test('the errors of several tries are told as the last one', () => {
  const last = named('ServiceBusError', 'not authorized', { code: 'UnauthorizedAccess' });
  const error = new AggregateError([named('ServiceBusError', 'busy', { code: 'ServiceBusy' }), last]);
  expect(serviceBusError(error)).toMatchObject({ code: 'unavailable', cause: last });
});

describe('a credential that is not accepted', () => {
  test.each([
    ['SQS, expired', sqsError, named('ExpiredToken', 'has expired', { $metadata: { httpStatusCode: 403 } })],
    [
      'SQS, unknown',
      sqsError,
      named('InvalidClientTokenId', 'is invalid', { $metadata: { httpStatusCode: 401 } }),
    ],
    [
      'SQS, not allowed',
      sqsError,
      named('AccessDenied', 'not authorized', { $metadata: { httpStatusCode: 403 } }),
    ],
    ['SQS, none to be had', sqsError, named('CredentialsProviderError', 'Could not load credentials')],
    [
      'Service Bus, not accepted',
      serviceBusError,
      named('ServiceBusError', '401', { code: 'UnauthorizedAccess' }),
    ],
    [
      'Service Bus, no token to be had',
      serviceBusError,
      named('AggregateAuthenticationError', 'federated token'),
    ],
  ])('at %s: worth trying again, and says why', (_, toError, error) => {
    const mapped = toError(error);
    expect(mapped.retryable).toBe(true);
    expect(mapped.message).toContain(error.message);
    expect(mapped.cause).toBe(error);
  });
});
