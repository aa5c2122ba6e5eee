/** A route of the contract, as data: what the router, the 405 answers and the contract check are made from. */
import type { ValidateFunction } from 'ajv';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Json } from '@tandem-clouds/replication/json';
import type { RuleCaller } from '../domain/entity.ts';
import type { Failure } from '../errors.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface HttpRequest {
  readonly event: APIGatewayProxyEventV2;
  /** Decoded path parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Who asks; undefined when nobody is asked who they are. */
  readonly caller?: Caller | undefined;
  /** What the request is known by, in its answer and in the log. */
  readonly requestId?: string | undefined;
  /** How long the function may still take; absent where its platform does not say. */
  readonly remainingMs?: (() => number) | undefined;
  /** Parsed and valid by the route's schema; undefined on a route without a body. */
  readonly body: unknown;
}

export interface HttpReply {
  readonly status: number;
  /** A JSON value; absent: no body, or `text`. */
  readonly body?: unknown;
  /** A body that is not JSON; its type is among the headers. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who asks, as far as that is proven. The tenant is what an entity says it is (`domain/scope.ts`). */
export interface Caller extends Pick<RuleCaller, 'subject' | 'scopes' | 'claims'> {
  /** True of whoever asks a site that trusts everybody. */
  readonly isAnybody?: true;
  /** For the log, so never with what is secret. */
  readonly name: string;
  /** Tells two callers apart, and is the same at every site. */
  readonly identity: string;
}

/** Who asks, as rules, handlers and readers see it; undefined where nobody is asked who they are. */
export function askerOf({ caller }: Pick<HttpRequest, 'caller'>): Caller | undefined {
  return caller?.isAnybody === true ? undefined : caller;
}

/** @param known Called as soon as it is proven who asks. */
export type Authorize = (
  headers: HttpRequest['headers'],
  known: (caller: Caller) => void,
) => void | Promise<void>;

export interface Route {
  readonly method: Method;
  /** `/users/{userId}` */
  readonly path: string;
  /** The compiled schema of the JSON body; a route without one takes no body. */
  readonly body?: ValidateFunction;
  /** What an empty body stands for; without it one is refused. */
  readonly whenEmpty?: Json;
  /** Says more of a rule of the schema that a body breaks. */
  readonly explain?: (failure: Failure) => Failure;
  /** Levels of nesting that the body may have, where it is not `jsonDepthMax`. */
  readonly depthMax?: number;
  /** The scope that it takes, where that does not follow from its method; null: whoever asks. */
  readonly scope?: string | null;
  /** Who may: called before the body is read. Throws to refuse. */
  readonly authorize?: Authorize;
  readonly handle: (request: HttpRequest) => Promise<HttpReply> | HttpReply;
}
