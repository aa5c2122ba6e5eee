/** The types of calls, derived from the paths of a contract as openapi-typescript writes them. */
import type { Client, ClientPathsWithMethod, FetchResponse, MaybeOptionalInit } from 'openapi-fetch';

export type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Media = `${string}/${string}`;

/** What a call may be given beside what the contract says. */
export interface CallOptions {
  /** A write: answer only when every other site's durable queue has it, too (`Prefer: durability=all`). */
  readonly durable?: boolean;
  /**
   * A read of one record: the answer may wait for so many seconds, until the record has changed (with `If-None-Match`) or is in
   * no state that the service leads on (`Prefer: wait`). An attempt has that much more time.
   */
  readonly waitSeconds?: number;
  /** The state that a change is meant for: a result, or its `etag`. Another state is a `ProblemError` with status 412. */
  readonly ifMatch?: string | { readonly etag: string | undefined };
  /** Instead of one of the client's own making: to go on with a call of an earlier process, or after `OutcomeUnknown`. */
  readonly idempotencyKey?: string;
  /** Asks this site only. */
  readonly site?: string;
  /** The caller knows that this counts once when two sites take it, though the contract does not say so. */
  readonly safeElsewhere?: boolean;
  /** Of the whole call, milliseconds. */
  readonly totalMs?: number;
  readonly signal?: AbortSignal;
}

export interface Result<Data> {
  readonly data: Data;
  readonly status: number;
  /** Of the record's state, for `ifMatch`. */
  readonly etag: string | undefined;
  /** The site that answered. */
  readonly site: string;
  /** An earlier attempt, or an earlier call with this key, had taken effect already. */
  readonly replayed: boolean;
  /** Every other site's durable queue has it. False when that was not asked for, or took too long. */
  readonly durable: boolean;
  /** A read that may not show what this session has seen; only with `whenBehind: 'stale'`. */
  readonly stale: boolean;
  readonly headers: Headers;
}

/** Any operation by name; the typed methods are this. */
export type AnyCall = (method: string, path: string, init?: AnyInit) => Promise<Result<unknown>>;

export interface AnyInit extends CallOptions {
  readonly params?: object;
  readonly body?: unknown;
}

export type PathsWith<Paths extends object, V extends Verb> = ClientPathsWithMethod<Client<Paths>, V>;

/** Parameters and body of an operation, and options. */
export type Args<Paths extends object, P, V extends Verb> = P extends keyof Paths
  ? undefined extends MaybeOptionalInit<Paths[P], V & keyof Paths[P]>
    ? [init?: Init<Paths[P], V>]
    : [init: Init<Paths[P], V>]
  : never;

type Init<Path, V extends Verb> = Pick<
  NonNullable<MaybeOptionalInit<Path, V & keyof Path>>,
  Extract<keyof NonNullable<MaybeOptionalInit<Path, V & keyof Path>>, 'body' | 'params'>
> &
  CallOptions;

/** What an operation answers when all is well. */
export type DataOf<Operation> =
  Operation extends Record<string | number, unknown>
    ? FetchResponse<Operation, object, Media> extends infer Response
      ? Response extends { readonly data: infer Data; readonly error?: never }
        ? Data
        : never
      : never
    : never;

/** What an operation takes as its body. */
export type BodyOf<Operation> = Operation extends {
  readonly requestBody: { readonly content: infer Content };
}
  ? Content[keyof Content]
  : Operation extends { readonly requestBody?: { readonly content: infer Content } }
    ? Content[keyof Content] | undefined
    : never;

export type QueryOf<Operation> = Operation extends { readonly parameters: { readonly query?: infer Query } }
  ? NonNullable<Query>
  : never;

export type Method<Paths extends object, V extends Verb> = <P extends PathsWith<Paths, V>>(
  path: P,
  ...init: Args<Paths, P, V>
) => Promise<Result<DataOf<OperationAt<Paths, P, V>>>>;

/** The operation of a path; `never` when there is none. */
export type OperationAt<Paths, P, V extends Verb> = P extends keyof Paths
  ? V extends keyof Paths[P]
    ? Paths[P][V]
    : never
  : never;

/** `users` for every `/users/{userId}`. */
export type CollectionName<Paths> = keyof Paths extends infer P
  ? P extends `/${infer Name}/{${infer Rest}`
    ? Name extends `${string}/${string}`
      ? never
      : Rest extends `${string}/${string}`
        ? never
        : Name
    : never
  : never;

export type ListPath<Name extends string> = `/${Name}`;

/** `/users/{userId}` */
export type RecordPath<Paths, Name extends string> = keyof Paths extends infer P
  ? P extends `/${Name}/{${infer Rest}`
    ? Rest extends `${string}/${string}`
      ? never
      : P
    : never
  : never;

/** `confirm` for `/bookings/{bookingId}/confirm`. */
export type ActionName<Paths, Name extends string> = keyof Paths extends infer P
  ? P extends `${RecordPath<Paths, Name> & string}/${infer Action}`
    ? Action extends `${string}/${string}`
      ? never
      : Action
    : never
  : never;

export type ActionPath<
  Paths,
  Name extends string,
  Action extends string,
> = `${RecordPath<Paths, Name> & string}/${Action}`;
