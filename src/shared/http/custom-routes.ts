/**
 * The routes of one declared file outside the model.
 *
 * Invariant: a handler sees only what its schemas take, and nothing is answered that its declaration does not say: another
 * answer is a fault (500), and its reason is in the log.
 */
import type { ValidateFunction } from 'ajv';
import {
  AmbiguousError,
  ElsewhereError,
  NotYetHereError,
  WriterMovingError,
} from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import { routeAnswerBytesMax } from '../bounds.ts';
import {
  type CustomOperation,
  type CustomRoutes,
  isAskedByQuery,
  type OperationPages,
} from '../domain/routes/custom-routes.ts';
import type { Page } from '../domain/routes/page.ts';
import { RuleError } from '../domain/rule-error.ts';
import { declaredRefusal } from '../domain/run-rule.ts';
import { InvalidError, RefusedByRuleError, RuleFaultError } from '../errors.ts';
import { validate } from '../validation/validate.ts';
import { VARY_BY_CALLER } from './entity-routes.ts';
import { NEGOTIATED, pageReply, prefersHtml } from './page.ts';
import { askerOf, type HttpReply, type HttpRequest, type Route } from './route.ts';
import { readParams, readQuery } from './route-input.ts';
import { recordsOfRequest, type UsedEntity } from './route-records.ts';

/** The compiled schemas of an operation: `<operation>$params` and so on of `generated/validators.js`. */
export interface OperationChecks {
  readonly params?: ValidateFunction;
  readonly input?: ValidateFunction;
  readonly output?: ValidateFunction;
}

export interface CustomRoutesOptions {
  /** By the name of the operation. */
  readonly checks: Readonly<Record<string, OperationChecks>>;
  readonly entities: readonly UsedEntity[];
  /** What a handler has beside records; an object of its own for each request. */
  readonly context: (request: HttpRequest) => object;
}

export function customRoutes(routes: CustomRoutes, options: CustomRoutesOptions): Route[] {
  return Object.entries(routes.operations).map(([name, operation]) => {
    const checks = own(options.checks, name) ?? {};
    const takesBody = operation.input !== undefined && !isAskedByQuery(operation);
    if (
      (takesBody && checks.input === undefined) ||
      (operation.output !== undefined && checks.output === undefined)
    )
      throw new TypeError(`no checks of ${name}: run npm run generate`);
    return {
      method: operation.method,
      path: operation.path,
      ...scopeOfRoute(operation),
      ...(takesBody && checks.input !== undefined && { body: checks.input }),
      ...(takesBody && operation.required.length === 0 && { whenEmpty: {} }),
      handle: (request) => {
        const served = { routes, name, operation, checks, options };
        return operation.page === undefined
          ? answer(served, request)
          : answerEither(served, operation.page, request);
      },
    };
  });
}

function scopeOfRoute({ access }: CustomOperation): Pick<Route, 'scope'> {
  if (access === undefined) return {};
  return { scope: access === 'everybody' ? null : access.scope };
}

interface Served {
  readonly routes: CustomRoutes;
  readonly name: string;
  readonly operation: CustomOperation;
  readonly checks: OperationChecks;
  readonly options: CustomRoutesOptions;
}

/** What a handler answers may depend on who asks, and for whom. */
const NOT_SHARED = { 'cache-control': 'private, no-cache', vary: VARY_BY_CALLER };

/** JSON, or the page that says the same. What is our fault is a problem document for both. */
async function answerEither(served: Served, page: OperationPages, request: HttpRequest): Promise<HttpReply> {
  const vary = [VARY_BY_CALLER, ...NEGOTIATED].join(', ');
  if (!prefersHtml(request.headers['accept'])) {
    const reply = await answer(served, request);
    return { ...reply, headers: { ...reply.headers, vary } };
  }
  const { body, headers } = request;
  const given = { ...aboutRequest(request), params: request.params, input: request.query, body };
  try {
    const reply = await answer(served, request);
    const answered = page.answered as (answer: unknown, given: object) => Page;
    return pageReply(reply.status, answered(reply.body, given), vary);
  } catch (error) {
    const status = refusedWith(error);
    if (status === undefined) throw error;
    return pageReply(status, page.refused({ headers }), vary);
  }
}

/** The status of what the request itself is refused by; undefined for anything else. */
function refusedWith(error: unknown): number | undefined {
  if (error instanceof RefusedByRuleError) return error.status;
  return error instanceof InvalidError ? 400 : undefined;
}

async function answer(served: Served, request: HttpRequest): Promise<HttpReply> {
  const { routes, name, operation, checks, options } = served;
  const params = readParams(checks.params, request.params);
  const input = isAskedByQuery(operation)
    ? readQuery(operation, checks.input, request.query)
    : ((request.body ?? {}) as Readonly<Record<string, Json>>);
  const { records, sessionHeader, hasWritten } = recordsOfRequest(options.entities, request, {
    operation: name,
    keyed: operation.keyed,
    actsForAnybody: routes.uses.actsForAnybody === true,
    namesStates: operation.access === undefined,
    body: { params, input },
  });
  const handle = operation.handle as (request: object, context: object) => unknown;
  const given = { params, input, ...aboutRequest(request) };
  const place = `the route ${name}`;
  let output: unknown;
  try {
    // Not copied: a member may be opened when it is used.
    output = await handle(given, Object.assign(options.context(request), { records }));
  } catch (error) {
    if (hasWritten() && saysNothingWasDone(error))
      throw new AmbiguousError(`${place} has written, and cannot go on here`, { cause: error });
    throw error instanceof RuleError ? declaredRefusal(place, operation.errors, error) : error;
  }
  return replyOf(place, { operation, checks, output, headers: sessionHeader() });
}

/** What leads a client to another site, or has it come again: after a write that would be done twice. */
function saysNothingWasDone(error: unknown): boolean {
  return (
    error instanceof ElsewhereError || error instanceof WriterMovingError || error instanceof NotYetHereError
  );
}

function aboutRequest(request: HttpRequest): object {
  const { headers, event, requestId } = request;
  const { body, isBase64Encoded } = event;
  const asker = askerOf(request);
  return {
    headers,
    caller: asker && { subject: asker.subject, scopes: asker.scopes, claims: asker.claims },
    requestId,
    get rawBody() {
      return isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString('utf8') : (body ?? '');
    },
  };
}

/** @throws RuleFaultError for an answer that is not declared. */
function replyOf(
  place: string,
  {
    operation,
    checks,
    output,
    headers,
  }: {
    readonly operation: CustomOperation;
    readonly checks: OperationChecks;
    readonly output: unknown;
    readonly headers: Readonly<Record<string, string>>;
  },
): HttpReply {
  const { status } = operation;
  if (checks.output === undefined) {
    if (output !== undefined) throw new RuleFaultError(`${place} answered, and declares no output`);
    return { status, headers };
  }
  // As it will be sent: a member that is undefined is none.
  const text = JSON.stringify(output) as string | undefined;
  const bytes = Buffer.byteLength(text ?? '');
  if (bytes > routeAnswerBytesMax)
    throw new RuleFaultError(
      `${place} answered ${bytes} bytes, and ${routeAnswerBytesMax} is the most: page it`,
    );
  const body: unknown = text === undefined ? undefined : JSON.parse(text);
  const failures = validate(checks.output, body);
  if (failures.length > 0) {
    const reasons = failures.map(({ pointer, detail }) => `${pointer === '' ? 'it' : pointer} ${detail}`);
    throw new RuleFaultError(`${place} answered what it does not declare: ${reasons.join('; ')}`);
  }
  return { status, body, headers: { ...NOT_SHARED, ...headers } };
}
