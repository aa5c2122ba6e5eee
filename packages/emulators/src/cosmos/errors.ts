/**
 * What the service answers when it refuses: HTTP status, sub status and a `{ code, message }` body.
 *
 * Statuses: https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb; sub statuses as listed by
 * the official SDKs (1001 partition key mismatch, 1003 owner not found, 1004 query not servable, 1110 patch condition,
 * 3200 request rate too large, 3402 response size exceeded).
 */

/** Milliseconds that a throttled client is told to wait. */
export const RETRY_AFTER_MS = 20;

export interface CosmosErrorOptions {
  readonly subStatus?: number;
  /** Extra response headers, such as `x-ms-retry-after-ms`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Extra properties of the response body, such as `additionalErrorInfo`. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** A refusal that becomes an HTTP error response, or the result of one operation inside a batch. */
export class CosmosError extends Error {
  readonly status: number;
  /** The service's name for the status: `NotFound`, `Conflict`. */
  readonly code: string;
  readonly subStatus: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, message: string, options: CosmosErrorOptions = {}) {
    // An answer to a client, not a defect: a stack for every 404 would cost more than the look-up.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'CosmosError';
    this.status = status;
    this.code = code;
    this.subStatus = options.subStatus;
    this.headers = options.headers ?? {};
    this.body = { code, message, ...options.body };
  }
}

export function badRequest(message: string, options?: CosmosErrorOptions): CosmosError {
  return new CosmosError(400, 'BadRequest', message, options);
}

/** The item, or the database or container that is itself asked for, does not exist. */
export function notFound(): CosmosError {
  return new CosmosError(404, 'NotFound', 'Entity with the specified id does not exist in the system.');
}

/** The database or container above what is asked for does not exist. */
export function ownerNotFound(): CosmosError {
  return new CosmosError(404, 'NotFound', 'Owner resource does not exist', { subStatus: 1003 });
}

export function conflict(
  message = 'Entity with the specified id already exists in the system.',
): CosmosError {
  return new CosmosError(409, 'Conflict', message);
}

export function preconditionFailed(options?: CosmosErrorOptions): CosmosError {
  const message = 'Operation cannot be performed because one of the specified precondition is not met';
  return new CosmosError(412, 'PreconditionFailed', message, options);
}

export function tooLarge(message = 'Request size is too large'): CosmosError {
  return new CosmosError(413, 'RequestEntityTooLarge', message);
}

/** Of one operation of a batch, whose answer would not fit what one response holds. */
export function responseTooLarge(): CosmosError {
  return new CosmosError(413, 'RequestEntityTooLarge', 'Response size is too large', { subStatus: 3402 });
}

export function unauthorized(): CosmosError {
  const message = "Required Header 'authorization' is missing. Ensure a valid Authorization token is passed.";
  return new CosmosError(401, 'Unauthorized', message);
}

export function partitionRangeGone(): CosmosError {
  return new CosmosError(410, 'Gone', 'The requested partition key range no longer exists.', {
    subStatus: 1002,
  });
}

/** More request units were used than the container has. */
export function tooManyRequests(retryAfterMs: number): CosmosError {
  return new CosmosError(429, 'TooManyRequests', 'Request rate is large. More Request Units may be needed.', {
    subStatus: 3200,
    headers: { 'x-ms-retry-after-ms': String(retryAfterMs) },
  });
}

const INJECTED: Readonly<Record<string, () => CosmosError>> = {
  '408': () => new CosmosError(408, 'RequestTimeout', 'Request timed out.'),
  '429': () => tooManyRequests(RETRY_AFTER_MS),
  '449': () =>
    new CosmosError(449, 'RetryWith', 'Conflicting request to resource has been attempted. Retry.'),
  '500': () => new CosmosError(500, 'InternalServerError', 'Unknown server error occurred.'),
  '503': () => new CosmosError(503, 'ServiceUnavailable', 'Service is currently unavailable, please retry.'),
};

/** The error that a fault rule asks for by status; 429 when it names none, 500 when it names an unknown one. */
export function injectedError(code = '429'): CosmosError {
  const make = INJECTED[code] ?? INJECTED['500'];
  if (make === undefined) throw new Error('the table of injected errors lacks 500');
  return make();
}
