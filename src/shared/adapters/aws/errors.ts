/**
 * AWS SDK errors as ours. What counts: may the call have taken effect, and is it worth trying again. What the codes mean is in
 * `error-codes.ts`.
 */
import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { AmbiguousError, AppError } from '@tandem-clouds/replication/errors';
import { asError, type Meaning, NOT_SENT } from '../vendor-error.ts';
import { meaningOf } from './error-codes.ts';

/**
 * What became of one entry of a batch: refused for good when the sender is to blame and no cause is known that passes.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html
 */
export function entryError({ Code = '', Message = '', SenderFault }: BatchResultErrorEntry): AppError {
  const meaning = meaningOf(Code);
  return asError(
    SenderFault === true || meaning === 'throttled' ? meaning : 'passes',
    `SQS: ${Code}: ${Message}`,
  );
}

export function storeError(error: unknown): AppError {
  return vendorError(error, 'DynamoDB');
}

/** Of a read: nothing has taken effect, whatever became of it. */
export function vaultError(error: unknown): AppError {
  const { name = 'Error' } = error as VendorError;
  const meaning = meaningOfError(error as VendorError);
  return asError(meaning === 'ambiguous' ? 'passes' : meaning, `Secrets Manager: ${name}`, { cause: error });
}

export function queueError(error: unknown): AppError {
  return vendorError(error, 'SQS');
}

/** Of a call of SNS. */
export function smsError(error: unknown): AppError {
  return vendorError(error, 'SNS');
}

/** Of a call of S3 that writes. */
export function objectsError(error: unknown): AppError {
  // A HEAD has no body to say why.
  if (statusOf(error) === 403) return asError('passes', `S3: ${nameOf(error)}: 403`, { cause: error });
  return vendorError(error, 'S3');
}

/** Of one that reads: nothing has taken effect, whatever became of it. */
export function objectsReadError(error: unknown): AppError {
  const told = objectsError(error);
  return told instanceof AmbiguousError ? asError('passes', told.message, { cause: error }) : told;
}

/** Of the answer, where there was one. */
export const statusOf = (error: unknown): number | undefined =>
  (error as VendorError).$metadata?.httpStatusCode;

const nameOf = (error: unknown): string => (error as VendorError).name ?? 'Error';

function vendorError(error: unknown, service: string): AppError {
  if (error instanceof AppError) return error;
  const { name = 'Error', message = '' } = error as VendorError;
  return asError(meaningOfError(error as VendorError), `${service}: ${name}: ${message}`, { cause: error });
}

interface VendorError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function meaningOfError({ name = '', code = '', message = '', $metadata }: VendorError): Meaning {
  if (NOT_SENT.has(code)) return 'passes';
  const status = $metadata?.httpStatusCode;
  // Nobody has answered: it may have arrived.
  if (status === undefined) return 'ambiguous';
  const meaning = meaningOf(name, status);
  // DynamoDB has no code of its own for an item that is too large.
  return meaning === 'refused' && /size has exceeded/i.test(message) ? 'too_large' : meaning;
}
