/**
 * What a service throws beside what the protocol does (the family's base class and its rules are there). The domain knows
 * no HTTP.
 */
import { AppError, NotYetHereError } from '@tandem-clouds/replication/errors';

/** Every code that a client or a log may see, those of the protocol among them; `http/problem.ts` has a status for each. */
export const errorCodes = [
  'malformed',
  'invalid',
  'unauthorized',
  'forbidden',
  'not_found',
  'route_not_found',
  'method_not_allowed',
  'conflict',
  'gone',
  'precondition_failed',
  'too_large',
  'length_required',
  'headers_too_large',
  'uri_too_long',
  'unsupported_media_type',
  'idempotency_mismatch',
  'request_forgotten',
  'too_many_requests',
  'quota_exceeded',
  'not_yet_here',
  'not_kept_here',
  'not_writer_here',
  'writer_moving',
  'index_incomplete',
  'content_unavailable',
  'content_mismatch',
  'refused',
  'unreadable',
  'unavailable',
  'ambiguous',
  'clock_skew',
  'forged_stamp',
  'beyond_horizon',
  'internal',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** One failed rule of a request or a message: a JSON pointer (RFC 6901) and a sentence. */
export interface Failure {
  readonly pointer: string;
  readonly detail: string;
  /** Which rule: the JSON Schema keyword, or our own word for it. */
  readonly rule: string;
}

/** Rules are broken; `failures` names every one of them. */
export abstract class BrokenRulesError extends AppError {
  readonly failures: readonly Failure[];

  constructor(message: string, failures: readonly Failure[]) {
    super(message);
    this.failures = failures;
  }
}

/** The input breaks rules of its schema. */
export class InvalidError extends BrokenRulesError {
  override readonly name = 'InvalidError';
  readonly code = 'invalid';
}

/** The request carries no key or token, or one that is not accepted here. */
export class UnauthorizedError extends AppError {
  override readonly name = 'UnauthorizedError';
  readonly code = 'unauthorized';
  /** What the answer's `WWW-Authenticate` says (RFC 6750, section 3). */
  readonly challenge: string;

  constructor(message: string, challenge: string) {
    super(message);
    this.challenge = challenge;
  }
}

/** Nobody may, whatever key they present; or who asks is known, and may not do this. */
export class ForbiddenError extends AppError {
  override readonly name = 'ForbiddenError';
  readonly code = 'forbidden';
  /** What the answer's `WWW-Authenticate` says, when another token could help (RFC 6750, section 3.1). */
  readonly challenge: string | undefined;

  constructor(message: string, challenge?: string) {
    super(message);
    this.challenge = challenge;
  }
}

/** No such record, or it has been deleted or has expired. */
export class NotFoundError extends AppError {
  override readonly name = 'NotFoundError';
  readonly code = 'not_found';
}

/** No route of the contract matches the path. */
export class RouteNotFoundError extends AppError {
  override readonly name = 'RouteNotFoundError';
  readonly code = 'route_not_found';
}

/** The path exists, the method does not; `allow` lists those that do. */
export class MethodNotAllowedError extends AppError {
  override readonly name = 'MethodNotAllowedError';
  readonly code = 'method_not_allowed';
  readonly allow: readonly string[];

  constructor(message: string, allow: readonly string[]) {
    super(message);
    this.allow = allow;
  }
}

/** What is to be created is there already. */
export class ConflictError extends AppError {
  override readonly name = 'ConflictError';
  readonly code = 'conflict';
}

/** The change is valid by itself; with what is there now it would break a rule. */
export class OutOfBoundsError extends BrokenRulesError {
  override readonly name = 'OutOfBoundsError';
  readonly code = 'conflict';
}

/** The content of a record does not fit what its owner, or its tenant, may store; `failures` names limit and usage. */
export class QuotaExceededError extends BrokenRulesError {
  override readonly name = 'QuotaExceededError';
  readonly code = 'quota_exceeded';
}

/** What the same request made before has been deleted, or has expired, since. */
export class GoneError extends AppError {
  override readonly name = 'GoneError';
  readonly code = 'gone';
}

/** The `Idempotency-Key` was used before, with another body. */
export class IdempotencyMismatchError extends AppError {
  override readonly name = 'IdempotencyMismatchError';
  readonly code = 'idempotency_mismatch';
}

/** The request may have been done already: the record has forgotten requests of that age, so it is not done again. */
export class RequestForgottenError extends AppError {
  override readonly name = 'RequestForgottenError';
  readonly code = 'request_forgotten';
}

/** The caller asks for more than a site grants one of them. */
export class TooManyRequestsError extends AppError {
  override readonly name = 'TooManyRequestsError';
  readonly code = 'too_many_requests';
  override readonly retryable = true;
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The index that serves a list does not have every record of every site yet. */
export class IndexIncompleteError extends AppError {
  override readonly name = 'IndexIncompleteError';
  readonly code = 'index_incomplete';
}

/** `If-Match` or `If-None-Match` does not hold (RFC 9110, section 13). */
export class PreconditionFailedError extends AppError {
  override readonly name = 'PreconditionFailedError';
  readonly code = 'precondition_failed';
}

/** The body comes without its length, and so may not have reached the function. */
export class LengthRequiredError extends AppError {
  override readonly name = 'LengthRequiredError';
  readonly code = 'length_required';
}

/** The headers of a request, all together, are larger than `headerBytesMax`. */
export class HeadersTooLargeError extends AppError {
  override readonly name = 'HeadersTooLargeError';
  readonly code = 'headers_too_large';
}

/** Path and query of a request are longer than `urlBytesMax`. */
export class UriTooLongError extends AppError {
  override readonly name = 'UriTooLongError';
  readonly code = 'uri_too_long';
}

/** The request's content type is none that the route reads. */
export class UnsupportedMediaTypeError extends AppError {
  override readonly name = 'UnsupportedMediaTypeError';
  readonly code = 'unsupported_media_type';
}

/** The vault of this cloud has no such secret, or it is disabled or deleted; the message says how to set it. */
export class SecretMissingError extends AppError {
  override readonly name = 'SecretMissingError';
  readonly code = 'internal';
  /** Somebody sets it. */
  override readonly retryable = true;
}

/** This function may not read secrets. */
export class SecretDeniedError extends AppError {
  override readonly name = 'SecretDeniedError';
  readonly code = 'internal';
  /** Somebody gives it the right. */
  override readonly retryable = true;
}

/** The bytes of an object are not those that were announced, or that were stored: they count for nothing. */
export class ContentMismatchError extends AppError {
  override readonly name = 'ContentMismatchError';
  readonly code = 'content_mismatch';
}

/**
 * The bytes are acknowledged, and at none of the sites that can be asked now. It is asked of those that hold them, as what has
 * not arrived yet is (`http/read-through.ts`).
 */
export class ContentUnavailableError extends NotYetHereError {
  override readonly name = 'ContentUnavailableError';
  override readonly code = 'content_unavailable';
}

/** Why a call of another service has brought nothing. */
export type OutboundReason =
  /** The time of the attempt, of the call or of the function was over. */
  | 'timeout'
  /** No connection, or it broke. */
  | 'unreachable'
  /** An answer, and its status is none that was wanted. */
  | 'status'
  /** A redirection to another origin, or one of too many. */
  | 'redirect'
  | 'too_large'
  /** The body is not JSON. */
  | 'body';

export interface OutboundFailure {
  readonly reason: OutboundReason;
  /** Of the answer, where there was one. */
  readonly status?: number | undefined;
  readonly attempts: number;
  /** When the service wants to be asked again. */
  readonly retryAfterMs?: number | undefined;
  /** Nobody knows whether the call has taken effect. */
  readonly mayHaveTakenEffect: boolean;
}

/**
 * A call of another service has failed, after its retries. The message names the method, the origin and the reason, never
 * the path, the query or a body, which may hold what is secret.
 */
export class OutboundError extends AppError implements OutboundFailure {
  override readonly name = 'OutboundError';
  readonly code: 'unavailable' | 'ambiguous' | 'internal';
  override readonly retryable: boolean;
  readonly reason: OutboundReason;
  readonly status: number | undefined;
  readonly attempts: number;
  readonly retryAfterMs: number | undefined;
  readonly mayHaveTakenEffect: boolean;

  constructor(message: string, failure: OutboundFailure, options?: ErrorOptions) {
    super(message, options);
    this.reason = failure.reason;
    this.status = failure.status;
    this.attempts = failure.attempts;
    this.retryAfterMs = failure.retryAfterMs;
    this.mayHaveTakenEffect = failure.mayHaveTakenEffect;
    const passes =
      failure.reason === 'timeout' ||
      failure.reason === 'unreachable' ||
      (failure.status !== undefined && (failure.status >= 500 || failure.status === 429));
    this.retryable = passes;
    this.code = failure.mayHaveTakenEffect ? 'ambiguous' : passes ? 'unavailable' : 'internal';
  }
}

/** What the store holds under a key is no record of ours: nobody can read it until a person has mended or removed it. */
export class UnreadableError extends AppError {
  override readonly name = 'UnreadableError';
  readonly code = 'unreadable';
}

/** A rule of an entity refuses, by a code that its action declares. */
export class RefusedByRuleError extends AppError {
  override readonly name = 'RefusedByRuleError';
  readonly code: string;
  readonly title: string;
  /** 4xx, as declared. */
  readonly status: number;

  constructor(code: string, { title, status, detail }: { title: string; status: number; detail: string }) {
    super(detail);
    this.code = code;
    this.title = title;
    this.status = status;
  }
}

/**
 * A rule of an entity or a handler of a route broke its declaration, or did what cannot be done: nothing more is written.
 * `cause`: what it threw.
 */
export class RuleFaultError extends AppError {
  override readonly name = 'RuleFaultError';
  readonly code = 'internal';
}
