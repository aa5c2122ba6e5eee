/**
 * What SQS answers when it refuses: shape id, query-compatible code and HTTP status.
 *
 * The modelled errors follow the service model inside `@aws-sdk/client-sqs`; the common ones (a bad or missing
 * parameter, throttling) come from the service framework and carry its namespace. The `x-amzn-query-error` header keeps
 * the code of the older query protocol, which SDKs expose as `error.Code`.
 */
import type { AwsJsonError } from '../core/aws-json-server.ts';

interface ErrorShape {
  readonly status: number;
  readonly queryCode: string;
  readonly namespace: string;
}

const modelled = (queryCode: string, status = 400): ErrorShape => ({
  status,
  queryCode,
  namespace: 'com.amazonaws.sqs',
});
const common = (queryCode: string, status = 400): ErrorShape => ({
  status,
  queryCode,
  namespace: 'com.amazon.coral.service',
});

const SHAPES = {
  BatchEntryIdsNotDistinct: modelled('AWS.SimpleQueueService.BatchEntryIdsNotDistinct'),
  BatchRequestTooLong: modelled('AWS.SimpleQueueService.BatchRequestTooLong'),
  EmptyBatchRequest: modelled('AWS.SimpleQueueService.EmptyBatchRequest'),
  InvalidAttributeName: modelled('InvalidAttributeName'),
  InvalidAttributeValue: modelled('InvalidAttributeValue'),
  InvalidBatchEntryId: modelled('AWS.SimpleQueueService.InvalidBatchEntryId'),
  InvalidMessageContents: modelled('InvalidMessageContents'),
  MessageNotInflight: modelled('AWS.SimpleQueueService.MessageNotInflight'),
  OverLimit: modelled('OverLimit', 403),
  QueueDoesNotExist: modelled('AWS.SimpleQueueService.NonExistentQueue'),
  QueueNameExists: modelled('QueueAlreadyExists'),
  ReceiptHandleIsInvalid: modelled('ReceiptHandleIsInvalid', 404),
  RequestThrottled: modelled('RequestThrottled', 403),
  ResourceNotFoundException: modelled('ResourceNotFoundException', 404),
  TooManyEntriesInBatchRequest: modelled('AWS.SimpleQueueService.TooManyEntriesInBatchRequest'),
  UnsupportedOperation: modelled('AWS.SimpleQueueService.UnsupportedOperation'),
  InvalidParameterValueException: common('InvalidParameterValue'),
  MissingRequiredParameterException: common('MissingParameter'),
  ThrottlingException: common('ThrottlingException'),
  InternalFailure: common('InternalFailure', 500),
  ServiceUnavailable: common('ServiceUnavailable', 503),
} satisfies Record<string, ErrorShape>;

export type SqsErrorCode = keyof typeof SHAPES;

/** A refusal by the queue service. */
export class SqsError extends Error {
  override readonly name = 'SqsError';
  readonly code: SqsErrorCode;
  constructor(code: SqsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The code as batch entries report it: without the `Exception` of the common shapes. */
export function batchEntryCode(code: SqsErrorCode): string {
  return SHAPES[code].queryCode;
}

/** The wire form of an error by its code; an unknown code becomes a client error of that name. */
export function wireErrorOf(code: string, message: string): AwsJsonError {
  const shape: ErrorShape = Object.hasOwn(SHAPES, code) ? SHAPES[code as SqsErrorCode] : common(code);
  const fault = shape.status >= 500 ? 'Receiver' : 'Sender';
  return {
    status: shape.status,
    type: `${shape.namespace}#${code}`,
    message,
    headers: { 'x-amzn-query-error': `${shape.queryCode};${fault}` },
  };
}

export function invalidParameter(name: string, value: unknown, reason: string): SqsError {
  return new SqsError(
    'InvalidParameterValueException',
    `Value ${String(value)} for parameter ${name} is invalid. Reason: ${reason}`,
  );
}

export function missingParameter(name: string): SqsError {
  return new SqsError('MissingRequiredParameterException', `The request must contain the parameter ${name}.`);
}

export function queueDoesNotExist(): SqsError {
  return new SqsError('QueueDoesNotExist', 'The specified queue does not exist.');
}
