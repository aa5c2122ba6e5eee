/** What a call can end with, apart from its result: one class per meaning. */

/** A broken rule, as the problem document names it. */
export interface Failure {
  /** Of what is wrong, as a JSON pointer: `/email`, `/query/limit`. */
  readonly pointer: string;
  readonly rule: string;
  readonly detail: string;
}

/** A problem document (RFC 9457), as every site answers errors. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The request that failed: what to quote to an operator. */
  readonly instance: string;
  readonly code: string;
  readonly errors?: readonly Failure[];
}

/** The request that an error is about. */
export interface RequestName {
  readonly method: string;
  /** Without the site: `/users/ada`. */
  readonly path: string;
}

export abstract class TandemError extends Error {
  abstract override readonly name: string;
  readonly method: string;
  readonly path: string;

  constructor({ method, path }: RequestName, message: string, cause?: unknown) {
    super(`${method} ${path}: ${message}`, cause === undefined ? undefined : { cause });
    this.method = method;
    this.path = path;
  }
}

/** A site refused the request: it has certainly taken no effect there, nor anywhere else. */
export class ProblemError extends TandemError {
  override readonly name = 'ProblemError';
  readonly status: number;
  /** `not_found`, `invalid`, `conflict`, …, or one that an action declares. */
  readonly code: string;
  /** A URI of the kind of problem. */
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  /** The request that failed: what to quote to an operator. */
  readonly instance: string;
  /** Every broken rule; empty when it is not about rules. */
  readonly errors: readonly Failure[];
  /** The site that refused. */
  readonly site: string;
  /** Of a read: the site may not have what this session has seen (`whenBehind: 'stale'`), so 404 may mean "not yet". */
  readonly stale: boolean;
  /** Epoch milliseconds of the site's clock when it refused, in whole seconds; undefined where the answer has no `Date`. */
  readonly dateMs: number | undefined;

  constructor(
    request: RequestName,
    problem: Problem,
    { site, stale, dateMs }: Pick<ProblemError, 'site' | 'stale' | 'dateMs'>,
  ) {
    super(request, `${problem.status} ${problem.code}: ${textOf(problem)}`);
    this.status = problem.status;
    this.code = problem.code;
    this.type = problem.type;
    this.title = problem.title;
    this.detail = problem.detail;
    this.instance = problem.instance;
    this.errors = problem.errors ?? [];
    this.site = site;
    this.stale = stale;
    this.dateMs = dateMs;
  }
}

/** No site could answer before the deadline, and the request has certainly taken no effect. `cause` says what came last. */
export class UnavailableError extends TandemError {
  override readonly name = 'UnavailableError';
  /** The sites that were asked, in the order of the attempts. */
  readonly sites: readonly string[];

  constructor(request: RequestName, sites: readonly string[], cause: unknown) {
    super(request, `no site answered (${sites.join(', ') || 'none was asked'})`, cause);
    this.sites = sites;
  }
}

/**
 * The request may have taken effect, or may yet, at one of `sites`; nobody can say. It was not sent to any other site,
 * where it might count twice. Sent again at the same site under `key` it takes effect once:
 * `{ idempotencyKey: error.key, site: error.sites[0] }`.
 */
export class OutcomeUnknown extends TandemError {
  override readonly name = 'OutcomeUnknown';
  /** The idempotency key of all its attempts; undefined for a request that takes none. */
  readonly key: string | undefined;
  /** Where it may have taken effect. */
  readonly sites: readonly string[];

  constructor(request: RequestName, { key, sites }: Pick<OutcomeUnknown, 'key' | 'sites'>, cause: unknown) {
    super(request, `nobody can say whether it took effect at ${sites.join(', ')}`, cause);
    this.key = key;
    this.sites = sites;
  }
}

/** The caller holds the state that the record is in: the answer to `If-None-Match`. */
export class NotModifiedError extends TandemError {
  override readonly name = 'NotModifiedError';
}

/** The caller's own signal ended the call before anything was sent that can take effect. */
export class CancelledError extends TandemError {
  override readonly name = 'CancelledError';
}

/** Options that cannot be used: every mistake, a line each. */
export class ClientOptionsError extends Error {
  override readonly name = 'ClientOptionsError';
}

function textOf({ detail, errors = [] }: Problem): string {
  return [detail, ...errors.map(({ pointer, detail: rule }) => `${pointer} ${rule}`)].join('; ');
}
