/**
 * What routes outside the model are, once they are declared (`define-routes.ts`): a function, its routes, its role, its
 * validators and its part of the contract are all made from it, at both clouds.
 */
import type { DeclaredError } from '../entity.ts';
import type { JsonSchema, Properties } from '../json-schema.ts';
import type { Page } from './page.ts';

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** `read`: one by its id, and lists. `write`: that, and creations, changes, actions and deletions. */
export type RecordRight = 'read' | 'write';

/** What the handlers of a file may use beside the log and metrics. What is not named they have not got. */
export interface Uses {
  /** Entity, by its name, → what may be done with its records. */
  readonly records?: Readonly<Record<string, RecordRight>>;
  /** Records of any owner and tenant, whom the handler names: what its caller may see is then the handler's to decide. */
  readonly actsForAnybody?: true;
  /** Protocols over the records of this site, where a rule is about several of them: those that `records` says are written. */
  readonly site?: true;
  /** What this site has counted, which such a function counts anew and keeps (docs/analytics.md). */
  readonly counts?: true;
  /** Names of secrets (docs/handlers.md). */
  readonly secrets?: readonly string[];
  /** Calls of other services. */
  readonly http?: true;
  /** The payment provider that the site is configured with (docs/payments.md). */
  readonly payments?: true;
  /** Names of `config/own-settings.ts`. */
  readonly settings?: readonly string[];
}

/** Who may ask: everybody, or whoever has a scope. */
export type RouteAccess = 'everybody' | { readonly scope: string };

/** A field of an answer: the JSON Schema of its value, and whether it may be left out. */
export type OutputField = JsonSchema & { readonly optional?: boolean };

/** One method on one path. */
export interface CustomOperation {
  readonly method: RouteMethod;
  /** `/quotes/{currency}`: below the name of its file. */
  readonly path: string;
  /** One line for the contract. */
  readonly summary: string;
  /** Undefined: the scope that records take, for reading with GET and for writing otherwise. */
  readonly access: RouteAccess | undefined;
  /** Whether its writes take effect once for one `Idempotency-Key`. */
  readonly keyed: boolean;
  /** Whether two sites that both do it come to one effect; else a client repeats it at its site alone. */
  readonly repeat: 'elsewhere' | 'here';
  /** Parameter of the path → JSON Schema of its text. */
  readonly params: Properties;
  /** What is sent: the query of GET and DELETE, the JSON body of all others. Undefined: neither. */
  readonly input: Properties | undefined;
  /** What of the input must be there. */
  readonly required: readonly string[];
  /** Field → schema of the answer; undefined: it has none (204). */
  readonly output: Readonly<Record<string, OutputField>> | undefined;
  /** Of an answer that is no problem. */
  readonly status: number;
  /** Code → what a handler refuses by. */
  readonly errors: Readonly<Record<string, DeclaredError>>;
  /** For browsers, which prefer HTML to JSON; undefined: everybody gets JSON. */
  readonly page: OperationPages | undefined;
  readonly handle: (request: never, context: never) => unknown;
}

/** What people see of an operation. What it says follows from the answer, which programs get as it is. */
export interface OperationPages {
  readonly answered: (answer: never, request: never) => Page;
  /** When it refuses by a code of its own, or because its parameters are none. */
  readonly refused: (request: { readonly headers: Readonly<Record<string, string | undefined>> }) => Page;
}

/** All routes of one file, which are one function. */
export interface CustomRoutes {
  /** The first segment of all its paths, and the name of its function: `quotes`. */
  readonly name: string;
  /** One line for the contract. */
  readonly description: string;
  readonly uses: Uses;
  /** Name of the operation in the contract → what it does. */
  readonly operations: Readonly<Record<string, CustomOperation>>;
}

/** Whether what is sent to it is its query. */
export function isAskedByQuery({ method }: Pick<CustomOperation, 'method'>): boolean {
  return method === 'GET' || method === 'DELETE';
}

/** The parameters in a path, in their order. */
export function paramsOf(path: string): readonly string[] {
  return [...path.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name);
}

/** A declaration without the types of its values. */
export interface LooseRoutes {
  readonly name: string;
  readonly description: string;
  readonly uses?: Uses & { readonly records?: Readonly<Record<string, RecordRight>> };
  readonly operations: Readonly<
    Record<
      string,
      Partial<Omit<CustomOperation, 'errors'>> &
        Pick<CustomOperation, 'method' | 'path' | 'summary' | 'handle'> & {
          readonly errors?: Readonly<Record<string, string | DeclaredError>>;
        }
    >
  >;
}
