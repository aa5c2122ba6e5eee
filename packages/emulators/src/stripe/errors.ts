/**
 * What Stripe answers when it refuses.
 * @see https://docs.stripe.com/api/errors
 * @see https://docs.stripe.com/error-codes
 */
export interface StripeErrorBody {
  readonly type: 'invalid_request_error' | 'card_error' | 'idempotency_error' | 'api_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly charge?: string;
  readonly payment_intent?: unknown;
}

export class StripeError extends Error {
  override readonly name = 'StripeError';
  readonly status: number;
  readonly body: StripeErrorBody;
  /**
   * Whether the endpoint had begun: only then is the answer saved under the request's key.
   * @see https://docs.stripe.com/api/idempotent_requests
   */
  readonly begun: boolean;

  constructor(status: number, body: StripeErrorBody, { begun = true } = {}) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.begun = begun;
  }
}

/** A parameter is wrong: nothing of the request is done, and nothing is saved under its key. */
export function invalid(message: string, more: { readonly code?: string; readonly param?: string } = {}) {
  return new StripeError(400, { type: 'invalid_request_error', message, ...more }, { begun: false });
}

export function unauthorized(message: string): StripeError {
  return new StripeError(401, { type: 'invalid_request_error', message }, { begun: false });
}

export function missing(object: string, id: string, param = 'id'): StripeError {
  const message = `No such ${object}: '${id}'`;
  return new StripeError(404, { type: 'invalid_request_error', code: 'resource_missing', message, param });
}

/** The state of the object does not allow it. */
export function refused(message: string, code?: string, more: object = {}): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    message,
    ...(code !== undefined && { code }),
    ...more,
  });
}

/**
 * By a fault rule. `api_error` (500, before any effect) and `api_error_after` (500, after it) are saved under the key, as of an
 * endpoint that had begun; `rate_limit`, `idempotency_key_in_use` and `lock_timeout` are not.
 * @see https://docs.stripe.com/rate-limits
 */
export function injectedError(code: string): StripeError {
  const message = `${code}, injected by a fault rule`;
  switch (code) {
    case 'rate_limit':
    case 'lock_timeout':
      return new StripeError(429, { type: 'invalid_request_error', code, message }, { begun: false });
    case 'idempotency_key_in_use':
      return new StripeError(409, { type: 'idempotency_error', code, message }, { begun: false });
    default:
      return new StripeError(500, { type: 'api_error', message });
  }
}
