/**
 * AWS SDK errors as ours. What counts: may the call have taken effect, and is it worth trying again.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { throttleHintMs } from '../../bounds.ts';
import {
  AmbiguousError,
  AppError,
  RefusedError,
  ThrottledError,
  TooLargeError,
  UnavailableError,
} from '../../errors.ts';

/** The request never reached the service. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/**
 * More was asked of the table, its partition, the queue or the account than it grants.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html#Programming.Errors.MessagesAndCodes
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
 */
const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'ThrottlingException',
]);
/** The service may have acted before it, or the connection, failed. */
const AMBIGUOUS = new Set(['TimeoutError', 'InternalServerError', 'InternalFailure', 'ServiceUnavailable']);

/**
 * With these SQS refuses a whole request for what is in its messages. All others are about the queue, the caller or
 * the moment.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html#API_SendMessageBatch_Errors
 */
const REQUEST_REFUSED = new Set(['InvalidMessageContents']);
const REQUEST_TOO_LARGE = new Set(['BatchRequestTooLong', 'AWS.SimpleQueueService.BatchRequestTooLong']);
/**
 * Of a single entry that the sender is to blame for: what time or an operator mends, all the same. Throttling, a queue
 * that is not there, credentials, and keys for encryption.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
const ENTRY_PASSES =
  /throttl|overlimit|accessdenied|notauthorized|kms|nonexistentqueue|queuedoesnotexist|token|signature|invalidsecurity|optin|expired/i;

/**
 * What became of one entry of a batch: refused for good when the sender is to blame and no cause is known that passes.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html
 */
export function entryError({ Code, Message = '', SenderFault }: BatchResultErrorEntry): AppError {
  const text = `SQS: ${Code ?? ''}: ${Message}`;
  return SenderFault === true && !ENTRY_PASSES.test(Code ?? '')
    ? new RefusedError(text)
    : new UnavailableError(text);
}

export function storeError(error: unknown): AppError {
  return vendorError(error, 'DynamoDB');
}

export function queueError(error: unknown): AppError {
  const { name = '' } = error as { name?: string };
  const mapped = vendorError(error, 'SQS');
  if (REQUEST_TOO_LARGE.has(name)) return new TooLargeError(mapped.message, { cause: error });
  return REQUEST_REFUSED.has(name) ? new RefusedError(mapped.message, { cause: error }) : mapped;
}

function vendorError(error: unknown, service: string): AppError {
  if (error instanceof AppError) return error;
  const { name, code, message, $metadata } = error as {
    name?: string;
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const text = `${service}: ${name ?? 'Error'}: ${message ?? ''}`;
  if (name === 'ValidationException' && /size has exceeded/i.test(message ?? '')) {
    return new TooLargeError(text, { cause: error });
  }
  if (name === 'ValidationException') return new RefusedError(text, { cause: error });
  if (THROTTLED.has(name ?? ''))
    return new ThrottledError(text, { cause: error, retryAfterMs: throttleHintMs });
  const answered = $metadata?.httpStatusCode !== undefined;
  if (NOT_SENT.has(code ?? '')) return new UnavailableError(text, { cause: error });
  if (AMBIGUOUS.has(name ?? '') || ($metadata?.httpStatusCode ?? 0) >= 500 || !answered) {
    return new AmbiguousError(text, { cause: error });
  }
  return new UnavailableError(text, { cause: error });
}
