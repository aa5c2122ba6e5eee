/**
 * Azure SDK errors as ours. What counts: may the call have taken effect, and is it worth trying again. What the codes mean is
 * in `error-codes.ts`.
 */
import { AmbiguousError, AppError } from '@tandem-clouds/replication/errors';
import { busyHintMs, throttleHintMs } from '../../bounds.ts';
import { asError, type Meaning, NOT_SENT } from '../vendor-error.ts';
import { meaningOfBlob, meaningOfServiceBus, meaningOfSms, meaningOfStatus } from './error-codes.ts';

/**
 * Sub status of 413 for an operation whose answer would not fit beside those before it.
 * @see https://github.com/Azure/azure-cosmos-dotnet-v3/pull/2390
 */
const RESPONSE_SIZE_EXCEEDED = 3402;

interface VendorError {
  readonly code?: number | string;
  readonly name?: string;
  readonly message?: string;
  readonly cause?: unknown;
  /** Of the SDK of Cosmos DB, from `x-ms-retry-after-ms`. */
  readonly retryAfterInMs?: number;
}

export function storeError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, message, cause, retryAfterInMs: retryAfterMs = throttleHintMs } = error as VendorError;
  // The bulk of the SDK wraps what it was answered in an error that has no code.
  if (code === undefined && (cause as VendorError | undefined)?.code !== undefined) return storeError(cause);
  const text = `Cosmos DB: ${code ?? ''}: ${message ?? ''}`;
  return asError(meaningOfStoreError(code), text, { cause: error, retryAfterMs });
}

function meaningOfStoreError(code: number | string | undefined): Meaning {
  if (typeof code === 'number') return meaningOfStatus(code);
  return NOT_SENT.has(code ?? '') ? 'passes' : 'ambiguous';
}

/**
 * Of a read of a vault: nothing has taken effect, whatever became of it.
 * @see https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 */
export function vaultError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { statusCode, code, name } = error as VendorError & { readonly statusCode?: number };
  const text = `Key Vault: ${statusCode ?? code ?? name ?? ''}`;
  if (statusCode === 429) return asError('throttled', text, { cause: error });
  const isRefused = statusCode !== undefined && statusCode >= 400 && statusCode < 500 && statusCode !== 401;
  return asError(isRefused ? 'refused' : 'passes', text, { cause: error });
}

/** Of a call of Communication Services. */
export function smsError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { statusCode, code = '', name = '' } = error as VendorError & { readonly statusCode?: number };
  if (statusCode !== undefined) return smsResultError(statusCode, String(code), error);
  const text = `Communication Services: ${code === '' ? name : code}`;
  return asError(NOT_SENT.has(String(code)) ? 'passes' : 'ambiguous', text, { cause: error });
}

/** Of a whole request, or of one recipient inside an answer that is 202. */
export function smsResultError(status: number, said: string, cause?: unknown): AppError {
  return asError(meaningOfSms(status), `Communication Services: ${status}: ${said}`, { cause });
}

/** Of a call of Blob Storage that writes. */
export function objectsError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { statusCode, code = '', name = '' } = error as VendorError & { readonly statusCode?: number };
  const text = `Blob Storage: ${statusCode ?? ''} ${code === '' ? name : code}`;
  if (statusCode !== undefined)
    return asError(meaningOfBlob(statusCode, String(code)), text, { cause: error });
  return asError(NOT_SENT.has(String(code)) ? 'passes' : 'ambiguous', text, { cause: error });
}

/** Of one that reads: nothing has taken effect, whatever became of it. */
export function objectsReadError(error: unknown): AppError {
  const told = objectsError(error);
  return told instanceof AmbiguousError ? asError('passes', told.message, { cause: error }) : told;
}

/** What the service answers of one operation of a bulk request; the SDK passes it on as it is. */
interface OperationResponse {
  readonly statusCode: number;
  readonly subStatusCode?: number;
  /** With 429; the SDK's type does not have it. */
  readonly retryAfterMilliseconds?: number;
}

/** For an operation of a bulk request, which has a status and no error. */
export function failedOperation(response: OperationResponse, key: string): AppError {
  const { statusCode } = response;
  const retryAfterMs = throttleHintOf(response) ?? throttleHintMs;
  return asError(meaningOfStatus(statusCode), `Cosmos DB: ${statusCode}: ${key}`, { retryAfterMs });
}

/** Whether an operation was refused only because its answer would not have fitted: it is to be asked again. */
export function isBeyondResponse({ statusCode, subStatusCode }: OperationResponse): boolean {
  return statusCode === 413 && subStatusCode === RESPONSE_SIZE_EXCEEDED;
}

/** Milliseconds after which an operation of a bulk request is to be tried again; undefined when it was not throttled. */
export function throttleHintOf({
  statusCode,
  retryAfterMilliseconds,
}: OperationResponse): number | undefined {
  return meaningOfStatus(statusCode) === 'throttled' ? (retryAfterMilliseconds ?? throttleHintMs) : undefined;
}

export function queueError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // After its retries the SDK throws all their errors as one that has neither code nor message.
  if (error instanceof AggregateError && error.errors.length > 0) return queueError(error.errors.at(-1));
  const { code, name, message = '' } = error as VendorError;
  const text = `Service Bus: ${code ?? name ?? ''}: ${message}`;
  return asError(meaningOfQueueError(error as VendorError), text, { cause: error, retryAfterMs: busyHintMs });
}

function meaningOfQueueError({ code, name, message = '' }: VendorError): Meaning {
  if (NOT_SENT.has(String(code))) return 'passes';
  // What is none of the service's errors says nothing of the message: a token that is not to be had, a time-out, a defect.
  const isOfService = name === 'ServiceBusError' && typeof code === 'string';
  return isOfService ? meaningOfServiceBus(code, message) : 'ambiguous';
}
