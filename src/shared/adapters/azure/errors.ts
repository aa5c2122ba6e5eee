/**
 * Azure SDK errors as ours. What counts: may the call have taken effect, and is it worth trying again.
 * @see https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-exceptions
 */
import { busyHintMs, throttleHintMs } from '../../bounds.ts';
import {
  AmbiguousError,
  AppError,
  RefusedError,
  ThrottledError,
  TooLargeError,
  UnavailableError,
} from '../../errors.ts';

/** Request timeout, retry-with, gone, internal error: the write may have happened. */
const AMBIGUOUS_STATUS = new Set([408, 410, 449, 500]);
/** The request never reached the service. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/**
 * Codes of `ServiceBusError` for a message that was not taken, for a cause that time or an operator mends.
 * @see https://learn.microsoft.com/javascript/api/@azure/service-bus/servicebuserrorcode
 */
const QUEUE_NOT_SENT = new Set([
  'MessagingEntityNotFound',
  'MessagingEntityDisabled',
  'UnauthorizedAccess',
  'QuotaExceeded',
]);
/**
 * AMQP errors that are about what is in the message. The SDK has no code for them: it says `GeneralError` and puts their
 * names in front of the text.
 * @see https://learn.microsoft.com/javascript/api/@azure/core-amqp/conditionerrornamemapper
 */
const REFUSED_TEXT = /^(?:ArgumentError|ArgumentOutOfRangeError|DecodeError|InvalidFieldError):/;

const BULK_REFUSED = 'Bulk request errored with:';

export function storeError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // A bulk request that is refused as a whole: the SDK wraps what it was refused with.
  if (error instanceof Error && error.message.startsWith(BULK_REFUSED)) return storeError(error.cause);
  const { code, message } = error as { code?: number | string; message?: string };
  const text = `Cosmos DB: ${code ?? ''}: ${message ?? ''}`;
  if (typeof code === 'number') return byStatus(code, text, error);
  return NOT_SENT.has(code ?? '')
    ? new UnavailableError(text, { cause: error })
    : new AmbiguousError(text, { cause: error });
}

/** For an operation of a bulk request, which has a status and no error. */
export function failedStatus(status: number): AppError {
  return byStatus(status, `Cosmos DB: ${status}`, undefined);
}

function byStatus(status: number, text: string, cause: unknown): AppError {
  if (status === 429) {
    const { retryAfterInMs = throttleHintMs } = (cause ?? {}) as { retryAfterInMs?: number };
    return new ThrottledError(text, { cause, retryAfterMs: retryAfterInMs });
  }
  if (status === 413) return new TooLargeError(text, { cause });
  if (status === 400) return new RefusedError(text, { cause });
  if (AMBIGUOUS_STATUS.has(status)) return new AmbiguousError(text, { cause });
  return new UnavailableError(text, { cause });
}

export function queueError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // After its retries the SDK throws all their errors as one that has neither code nor message.
  if (error instanceof AggregateError && error.errors.length > 0) return queueError(error.errors.at(-1));
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  const text = `Service Bus: ${code ?? name ?? ''}: ${message ?? ''}`;
  if (code === 'MessageSizeExceeded') return new TooLargeError(text, { cause: error });
  if (code === 'GeneralError' && REFUSED_TEXT.test(message ?? ''))
    return new RefusedError(text, { cause: error });
  if (code === 'ServiceBusy') return new ThrottledError(text, { cause: error, retryAfterMs: busyHintMs });
  const unsent = NOT_SENT.has(code ?? '') || QUEUE_NOT_SENT.has(code ?? '');
  return unsent ? new UnavailableError(text, { cause: error }) : new AmbiguousError(text, { cause: error });
}
