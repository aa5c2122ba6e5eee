/**
 * The part of Lambda's API that gives functions provisioned concurrency, on loopback, for the real client: aliases, limits
 * of the account, and what is allocated a few looks later. Functions are told to it; it runs none.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
import {
  type HttpEmulator,
  type IncomingRequest,
  type Response,
  startHttpEmulator,
} from '../core/http-emulator.ts';

/** Kept for functions that have none of their own. */
const UNRESERVED_MIN = 100;
/** Looks until what was asked for is there. */
const LOOKS = 2;
const NAME = /^[\w-]{1,64}$/;

export interface LambdaFunction {
  readonly memoryMb: number;
  /** Names; without one there is nothing that can be provisioned. */
  readonly aliases: readonly string[];
  /** Of the function itself (PutFunctionConcurrency): more than this cannot be provisioned. */
  readonly reserved?: number;
}

interface Provisioned {
  readonly requested: number;
  looksLeft: number;
}

export interface LambdaServer extends HttpEmulator {
  /** `function:alias` → how much was asked for. */
  readonly provisioned: ReadonlyMap<string, { readonly requested: number }>;
}

export interface LambdaOptions {
  readonly functions: Readonly<Record<string, LambdaFunction>>;
  /** Of the account in this region. Default 1,000. */
  readonly concurrentExecutions?: number;
  /** What there is already, by `function:alias`. */
  readonly provisioned?: Readonly<Record<string, number>>;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface State {
  readonly functions: LambdaOptions['functions'];
  readonly concurrentExecutions: number;
  readonly provisioned: Map<string, Provisioned>;
}

export async function startLambda({
  functions,
  concurrentExecutions = 1_000,
  provisioned = {},
}: LambdaOptions): Promise<LambdaServer> {
  const state: State = {
    functions,
    concurrentExecutions,
    provisioned: new Map(
      Object.entries(provisioned).map(([key, requested]) => [key, { requested, looksLeft: 0 }]),
    ),
  };
  const server = await startHttpEmulator((request) => {
    try {
      return respond(request, state);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return json(error.status, { Type: 'User', Message: error.message }, error.code);
    }
  });
  return { ...server, provisioned: state.provisioned };
}

function json(status: number, value: unknown, code?: string): Response {
  return {
    status,
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json', ...(code !== undefined && { 'x-amzn-errortype': code }) },
  };
}

function respond(request: IncomingRequest, state: State): Response {
  const { method, path, query, headers } = request;
  if (!/^AWS4-HMAC-SHA256 .*\/lambda\/aws4_request/.test(headers.authorization ?? '')) {
    throw new Refusal(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  if (method === 'GET' && path.replace(/\/$/, '') === '/2016-08-19/account-settings')
    return json(200, accountSettings(state));
  const [, version, name = '', what] =
    /^\/(20\d\d-\d\d-\d\d)\/functions\/([^/]+)\/(configuration|provisioned-concurrency)$/.exec(path) ?? [];
  const isKnown =
    what === 'configuration'
      ? version === '2015-03-31' && method === 'GET'
      : what !== undefined && version === '2019-09-30' && ['GET', 'PUT', 'DELETE'].includes(method);
  if (!isKnown) throw new Refusal(404, 'UnknownOperationException', `${method} ${path}`);
  const alias = query.get('Qualifier') ?? '';
  const found = aliasOf(state, decodeURIComponent(name), alias);
  const key = `${decodeURIComponent(name)}:${alias}`;
  if (what === 'configuration') {
    return json(200, { FunctionName: name, MemorySize: found.memoryMb, Architectures: ['arm64'] });
  }
  switch (method) {
    case 'PUT':
      return put(request, state, { key, found });
    case 'DELETE':
      // It is no error that there was none.
      state.provisioned.delete(key);
      return { status: 204, body: '' };
    default: {
      const there = state.provisioned.get(key);
      if (there === undefined) {
        const message = `No Provisioned Concurrency Config found for this function`;
        throw new Refusal(404, 'ProvisionedConcurrencyConfigNotFoundException', message);
      }
      return json(200, describe(there));
    }
  }
}

function aliasOf({ functions }: State, name: string, alias: string): LambdaFunction {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!NAME.test(name) || found === undefined)
    throw new Refusal(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  if (alias === '$LATEST' || alias === '') {
    const message = 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.';
    throw new Refusal(400, 'InvalidParameterValueException', message);
  }
  if (!found.aliases.includes(alias))
    throw new Refusal(404, 'ResourceNotFoundException', `Cannot find alias: ${name}:${alias}`);
  return found;
}

function put(
  { body }: IncomingRequest,
  state: State,
  { key, found }: { readonly key: string; readonly found: LambdaFunction },
): Response {
  const { ProvisionedConcurrentExecutions: requested } = parsed(body);
  if (typeof requested !== 'number' || !Number.isInteger(requested) || requested < 1) {
    const message =
      "1 validation error detected: Value at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1";
    throw new Refusal(400, 'InvalidParameterValueException', message);
  }
  if (found.reserved !== undefined && requested > found.reserved) {
    const message = `Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function`;
    throw new Refusal(400, 'InvalidParameterValueException', message);
  }
  const had = state.provisioned.get(key)?.requested ?? 0;
  if (found.reserved === undefined && unreserved(state) + had - requested < UNRESERVED_MIN) {
    const message = `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${UNRESERVED_MIN}].`;
    throw new Refusal(400, 'InvalidParameterValueException', message);
  }
  const next = { requested, looksLeft: LOOKS };
  state.provisioned.set(key, next);
  return json(202, describe(next));
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Readonly<Record<string, unknown>>;
  } catch {
    throw new Refusal(400, 'InvalidRequestContentException', 'Could not parse request body into json');
  }
}

function describe(one: Provisioned): object {
  const isReady = one.looksLeft <= 0;
  one.looksLeft -= 1;
  const available = isReady ? one.requested : 0;
  return {
    RequestedProvisionedConcurrentExecutions: one.requested,
    AvailableProvisionedConcurrentExecutions: available,
    AllocatedProvisionedConcurrentExecutions: available,
    Status: isReady ? 'READY' : 'IN_PROGRESS',
    LastModified: new Date().toISOString(),
  };
}

function accountSettings(state: State): object {
  return {
    AccountLimit: {
      ConcurrentExecutions: state.concurrentExecutions,
      UnreservedConcurrentExecutions: unreserved(state),
    },
  };
}

function unreserved({ functions, concurrentExecutions, provisioned }: State): number {
  const reserved = Object.values(functions).reduce((sum, one) => sum + (one.reserved ?? 0), 0);
  const taken = [...provisioned].reduce((sum, [key, { requested }]) => {
    const [name = ''] = key.split(':');
    return sum + (functions[name]?.reserved === undefined ? requested : 0);
  }, 0);
  return concurrentExecutions - reserved - taken;
}
