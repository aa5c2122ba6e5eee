/**
 * What the protocol throws. `code` is stable and public, `retryable` decides what a queue does with a message, `cause`
 * goes to the log and never to a client. A service adds its own errors to this family.
 *
 * `name` is a literal because bundlers rename classes.
 */
export abstract class AppError extends Error {
  abstract readonly code: string;
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean = false;
}

/** The body, or the message, is not what its media type promises. */
export class MalformedError extends AppError {
  override readonly name = 'MalformedError';
  readonly code = 'malformed';
}

/** Larger than a limit in `bounds.ts`. */
export class TooLargeError extends AppError {
  override readonly name = 'TooLargeError';
  readonly code = 'too_large';
}

/** This site has not yet received a state that the client has seen. */
export class NotYetHereError extends AppError {
  override readonly name: string = 'NotYetHereError';
  readonly code: string = 'not_yet_here';
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

/** Another site must be asked for this; nothing has happened. */
export abstract class ElsewhereError extends AppError {
  /** Those that can be asked. */
  readonly sites: readonly string[];

  constructor(message: string, sites: readonly string[]) {
    super(message);
    this.sites = sites;
  }
}

/** Records of this entity are kept at other sites only. */
export class NotKeptHereError extends ElsewhereError {
  override readonly name = 'NotKeptHereError';
  readonly code = 'not_kept_here';
}

/** Another site writes records of this entity. */
export class NotWriterHereError extends ElsewhereError {
  override readonly name = 'NotWriterHereError';
  readonly code = 'not_writer_here';
}

/** Nobody writes records of this entity until another site has been opened; nothing has happened. */
export class WriterMovingError extends AppError {
  override readonly name = 'WriterMovingError';
  readonly code = 'writer_moving';
  override readonly retryable = true;
}

/** What was decided by is no longer so. */
export class OvertakenError extends AppError {
  override readonly name = 'OvertakenError';
  readonly code = 'conflict';
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
