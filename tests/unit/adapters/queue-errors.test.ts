/** A credential that expired or is wrong: the peer is silent for now, and the cause can be read. */
import { describe, expect, test } from '@jest/globals';
import { entryError, queueError as sqsError } from '../../../src/shared/adapters/aws/errors.ts';
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

describe('an entry of a batch that SQS did not take', () => {
  test.each([
    ['InvalidMessageContents', true, 'refused'],
    ['InvalidParameterValue', true, 'refused'],
    ['a code that nobody has seen yet', true, 'refused'],
    ['InternalError', false, 'unavailable'],
    ['RequestThrottled', true, 'unavailable'],
    ['ThrottlingException', true, 'unavailable'],
    ['OverLimit', true, 'unavailable'],
    ['AccessDenied', true, 'unavailable'],
    ['KMS.DisabledException', true, 'unavailable'],
    ['KmsAccessDenied', true, 'unavailable'],
    ['AWS.SimpleQueueService.NonExistentQueue', true, 'unavailable'],
    ['ExpiredToken', true, 'unavailable'],
  ])('%s, sender to blame %s: %s', (Code, SenderFault, code) => {
    const error = entryError({ Id: '0', Code, SenderFault, Message: 'why' });
    expect(error).toMatchObject({ code, retryable: code === 'unavailable', message: `SQS: ${Code}: why` });
  });
});

describe('a whole request that a queue did not take', () => {
  const fromSqs = (name: string): Error => named(name, 'x', { $metadata: { httpStatusCode: 400 } });
  test.each([
    ['InvalidMessageContents', 'refused'],
    ['BatchRequestTooLong', 'too_large'],
    ['QueueDoesNotExist', 'unavailable'],
    ['UnknownEndpoint', 'unavailable'],
  ])('SQS says %s: %s', (name, code) => {
    expect(sqsError(fromSqs(name))).toMatchObject({ code });
  });

  const fromServiceBus = (code: string, text: string): Error => named('ServiceBusError', text, { code });
  test.each([
    ['MessageSizeExceeded', 'x', 'too_large'],
    ['GeneralError', 'ArgumentError: x', 'refused'],
    ['GeneralError', 'ArgumentOutOfRangeError: x', 'refused'],
    ['GeneralError', 'DecodeError: x', 'refused'],
    ['GeneralError', 'InvalidFieldError: x', 'refused'],
    ['GeneralError', 'InvalidOperationError: the queue is for receiving only', 'ambiguous'],
    ['GeneralError', 'x', 'ambiguous'],
    ['MessagingEntityDisabled', 'x', 'unavailable'],
    ['MessagingEntityNotFound', 'x', 'unavailable'],
    ['QuotaExceeded', 'x', 'unavailable'],
    ['ServiceBusy', 'x', 'unavailable'],
    ['ServiceTimeout', 'x', 'ambiguous'],
    ['ServiceCommunicationProblem', 'x', 'ambiguous'],
  ])('Service Bus says %s (%s): %s', (name, text, code) => {
    expect(serviceBusError(fromServiceBus(name, text))).toMatchObject({ code });
  });
});
