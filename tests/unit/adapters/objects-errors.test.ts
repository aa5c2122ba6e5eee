import { describe, expect, test } from '@jest/globals';
import {
  objectsError as onAws,
  objectsReadError as readOnAws,
} from '../../../src/shared/adapters/aws/errors.ts';
import {
  objectsError as onAzure,
  objectsReadError as readOnAzure,
} from '../../../src/shared/adapters/azure/errors.ts';

const s3 = (name: string, httpStatusCode?: number) => ({
  ...{ name, message: '' },
  ...(httpStatusCode !== undefined && { $metadata: { httpStatusCode } }),
});
const blob = (code: string, statusCode?: number) => ({
  ...{ name: 'RestError', code },
  ...(statusCode !== undefined && { statusCode }),
});

describe('what an error of a storage means', () => {
  test.each<readonly [string, object, string]>([
    ['throttling', s3('SlowDown', 503), 'ThrottledError'],
    ['bytes that were damaged on the way', s3('BadDigest', 400), 'UnavailableError'],
    ['another write at the same time', s3('ConditionalRequestConflict', 409), 'UnavailableError'],
    ['a right that is missing, of a HEAD', s3('403', 403), 'UnavailableError'],
    ['a bucket that is not there', s3('NoSuchBucket', 404), 'UnavailableError'],
    ['a request that is wrong', s3('InvalidRequest', 400), 'RefusedError'],
    ['an object that is too large', s3('EntityTooLarge', 400), 'TooLargeError'],
    ['no answer', s3('TimeoutError'), 'AmbiguousError'],
    ['a failure of the service', s3('InternalError', 500), 'AmbiguousError'],
  ])('S3: %s', (_title, error, name) => {
    expect(onAws(error).name).toBe(name);
    expect(readOnAws(error).name).toBe(name === 'AmbiguousError' ? 'UnavailableError' : name);
  });

  test.each<readonly [string, object, string]>([
    ['throttling', blob('ServerBusy', 503), 'ThrottledError'],
    ['bytes that were damaged on the way', blob('Crc64Mismatch', 400), 'UnavailableError'],
    ['a right that is missing', blob('AuthorizationPermissionMismatch', 403), 'UnavailableError'],
    ['a container that is not there', blob('ContainerNotFound', 404), 'UnavailableError'],
    ['a request that is wrong', blob('InvalidHeaderValue', 400), 'RefusedError'],
    ['an object that is too large', blob('RequestBodyTooLarge', 413), 'TooLargeError'],
    ['nothing that listens', blob('ECONNREFUSED'), 'UnavailableError'],
    ['no answer', blob('REQUEST_SEND_ERROR'), 'AmbiguousError'],
    ['a failure of the service', blob('OperationTimedOut', 500), 'AmbiguousError'],
  ])('Blob Storage: %s', (_title, error, name) => {
    expect(onAzure(error).name).toBe(name);
    expect(readOnAzure(error).name).toBe(name === 'AmbiguousError' ? 'UnavailableError' : name);
  });
});
