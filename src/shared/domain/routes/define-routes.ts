/**
 * How routes outside the model are declared: one file in `src/shared/routes/`, one call of `defineRoutes` (docs/routes.md).
 *
 * @example
 * export const greetings = defineRoutes({
 *   name: 'greetings',
 *   description: 'Says hello',
 *   uses: { records: { user: 'read' } },
 *   operations: {
 *     greet: {
 *       method: 'GET',
 *       path: '/greetings/{userId}',
 *       summary: 'Greet a user',
 *       input: { language: { enum: ['en', 'de'] } },
 *       output: { text: { type: 'string' } },
 *       async handle({ params, input }, { records }) {
 *         const { name } = await records.user.read(params.userId);
 *         return { text: `${input.language === 'de' ? 'Hallo' : 'Hello'} ${String(name)}` };
 *       },
 *     },
 *   },
 * });
 */
import type { OwnConfig } from '../../config/own-settings.ts';
import type { PaymentGateway } from '../../ports/payment-provider.ts';
import type { Services } from '../../ports/services.ts';
import { DeclarationError } from '../declaration-mistakes.ts';
import type { DeclaredError, RuleCaller } from '../entity.ts';
import type { JsonSchema, ObjectOf, Properties, ValueOf } from '../json-schema.ts';
import {
  type CustomOperation,
  type CustomRoutes,
  type LooseRoutes,
  type OperationPages,
  type OutputField,
  type RouteAccess,
  type RouteMethod,
  type Uses,
} from './custom-routes.ts';
import type { Page } from './page.ts';
import { routeMistakes, routeShapeMistakes } from './route-mistakes.ts';
import type { OwnSite, ReadableRecords, WritableRecords } from './route-records.ts';

/** The names in the braces of a path. */
type ParamOf<Path> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamOf<Rest> : never;

/** What is sent, as its schemas say. */
type InputOf<I, Q> = unknown extends I
  ? Readonly<Record<string, never>>
  : ObjectOf<I, unknown extends Q ? never : Q>;

type OptionalIn<O> = {
  [Name in keyof O]: O[Name] extends { readonly optional: true } ? Name : never;
}[keyof O];

/** What is answered, as its schemas say. */
type OutputOf<O> = { readonly [Name in Exclude<keyof O, OptionalIn<O>>]: ValueOf<O[Name]> } & {
  readonly [Name in OptionalIn<O>]?: ValueOf<O[Name]> | undefined;
};

/** What a handler returns: nothing where no output is declared. */
type Answer<O> = unknown extends O ? Promise<void> | undefined : Promise<OutputOf<O>> | OutputOf<O>;

export interface RouteRequest<Path = string, I = unknown, Q = unknown> {
  /** Decoded, and valid by `params`. */
  readonly params: Readonly<Record<ParamOf<Path>, string>>;
  /** Of GET and DELETE the query, else the body; valid by `input`. */
  readonly input: InputOf<I, Q>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body as it was sent, for a signature over it. */
  readonly rawBody: string;
  /** Who asks; undefined when nobody is asked who they are. */
  readonly caller: Omit<RuleCaller, 'tenant'> | undefined;
  /** What the request is known by, in its answer and in the log. */
  readonly requestId: string | undefined;
}

type RecordsOf<R> = {
  readonly [Name in keyof R]: R[Name] extends 'write' ? WritableRecords : ReadableRecords;
};

/** What a handler has: the log, metrics, and what its file declares in `uses`. */
export type RouteContext<U> = Pick<Services, 'log' | 'metrics'> & {
  /** When the request was taken, by this site's clock. */
  readonly now: Date;
  /** Unique over all sites. */
  readonly newId: () => string;
} & (U extends { readonly records: infer R } ? { readonly records: RecordsOf<R> } : unknown) &
  (U extends { readonly site: true } ? { readonly site: OwnSite } : unknown) &
  (U extends { readonly secrets: readonly string[] } ? Pick<Services, 'secrets'> : unknown) &
  (U extends { readonly http: true } ? Pick<Services, 'http'> : unknown) &
  /** Using it where the site has no provider throws UnavailableError (503). */
  (U extends { readonly payments: true } ? { readonly payments: PaymentGateway } : unknown) &
  // As long as there is no setting of one's own, none of them has a name.
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type
  (U extends { readonly settings: readonly (infer S)[] } ? { readonly settings: SettingsOf<S> } : unknown);

// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type, @typescript-eslint/no-redundant-type-constituents
type SettingsOf<S> = Pick<OwnConfig, S & keyof OwnConfig>;

/** @typeParam I Of the input, field by field. @typeParam Q What the input must have. @typeParam O Of the answer. */
export interface OperationDeclaration<U, Path, I, Q, O> {
  readonly method: RouteMethod;
  readonly path: Path;
  readonly summary: string;
  /** The scope that records take (`tandem/read` with GET, else `tandem/write`), unless it is said. */
  readonly access?: RouteAccess;
  readonly keyed?: boolean;
  /** `here` unless it is said. */
  readonly repeat?: CustomOperation['repeat'];
  /** JSON Schema of the text of a parameter; an id (`ID_PATTERN`) unless it is said. */
  readonly params?: Readonly<Record<string, JsonSchema>>;
  readonly input?: I & Properties;
  readonly required?: readonly (Q & keyof I & string)[];
  readonly output?: O & Readonly<Record<string, OutputField>>;
  /** 200 unless it is said; 204 without an output. */
  readonly status?: 200 | 201 | 202;
  /** Code → what it means; the status is 409 unless it is said. */
  readonly errors?: Readonly<Record<string, string | DeclaredError>>;
  /** HTML for people whose browser asks for it; programs get JSON as without it. */
  readonly page?: Pick<OperationPages, 'refused'> & {
    readonly answered: (answer: OutputOf<O>, request: RouteRequest<Path, I, Q>) => Page;
  };
  /** Throws `RuleError` to refuse by a code of `errors`. */
  readonly handle: (request: RouteRequest<Path, I, Q>, context: RouteContext<U>) => Answer<O>;
}

export interface RoutesDeclaration<U, P, I, Q, O> {
  readonly name: string;
  readonly description: string;
  readonly uses?: U;
  readonly operations: {
    readonly [Name in keyof P]: OperationDeclaration<
      U,
      P[Name],
      Name extends keyof I ? I[Name] : unknown,
      Name extends keyof Q ? Q[Name] : never,
      Name extends keyof O ? O[Name] : unknown
    >;
  } & { readonly [Name in keyof I]: { readonly input?: I[Name] } } & {
    readonly [Name in keyof Q]: { readonly required?: readonly Q[Name][] };
  } & { readonly [Name in keyof O]: { readonly output?: O[Name] } };
}

/** Declares the routes of a file. @throws DeclarationError */
export function defineRoutes<
  const U extends Uses,
  const P extends Readonly<Record<string, string>>,
  const I extends Readonly<Record<string, unknown>> = Readonly<Record<string, never>>,
  const Q extends Readonly<Record<string, unknown>> = Readonly<Record<string, never>>,
  const O extends Readonly<Record<string, unknown>> = Readonly<Record<string, never>>,
>(declaration: RoutesDeclaration<U, P, I, Q, O>): CustomRoutes {
  const loose = declaration as unknown as LooseRoutes;
  const misshapen = routeShapeMistakes(loose);
  if (misshapen.length > 0) throw new DeclarationError(declaration.name, misshapen);
  const routes = normalized(loose);
  const mistakes = routeMistakes(routes);
  if (mistakes.length > 0) throw new DeclarationError(routes.name, mistakes, routes);
  return Object.freeze(routes);
}

function normalized({ name, description, uses = {}, operations }: LooseRoutes): CustomRoutes {
  return {
    name,
    description,
    uses,
    operations: Object.fromEntries(
      Object.entries(operations).map(([operation, declared]) => {
        const { output, errors = {}, ...rest } = declared;
        return [
          operation,
          {
            access: undefined,
            keyed: false,
            repeat: 'here',
            params: {},
            input: undefined,
            required: [],
            page: undefined,
            ...rest,
            output,
            status: output === undefined ? 204 : (rest.status ?? 200),
            errors: Object.fromEntries(
              Object.entries(errors).map(([code, error]) => [
                code,
                typeof error === 'string' ? { title: error, status: 409 } : error,
              ]),
            ),
          } satisfies CustomOperation,
        ];
      }),
    ),
  };
}
