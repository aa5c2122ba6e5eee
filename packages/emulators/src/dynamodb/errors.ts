/**
 * What DynamoDB answers when it refuses. dynalite throws errors that carry `statusCode` and `body`; the parts that this
 * folder adds throw the same shape, so one place turns both into a response.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
import type { AwsJsonError } from '../core/aws-json-server.ts';

const SERVICE = 'com.amazonaws.dynamodb.v20120810';

/** Errors of the service framework, by their namespace; every other code is the service's own. */
const NAMESPACES: Readonly<Record<string, string>> = {
  ValidationException: 'com.amazon.coral.validate',
  ThrottlingException: 'com.amazon.coral.availability',
  UnknownOperationException: 'com.amazon.coral.service',
  ServiceUnavailable: 'com.amazon.coral.availability',
};

const STATUSES: Readonly<Record<string, number>> = { InternalServerError: 500, ServiceUnavailable: 503 };

/** A refusal in the shape that dynalite throws. */
export class DynamoError extends Error {
  override readonly name = 'DynamoError';
  readonly statusCode: number;
  readonly body: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.statusCode = STATUSES[code] ?? 400;
    this.body = { __type: `${NAMESPACES[code] ?? SERVICE}#${code}`, message, ...members };
  }
}

export function validationError(message: string): DynamoError {
  return new DynamoError('ValidationException', message);
}

/** The shape of a refusal, thrown by dynalite or by `DynamoError`. */
export interface Refusal {
  readonly statusCode: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'statusCode' in error && 'body' in error;
}

/** Error code without its namespace: `ConditionalCheckFailedException`. */
export function codeOf({ body }: Refusal): string {
  return String(body['__type']).split('#').at(-1) ?? '';
}

export function messageOf({ body }: Refusal): string {
  const message = body['message'] ?? body['Message'];
  return typeof message === 'string' ? message : '';
}

/** The wire form of a refusal. */
export function wireFormOf(refusal: Refusal): AwsJsonError {
  const { __type, message: _message, Message: _Message, ...members } = refusal.body;
  return { status: refusal.statusCode, type: String(__type), message: messageOf(refusal), members };
}
