/** What a store answers when it refuses: an unknown 4xx is permanent, unless the vendor says that it passes. */
import { describe, expect, test } from '@jest/globals';
import { ThrottledError, UnavailableError } from '@tandem-clouds/replication/errors';
import { meaningOf } from '../../../src/shared/adapters/aws/error-codes.ts';
import { storeError as dynamoError } from '../../../src/shared/adapters/aws/errors.ts';
import { meaningOfServiceBus, meaningOfStatus } from '../../../src/shared/adapters/azure/error-codes.ts';
import {
  failedOperation,
  isBeyondResponse,
  queueError as serviceBusError,
  storeError as cosmosError,
  throttleHintOf,
} from '../../../src/shared/adapters/azure/errors.ts';
import { busyHintMs, throttleHintMs } from '../../../src/shared/bounds.ts';

const responded = (name: string, httpStatusCode: number, message = 'x'): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });

describe('DynamoDB', () => {
  // The table of the vendor: "OK to retry? Yes", and what an operator mends, passes.
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
  test.each([
    ['AccessDeniedException', 400, 'unavailable'],
    ['IncompleteSignatureException', 400, 'unavailable'],
    ['ItemCollectionSizeLimitExceededException', 400, 'unavailable'],
    ['LimitExceededException', 400, 'unavailable'],
    ['MissingAuthenticationTokenException', 400, 'unavailable'],
    ['ProvisionedThroughputExceededException', 400, 'unavailable'],
    ['ReplicatedWriteConflictException', 400, 'unavailable'],
    ['RequestLimitExceeded', 400, 'unavailable'],
    ['ResourceNotFoundException', 400, 'unavailable'],
    ['ThrottlingException', 400, 'unavailable'],
    ['UnrecognizedClientException', 400, 'unavailable'],
    ['ExpiredTokenException', 400, 'unavailable'],
    ['ValidationException', 400, 'refused'],
    ['SerializationException', 400, 'refused'],
    ['a code that nobody has seen yet', 400, 'refused'],
    ['a code that nobody has seen yet', 422, 'refused'],
    ['RequestEntityTooLargeException', 413, 'too_large'],
    ['a code that nobody has seen yet', 429, 'unavailable'],
    ['InternalServerError', 500, 'ambiguous'],
    ['a code that nobody has seen yet', 503, 'ambiguous'],
  ])('says %s with %i: %s', (name, status, code) => {
    const error = dynamoError(responded(name, status));
    expect(error).toMatchObject({ code, retryable: code === 'unavailable' || code === 'ambiguous' });
  });

  // "Throttling" and "capacity" there, and the list by which the SDK itself slows down.
  // https://github.com/smithy-lang/smithy-typescript/blob/main/packages/service-error-classification/src/constants.ts
  test.each([
    ['ProvisionedThroughputExceededException', 400],
    ['RequestLimitExceeded', 400],
    ['ThrottlingException', 400],
    ['LimitExceededException', 400],
    ['SlowDown', 503],
    ['a code that nobody has seen yet', 429],
  ])('throttles with %s and %i, and does not say for how long', (name, status) => {
    const error = dynamoError(responded(name, status));
    expect(error).toBeInstanceOf(ThrottledError);
    expect(error).toMatchObject({ retryable: true, retryAfterMs: throttleHintMs });
  });

  test('does not throttle where an item collection is full, or another transaction is at the key', () => {
    for (const name of ['ItemCollectionSizeLimitExceededException', 'TransactionConflictException'])
      expect(dynamoError(responded(name, 400))).toBeInstanceOf(UnavailableError);
  });

  test('has no code of its own for an item that is too large', () => {
    const error = responded('ValidationException', 400, 'Item size has exceeded the maximum allowed size');
    expect(dynamoError(error)).toMatchObject({ code: 'too_large' });
  });

  test('is read by the plain code, however it is written', () => {
    expect(meaningOf('com.amazonaws.dynamodb.v20120810#ThrottlingException')).toBe('throttled');
    expect(meaningOf('AWS.SimpleQueueService.NonExistentQueue')).toBe('passes');
    expect(meaningOf('KMS.AnythingException')).toBe('passes');
  });
});

