/**
 * The one family of errors. `code` is stable and public, `retryable` decides what a queue does with a message,
 * `cause` goes to the log and never to a client. The domain knows no HTTP: `http/problem.ts` maps codes to statuses.
 *
 * `name` is a literal because bundlers rename classes.
 */
export type ErrorCode =
  | 'malformed'
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'gone'
  | 'precondition_failed'
  | 'too_large'
  | 'length_required'
  | 'headers_too_large'
  | 'uri_too_long'
  | 'unsupported_media_type'
  | 'idempotency_mismatch'
  | 'not_yet_here'
  | 'refused'
  | 'unreadable'
  | 'unavailable'
  | 'ambiguous'
  | 'clock_skew'
  | 'forged_stamp'
  | 'beyond_horizon'
  | 'internal';

/** One failed rule of a request or a message: a JSON pointer (RFC 6901) and a sentence. */
export interface Failure {
  readonly pointer: string;
  readonly detail: string;
  /** Which rule: the JSON Schema keyword, or our own word for it. */
  readonly rule: string;
}

export abstract class AppError extends Error {
  abstract readonly code: ErrorCode;
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean = false;
}

/** The body, or the message, is not what its media type promises. */
export class MalformedError extends AppError {
  override readonly name = 'MalformedError';
  readonly code = 'malformed';
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

/** `If-Match` or `If-None-Match` does not hold (RFC 9110, section 13). */
export class PreconditionFailedError extends AppError {
  override readonly name = 'PreconditionFailedError';
  readonly code = 'precondition_failed';
}

/** Larger than a limit in `bounds.ts`. */
export class TooLargeError extends AppError {
  override readonly name = 'TooLargeError';
  readonly code = 'too_large';
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

/** This site has not yet received a state that the client has seen. */
export class NotYetHereError extends AppError {
  override readonly name = 'NotYetHereError';
  readonly code = 'not_yet_here';
  override readonly retryable = true;
  /** Ids of the sites that made what is missing, the latest first: one that holds it all can answer instead. */
  readonly origins: readonly string[];

  constructor(message: string, origins: readonly string[]) {
    super(message);
    this.origins = origins;
  }
}

/**
 * A queue or a store refuses a message, or a call about a key, for what it is: it will at every later time, and takes others.
 */
export class RefusedError extends AppError {
  override readonly name = 'RefusedError';
  readonly code = 'refused';
}

/** What the store holds under a key is no record of ours: nobody can read it until a person has mended or removed it. */
export class UnreadableError extends AppError {
  override readonly name = 'UnreadableError';
  readonly code = 'unreadable';
}

/** A dependency refused, throttled or did not answer, and the call had no effect. */
export class UnavailableError extends AppError {
  override readonly name = 'UnavailableError';
  readonly code = 'unavailable';
  override readonly retryable = true;
}

/** A dependency refused the call, which had no effect, because more was asked of it than it grants in a time. */
export class ThrottledError extends AppError {
  override readonly name = 'ThrottledError';
  readonly code = 'unavailable';
  override readonly retryable = true;
  /** When to try again, as the dependency says; a guess where it does not. */
  readonly retryAfterMs: number;

  constructor(message: string, options: ErrorOptions & { readonly retryAfterMs: number }) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A dependency did not answer in time: the call may or may not have taken effect, so read again. */
export class AmbiguousError extends AppError {
  override readonly name = 'AmbiguousError';
  readonly code = 'ambiguous';
  override readonly retryable = true;
}

/** A stamp lies further ahead of the wall clock than the bound: park the message, never merge it. */
export class ClockSkewError extends AppError {
  override readonly name = 'ClockSkewError';
  readonly code = 'clock_skew';
  override readonly retryable = true;
}

/** A peer's event says what that peer cannot know: about this site's own writes, or another site's own records. */
export class ForgedStampError extends AppError {
  override readonly name = 'ForgedStampError';
  readonly code = 'forged_stamp';
  override readonly retryable: boolean;

  /** @param mayPass True where the same event may be believed later, by another clock or configuration. */
  constructor(message: string, { mayPass = false }: { readonly mayPass?: boolean } = {}) {
    super(message);
    this.retryable = mayPass;
  }
}

/** A message was sent longer ago than tombstones are kept, about what is not here, or is a later life of its key. */
export class BeyondHorizonError extends AppError {
  override readonly name = 'BeyondHorizonError';
  readonly code = 'beyond_horizon';
}

/** Whether a later try of the same call may succeed. */
export function isRetryable(error: unknown): boolean {
  return error instanceof AppError && error.retryable;
}

/** Whether the same call fails at every later time. An error that is not one of ours is a defect, and neither. */
export function isPermanent(error: unknown): error is AppError {
  return error instanceof AppError && !error.retryable;
}
