/**
 * Errors as `application/problem+json` (RFC 9457). The only place that knows both error codes and statuses.
 * A 5xx says nothing about the inside: its cause goes to the log.
 */
import { AppError, NotYetHereError, WriterMovingError } from '@tandem-clouds/replication/errors';
import { failureCharsMax, failuresMax, retryAfterSeconds } from '../bounds.ts';
import {
  BrokenRulesError,
  type ErrorCode,
  type Failure,
  ForbiddenError,
  IndexIncompleteError,
  MethodNotAllowedError,
  RefusedByRuleError,
  TooManyRequestsError,
  UnauthorizedError,
  UnreadableError,
  UnsupportedMediaTypeError,
} from '../errors.ts';
import { BODY_TYPES } from './body.ts';
import type { HttpReply } from './route.ts';

const STATUS: Readonly<Record<ErrorCode, { status: number; title: string }>> = {
  malformed: { status: 400, title: 'Malformed request' },
  invalid: { status: 400, title: 'Invalid request' },
  unauthorized: { status: 401, title: 'Not authenticated' },
  forbidden: { status: 403, title: 'Forbidden' },
  // As Ceph's S3 and Google Drive answer it (docs/decisions/0168).
  quota_exceeded: { status: 403, title: 'Quota exceeded' },
  not_found: { status: 404, title: 'Not found' },
  route_not_found: { status: 404, title: 'No such route' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'Conflict' },
  gone: { status: 410, title: 'Gone' },
  length_required: { status: 411, title: 'Length required' },
  precondition_failed: { status: 412, title: 'Precondition failed' },
  too_large: { status: 413, title: 'Content too large' },
  headers_too_large: { status: 431, title: 'Request header fields too large' },
  uri_too_long: { status: 414, title: 'URI too long' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  request_forgotten: { status: 422, title: 'Request too old to be known' },
  idempotency_mismatch: { status: 422, title: 'Idempotency key used for another request' },
  index_incomplete: { status: 503, title: 'List not ready' },
  content_unavailable: { status: 503, title: 'Content not available now' },
  content_mismatch: { status: 422, title: 'Content is not what was announced' },
  not_kept_here: { status: 421, title: 'Kept at another site' },
  not_writer_here: { status: 421, title: 'Written at another site' },
  writer_moving: { status: 503, title: 'Nobody writes at the moment' },
  not_yet_here: { status: 503, title: 'Not yet here' },
  refused: { status: 500, title: 'Internal error' },
  unreadable: { status: 500, title: 'Record cannot be read' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
  ambiguous: { status: 503, title: 'Temporarily unavailable' },
  clock_skew: { status: 503, title: 'Temporarily unavailable' },
  forged_stamp: { status: 500, title: 'Internal server error' },
  beyond_horizon: { status: 500, title: 'Internal server error' },
  internal: { status: 500, title: 'Internal error' },
};

/** Our codes that are answered with a status. */
export function codesOf(status: number): readonly string[] {
  return Object.entries(STATUS).flatMap(([code, meaning]) => (meaning.status === status ? [code] : []));
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The request that failed: what to quote to an operator. */
  readonly instance: string;
  /** One of our own, or one that an action declares. */
  readonly code: string;
  readonly errors?: readonly Failure[];
}

/** The answer to a request that failed. */
export function problemReply(error: unknown, requestId: string): HttpReply {
  const { code, status, title } = meaningOf(error);
  const problem: Problem = {
    type: `https://tandem.example/problems/${code.replaceAll('_', '-')}`,
    title,
    status,
    detail: detailOf(error, status),
    instance: `urn:request:${requestId}`,
    code,
    ...(error instanceof BrokenRulesError && { errors: firstOf(error.failures) }),
  };
  return {
    status,
    body: problem,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 503 && { 'retry-after': String(retryAfterSeconds) }),
      ...(error instanceof TooManyRequestsError && { 'retry-after': String(error.retryAfterSeconds) }),
      ...(error instanceof UnsupportedMediaTypeError && { accept: BODY_TYPES.join(', ') }),
      ...(error instanceof MethodNotAllowedError && { allow: error.allow.join(', ') }),
      ...challengeOf(error),
    },
  };
}

function meaningOf(error: unknown): Pick<Problem, 'code' | 'status' | 'title'> {
  if (error instanceof RefusedByRuleError) return error;
  const code = codeOf(error);
  return { code, ...STATUS[code] };
}

/** What has no status of its own is an internal error. */
function codeOf(error: unknown): ErrorCode {
  if (!(error instanceof AppError) || !Object.hasOwn(STATUS, error.code)) return 'internal';
  return error.code as ErrorCode;
}

/** As many of them as an answer has room for: a body may break a rule as often as it has values. */
function firstOf(failures: readonly Failure[]): readonly Failure[] {
  let chars = 0;
  return failures.slice(0, failuresMax).filter(({ pointer, detail }, index) => {
    chars += pointer.length + detail.length;
    return index === 0 || chars <= failureCharsMax;
  });
}

function challengeOf(error: unknown): Record<string, string> {
  const queries = error instanceof UnauthorizedError || error instanceof ForbiddenError;
  return queries && error.challenge !== undefined ? { 'www-authenticate': error.challenge } : {};
}

function detailOf(error: unknown, status: number): string {
  if (error instanceof NotYetHereError) {
    return 'This site has not yet received what the session has seen. Try again, or at the site that answered it.';
  }
  if (error instanceof IndexIncompleteError) {
    return 'This list was declared a short while ago and is still being filled. Try again once every site has completed it.';
  }
  if (error instanceof WriterMovingError) {
    return 'Which site writes these records is being changed, and nothing was done. Try again.';
  }
  if (error instanceof UnreadableError) {
    return 'What this site holds of the record cannot be read. Ask another site, and quote the instance to an operator.';
  }
  if (status === 503) return 'A dependency of this site does not answer. Try again, or at another site.';
  if (status >= 500) return 'The request failed here. Quote the instance to an operator.';
  return error instanceof Error ? error.message : '';
}
