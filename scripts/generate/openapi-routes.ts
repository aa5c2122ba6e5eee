/** The paths of declared custom routes. */
import type { Access, Entity } from '../../src/shared/domain/entity.ts';
import {
  type CustomOperation,
  type CustomRoutes,
  isAskedByQuery,
} from '../../src/shared/domain/routes/custom-routes.ts';
import { outputSchema, pathParams, routeInputSchema } from '../../src/shared/domain/routes/route-schemas.ts';
import { pascal } from './names.ts';
import { scoped } from './openapi-callers.ts';
import { actsFor, idempotencyKey, type Operation, placed, problems, ref, session } from './openapi-parts.ts';
import { refusalResponses, refusalSchemas } from './openapi-refusals.ts';

/** @param entities All that are declared. */
export function routePaths(
  routes: CustomRoutes,
  entities: readonly Entity[],
): Record<string, Record<string, Operation>> {
  const used = entities.filter(({ name }) => Object.hasOwn(routes.uses.records ?? {}, name));
  const behalf = actsFor(used.reduce<Access>((access, one) => ({ ...access, ...one.access }), {}));
  const paths: Record<string, Record<string, Operation>> = {};
  for (const [name, operation] of Object.entries(routes.operations)) {
    const { path, method } = operation;
    const described = operationOf(routes, name, { operation, behalf });
    const sites = sitesOf(routes, operation, used);
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: sites === undefined ? described : placed(described, sites),
    };
  }
  return paths;
}

/** Those that have all the records that it may use; undefined: every site, or none of which that is known. */
function sitesOf(
  { uses: { records = {} } }: CustomRoutes,
  { method }: CustomOperation,
  used: readonly Entity[],
): readonly string[] | undefined {
  const each = used.flatMap(({ name, sites, writes }) => {
    const isWritten = method !== 'GET' && records[name] === 'write' && writes !== undefined;
    const where = isWritten ? [writes] : sites;
    return where === undefined ? [] : [where];
  });
  const [first = [], ...others] = each;
  const common = first.filter((site) => others.every((sites) => sites.includes(site)));
  return common.length === 0 ? undefined : common;
}

/** What an operation adds to the schemas of the contract, by name. */
export function routeSchemas(name: string, operation: CustomOperation): Record<string, object> {
  const type = pascal(name);
  const [input, output] = [routeInputSchema(operation), outputSchema(operation)];
  return {
    ...(input !== undefined && !isAskedByQuery(operation) && { [`${type}Input`]: input }),
    ...(output !== undefined && { [`${type}Output`]: output }),
    ...refusalSchemas(type, operation.errors),
  };
}

function operationOf(
  { name: tag, uses }: CustomRoutes,
  name: string,
  {
    operation,
    behalf,
  }: {
    readonly operation: CustomOperation;
    /** For whom it may be asked, where the records that it uses belong to somebody. */
    readonly behalf: readonly object[];
  },
): Operation {
  const { method, summary, keyed, repeat, output, status, access } = operation;
  const type = pascal(name);
  const takesBody = operation.input !== undefined && !isAskedByQuery(operation);
  const usesRecords = Object.keys(uses.records ?? {}).length > 0;
  const writes = Object.values(uses.records ?? {}).includes('write');
  const hasSession = usesRecords && access === undefined;
  const headers = hasSession ? { headers: { 'X-Tandem-Session': SEEN } } : {};
  const described: Operation = {
    operationId: name,
    tags: [tag],
    summary,
    parameters: [
      ...parametersOf(operation),
      ...(keyed ? [idempotencyKey] : []),
      ...(hasSession ? [session] : []),
      ...(access === 'everybody' ? [] : behalf),
    ],
    ...(takesBody && {
      requestBody: {
        required: operation.required.length > 0,
        content: { 'application/json': { schema: ref('schemas', `${type}Input`) } },
      },
    }),
    ...((keyed || method === 'DELETE') && { 'x-tandem-repeat': repeat }),
    ...(hasSession && { 'x-tandem-session': 'several' }),
    responses: {
      [status]: {
        description: output === undefined ? 'Done' : 'The answer',
        ...headers,
        ...(output !== undefined && {
          content: { 'application/json': { schema: ref('schemas', `${type}Output`) } },
        }),
      },
      ...problems(400, 404, 500, 503),
      ...(takesBody && problems(411, 413, 415)),
      // What the entities that it writes refuse.
      ...(writes && problems(409, 410, 412, 413, 422)),
      ...(usesRecords && problems(403)),
      ...refusalResponses(type, operation.errors),
    },
  };
  const shown = operation.page === undefined ? described : withPages(described, operation);
  if (access === 'everybody') return shown;
  return scoped(shown, access?.scope ?? (method === 'GET' ? 'tandem/read' : 'tandem/write'));
}

type Responses = Readonly<Record<string, { readonly content?: object }>>;

/** What it answers and refuses by itself is a page where `Accept` prefers that. */
function withPages(described: Operation, { status, errors }: CustomOperation): Operation {
  const paged = new Set([status, 400, ...Object.values(errors).map((error) => error.status)]);
  const page = { 'text/html': { schema: { type: 'string', description: 'The same for people' } } };
  return {
    ...described,
    responses: Object.fromEntries(
      Object.entries(described['responses'] as Responses).map(([code, response]) => [
        code,
        paged.has(Number(code)) ? { ...response, content: { ...response.content, ...page } } : response,
      ]),
    ),
  };
}

const SEEN = {
  description: 'Names the states of the records that it has read and written.',
  schema: { type: 'string' },
};

function parametersOf(operation: CustomOperation): readonly object[] {
  const { input = {}, required } = operation;
  const inPath = Object.entries(pathParams(operation)).map(([name, schema]) => ({
    ...{ name, in: 'path', required: true },
    schema,
  }));
  if (!isAskedByQuery(operation)) return inPath;
  const inQuery = Object.entries(input).map(([name, schema]) => ({
    ...{ name, in: 'query' },
    ...(required.includes(name) && { required: true }),
    schema,
  }));
  return [...inPath, ...inQuery];
}
