/**
 * What PayPal answers when it refuses: a name for the status, and issues.
 * @see https://developer.paypal.com/api/rest/responses/
 * @see https://developer.paypal.com/api/rest/reference/orders/v2/errors/
 */
import { randomBytes } from 'node:crypto';

export interface Detail {
  readonly issue: string;
  readonly description: string;
  readonly field?: string;
}

const NAMES: Readonly<Record<number, readonly [name: string, message: string]>> = {
  400: ['INVALID_REQUEST', 'Request is not well-formed, syntactically incorrect, or violates schema.'],
  401: [
    'AUTHENTICATION_FAILURE',
    'Authentication failed due to missing authorization header, or invalid authentication credentials.',
  ],
  404: ['RESOURCE_NOT_FOUND', 'The specified resource does not exist.'],
  409: ['RESOURCE_CONFLICT', 'The server has detected a conflict while processing this request.'],
  413: ['PAYLOAD_TOO_LARGE', 'The request is too large.'],
  415: ['UNSUPPORTED_MEDIA_TYPE', 'The server does not support the request payload’s media type.'],
  422: [
    'UNPROCESSABLE_ENTITY',
    'The requested action could not be performed, semantically incorrect, or failed business validation.',
  ],
  429: ['RATE_LIMIT_REACHED', 'Too many requests. Blocked due to rate limiting.'],
  500: ['INTERNAL_SERVER_ERROR', 'An internal server error occurred.'],
  503: ['SERVICE_UNAVAILABLE', 'Service Unavailable.'],
};

export class PayPalError extends Error {
  override readonly name = 'PayPalError';
  readonly status: number;
  readonly details: readonly Detail[];

  constructor(status: number, details: readonly Detail[] = []) {
    super(details[0]?.issue ?? NAMES[status]?.[0]);
    this.status = status;
    this.details = details;
  }

  get body(): unknown {
    const [name, message] = NAMES[this.status] ?? ['UNKNOWN', ''];
    return { name, message, details: this.details, debug_id: randomBytes(7).toString('hex'), links: [] };
  }
}

/** A rule of the business is broken. */
export function unprocessable(issue: string, description: string, field?: string): PayPalError {
  return new PayPalError(422, [{ issue, description, ...(field !== undefined && { field }) }]);
}

export function badRequest(issue: string, field: string, description = 'The value of a field is invalid.') {
  return new PayPalError(400, [{ issue, description, field }]);
}

export function notFound(): PayPalError {
  const description = 'Specified resource ID does not exist. Please check the resource ID and try again.';
  return new PayPalError(404, [{ issue: 'INVALID_RESOURCE_ID', description }]);
}

/** By a fault rule: INTERNAL_SERVER_ERROR, SERVICE_UNAVAILABLE, RATE_LIMIT_REACHED, PREVIOUS_REQUEST_IN_PROGRESS, or an issue of 422. */
export function injectedError(code: string): PayPalError {
  const description = `${code}, injected by a fault rule`;
  if (code === '') return new PayPalError(500);
  if (code === 'PREVIOUS_REQUEST_IN_PROGRESS') return new PayPalError(409, [{ issue: code, description }]);
  const status = Object.keys(NAMES).find((one) => NAMES[Number(one)]?.[0] === code);
  return status === undefined ? unprocessable(code, description) : new PayPalError(Number(status));
}