describe('Cosmos DB', () => {
  // https://learn.microsoft.com/azure/cosmos-db/conceptual-resilient-sdk-applications#should-my-application-retry-on-errors
  test.each([
    [400, 'refused'],
    [401, 'passes'],
    [403, 'passes'],
    [404, 'passes'],
    [405, 'refused'],
    [408, 'ambiguous'],
    [410, 'ambiguous'],
    [413, 'too_large'],
    [415, 'refused'],
    [418, 'refused'],
    [423, 'passes'],
    [424, 'passes'],
    [429, 'throttled'],
    [449, 'ambiguous'],
    [500, 'ambiguous'],
    [503, 'passes'],
  ])('says %i: %s', (status, meaning) => {
    expect(meaningOfStatus(status)).toBe(meaning);
  });

  test('is understood through the error that the bulk of the SDK wraps around its answer', () => {
    const cause = Object.assign(new Error('too large'), { code: 413 });
    expect(cosmosError(new Error('Bulk request errored with: too large', { cause }))).toMatchObject({
      code: 'too_large',
      cause,
    });
    expect(cosmosError(new Error('nothing is known'))).toMatchObject({ code: 'ambiguous' });
  });

  test('says with 429 when to come back, of a request and of an operation', () => {
    const cause = Object.assign(new Error('Request rate is large'), { code: 429, retryAfterInMs: 37 });
    for (const error of [cause, new Error('Bulk request errored with: x', { cause })]) {
      expect(cosmosError(error)).toBeInstanceOf(ThrottledError);
      expect(cosmosError(error)).toMatchObject({ retryAfterMs: 37 });
    }
    const response = { statusCode: 429, retryAfterMilliseconds: 41 };
    expect(throttleHintOf(response)).toBe(41);
    expect(failedOperation(response, 'user:1')).toMatchObject({ code: 'unavailable', retryAfterMs: 41 });
    expect(throttleHintOf({ statusCode: 429 })).toBe(throttleHintMs);
    expect(throttleHintOf({ statusCode: 503 })).toBeUndefined();
  });

  test('names the key of an operation, and tells what does not fit the answer from what does not fit at all', () => {
    expect(failedOperation({ statusCode: 400 }, 'user:1')).toMatchObject({
      code: 'refused',
      message: 'Cosmos DB: 400: user:1',
    });
    expect(isBeyondResponse({ statusCode: 413, subStatusCode: 3402 })).toBe(true);
    expect(isBeyondResponse({ statusCode: 413 })).toBe(false);
  });
});

describe('Service Bus', () => {
  // https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/core/core-amqp/src/errors.ts
  test.each([
    ['ServiceBusy', 'x', 'throttled'],
    ['QuotaExceeded', 'x', 'passes'],
    ['MessageSizeExceeded', 'x', 'too_large'],
    ['ServiceTimeout', 'x', 'ambiguous'],
    ['GeneralError', 'InternalServerError: x', 'ambiguous'],
    ['GeneralError', 'DetachForcedError: x', 'ambiguous'],
    ['GeneralError', 'ResourceLockedError: x', 'ambiguous'],
    ['GeneralError', 'DecodeError: x', 'refused'],
    ['GeneralError', 'NotImplementedError: x', 'refused'],
    ['GeneralError', 'PreconditionFailedError: x', 'refused'],
    ['GeneralError', 'no condition is named', 'ambiguous'],
    ['a code that nobody has seen yet', 'x', 'refused'],
  ])('says %s (%s): %s', (code, text, meaning) => {
    expect(meaningOfServiceBus(code, text)).toBe(meaning);
  });

  test('is given its time when it is busy', () => {
    const busy = Object.assign(new Error('the server is busy'), {
      name: 'ServiceBusError',
      code: 'ServiceBusy',
    });
    expect(serviceBusError(busy)).toBeInstanceOf(ThrottledError);
    expect(serviceBusError(busy)).toMatchObject({ retryAfterMs: busyHintMs });
  });

  test('is not taken to have answered what is no error of its own', () => {
    const cut = Object.assign(new TypeError('Cannot read properties of undefined'), { code: 'Unknown' });
    expect(serviceBusError(cut)).toMatchObject({ code: 'ambiguous' });
  });
});
