/**
 * AWS SDK errors as ours. What counts: may the call have taken effect, and is it worth trying again.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
import { AmbiguousError, AppError, RefusedError, TooLargeError, UnavailableError } from '../../errors.ts';

/** The request never reached the service. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/** The service may have acted before it, or the connection, failed. */
const AMBIGUOUS = new Set(['TimeoutError', 'InternalServerError', 'InternalFailure', 'ServiceUnavailable']);

export function storeError(error: unknown): AppError {
  return vendorError(error, 'DynamoDB');
}

export function queueError(error: unknown): AppError {
  return vendorError(error, 'SQS');
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
  const answered = $metadata?.httpStatusCode !== undefined;
  if (NOT_SENT.has(code ?? '')) return new UnavailableError(text, { cause: error });
  if (AMBIGUOUS.has(name ?? '') || ($metadata?.httpStatusCode ?? 0) >= 500 || !answered) {
    return new AmbiguousError(text, { cause: error });
  }
  return new UnavailableError(text, { cause: error });
}
