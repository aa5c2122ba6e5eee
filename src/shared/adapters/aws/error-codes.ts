/**
 * What the errors of DynamoDB, SQS, S3 and SNS mean, by their codes.
 *
 * Invariant: an error with a status of 4xx is permanent unless it is in here. What is in here passes with time, or when an
 * operator has mended the account: a right, a credential, a key, a table, a queue or a bucket. None of that is about a key or a message,
 * so it must not dead-letter one.
 */
import type { Meaning } from '../vendor-error.ts';

/**
 * "OK to retry? Yes", throttling and capacity first; then what its owner mends.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html#Programming.Errors.MessagesAndCodes
 */
const DYNAMODB: Readonly<Record<string, Meaning>> = {
  ItemCollectionSizeLimitExceeded: 'passes',
  LimitExceeded: 'throttled',
  ProvisionedThroughputExceeded: 'throttled',
  ReplicatedWriteConflict: 'passes',
  RequestLimitExceeded: 'throttled',
  Throttling: 'throttled',
  TransactionConflict: 'passes',
  TransactionInProgress: 'passes',
  ResourceInUse: 'passes',
  ResourceNotFound: 'passes',
  Validation: 'refused',
};

/**
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html#API_SendMessageBatch_Errors
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
 */
const SQS: Readonly<Record<string, Meaning>> = {
  BatchRequestTooLong: 'too_large',
  InvalidMessageContents: 'refused',
  OverLimit: 'passes',
  RequestThrottled: 'throttled',
  NonExistentQueue: 'passes',
  QueueDoesNotExist: 'passes',
  QueueDeletedRecently: 'passes',
  PurgeQueueInProgress: 'passes',
  InvalidAddress: 'passes',
  InvalidSecurity: 'passes',
  KmsAccessDenied: 'passes',
  KmsDisabled: 'passes',
  KmsInvalidKeyUsage: 'passes',
  KmsInvalidState: 'passes',
  KmsNotFound: 'passes',
  KmsOptInRequired: 'passes',
  KmsThrottled: 'throttled',
};

/**
 * A digest that does not fit was damaged on the way: what we announce is computed from what we send.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
const S3: Readonly<Record<string, Meaning>> = {
  AccountProblem: 'passes',
  AllAccessDisabled: 'passes',
  AuthorizationHeaderMalformed: 'passes',
  BadDigest: 'passes',
  ConditionalRequestConflict: 'passes',
  EntityTooLarge: 'too_large',
  IncompleteBody: 'passes',
  InvalidAccessKeyId: 'passes',
  InvalidObjectState: 'passes',
  NoSuchBucket: 'passes',
  OperationAborted: 'passes',
  PermanentRedirect: 'passes',
  TemporaryRedirect: 'passes',
  XAmzContentSHA256Mismatch: 'passes',
};

/**
 * What is refused for good is about a number or a text. A limit of the account's spending, or a destination that it may not send
 * to yet, is its owner's to mend.
 * @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
 */
const SNS: Readonly<Record<string, Meaning>> = {
  AuthorizationError: 'passes',
  InternalError: 'ambiguous',
  InvalidParameter: 'refused',
  InvalidParameterValue: 'refused',
  NotFound: 'passes',
  UserError: 'passes',
};

/**
 * Of every service: who asks, by which clock, and how often.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
 * @see https://github.com/smithy-lang/smithy-typescript/blob/main/packages/service-error-classification/src/constants.ts
 */
const COMMON: Readonly<Record<string, Meaning>> = {
  AccessDenied: 'passes',
  AuthFailure: 'passes',
  ExpiredToken: 'passes',
  IncompleteSignature: 'passes',
  InvalidClientTokenId: 'passes',
  InvalidSignature: 'passes',
  InvalidToken: 'passes',
  MissingAuthenticationToken: 'passes',
  NotAuthorized: 'passes',
  OptInRequired: 'passes',
  RequestExpired: 'passes',
  RequestInTheFuture: 'passes',
  RequestTimeTooSkewed: 'passes',
  SignatureDoesNotMatch: 'passes',
  UnknownEndpoint: 'passes',
  UnrecognizedClient: 'passes',
  BandwidthLimitExceeded: 'throttled',
  PriorRequestNotComplete: 'throttled',
  SlowDown: 'throttled',
  Throttled: 'throttled',
  TooManyRequests: 'throttled',
  InternalFailure: 'ambiguous',
  InternalServerError: 'ambiguous',
  RequestAborted: 'ambiguous',
  RequestTimeout: 'ambiguous',
  ServiceUnavailable: 'ambiguous',
  TimeoutError: 'ambiguous',
  RequestEntityTooLarge: 'too_large',
};

const MEANINGS = new Map(Object.entries({ ...DYNAMODB, ...SQS, ...S3, ...SNS, ...COMMON }));
/** KMS has more codes than SQS lists, such as `KMS.DisabledException`: all of them are about the key for encryption. */
const OF_KMS = /^kms/i;

/**
 * What a code means, however it is written: `ThrottlingException`, `AWS.SimpleQueueService.NonExistentQueue`, or with the
 * name of its model in front.
 * @param status The HTTP status; undefined for what has none of its own, such as one entry of a batch.
 */
export function meaningOf(code: string, status = 400): Meaning {
  const plain = code
    .replace(/^.*#/, '')
    .replace(/^AWS\.SimpleQueueService\./, '')
    .replace(/Exception$/, '');
  const known = MEANINGS.get(plain);
  if (known !== undefined) return known;
  if (OF_KMS.test(plain)) return 'passes';
  if (status >= 500) return 'ambiguous';
  // RFC 9110 and RFC 6585: the client was too slow, or asks too often.
  if (status === 408) return 'ambiguous';
  if (status === 429) return 'throttled';
  if (status === 413) return 'too_large';
  return status >= 400 ? 'refused' : 'passes';
}
