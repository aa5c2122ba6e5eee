/** What the contract says about who may read and write records. */
import { type Operation, type Paths, problems } from './openapi-parts.ts';

export const callerScheme = {
  type: 'http',
  scheme: 'bearer',
  description:
    'A JSON Web Token of an issuer that the site knows (TANDEM_JWT_ISSUERS), or a service key (TANDEM_SERVICE_KEYS). ' +
    'Reading takes the scope `tandem/read`, writing `tandem/write`; `tandem/any-owner` and `tandem/any-tenant` are for who acts ' +
    'for others. A site that knows neither issuer nor key asks for nothing, and has what belongs to owners or tenants for nobody.',
} as const;

/** The same paths, each operation with the scope that it takes and the answers to who has not got it. */
export function forCallers(paths: Paths): Paths {
  return Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => [method, withScope(method, operation)]),
      ),
    ]),
  );
}

function withScope(method: string, operation: Operation): Operation {
  // Its declaration says who may.
  if ('security' in operation) return operation;
  return scoped(operation, method === 'get' ? 'tandem/read' : 'tandem/write');
}

/** The operation, for who has the scope. */
export function scoped(operation: Operation, scope: string): Operation {
  const responses = operation['responses'] as Readonly<Record<string, object>>;
  return {
    ...operation,
    security: [{}, { caller: [scope] }],
    responses: { ...problems(401, 403, 429), ...responses },
  };
}
