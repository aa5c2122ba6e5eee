/** The records of one kind: create, read, change, delete, list, act. */
import { updateRoundsMax } from './bounds.ts';
import { ProblemError } from './errors.ts';
import { type Listed, listed, type Page } from './pages.ts';
import type {
  ActionName,
  ActionPath,
  AnyCall,
  BodyOf,
  CallOptions,
  DataOf,
  ListPath,
  OperationAt,
  QueryOf,
  RecordPath,
  Result,
} from './types.ts';

type Created<Paths, Name extends string> = NonNullable<OperationAt<Paths, ListPath<Name>, 'post'>>;
type Read<Paths, Name extends string> = OperationAt<Paths, RecordPath<Paths, Name>, 'get'>;
type Changed<Paths, Name extends string> = NonNullable<OperationAt<Paths, RecordPath<Paths, Name>, 'patch'>>;
type Removed<Paths, Name extends string> = NonNullable<OperationAt<Paths, RecordPath<Paths, Name>, 'delete'>>;
type List<Paths, Name extends string> = OperationAt<Paths, ListPath<Name>, 'get'>;
type Act<Paths, Name extends string, Action extends string> = OperationAt<
  Paths,
  ActionPath<Paths, Name, Action>,
  'post'
>;
type ItemOf<Listing> = DataOf<Listing> extends { readonly items: readonly (infer Item)[] } ? Item : never;

export interface Collection<Paths, Name extends string> {
  /**
   * Where the contract has it. Takes effect once, however often it is sent.
   * @throws ProblemError @throws UnavailableError @throws OutcomeUnknown
   */
  readonly create: [Created<Paths, Name>] extends [never]
    ? never
    : (
        body: BodyOf<Created<Paths, Name>>,
        options?: CallOptions,
      ) => Promise<Result<DataOf<Created<Paths, Name>>>>;
  /** Not older than what this session has seen. @throws ProblemError with status 404 when there is none */
  get(id: string, options?: CallOptions): Promise<Result<DataOf<Read<Paths, Name>>>>;
  /**
   * A JSON Merge Patch, where the contract has it.
   * @throws OutcomeUnknown with `{ increment }` or `ifMatch`, when its site does not answer
   */
  readonly patch: [Changed<Paths, Name>] extends [never]
    ? never
    : (
        id: string,
        changes: BodyOf<Changed<Paths, Name>>,
        options?: CallOptions,
      ) => Promise<Result<DataOf<Changed<Paths, Name>>>>;
  /**
   * Reads, and patches what `decide` returns if nobody has changed the record meanwhile; otherwise again, five times in
   * all. `decide` may return undefined to leave it.
   */
  readonly update: [Changed<Paths, Name>] extends [never]
    ? never
    : (
        id: string,
        decide: (current: DataOf<Read<Paths, Name>>) => BodyOf<Changed<Paths, Name>> | undefined,
        options?: Omit<CallOptions, 'idempotencyKey' | 'ifMatch'>,
      ) => Promise<Result<DataOf<Read<Paths, Name>>>>;
  /** Where the contract has it. @throws ProblemError with status 404 when there is none */
  readonly remove: [Removed<Paths, Name>] extends [never]
    ? never
    : (id: string, options?: CallOptions) => Promise<Result<undefined>>;
  /** `for await (const user of users.list())`; `.pages()` for whole pages. */
  list(
    query?: Omit<QueryOf<List<Paths, Name>>, 'cursor'>,
    options?: CallOptions,
  ): Listed<ItemOf<List<Paths, Name>>>;
  /** `POST /<collection>/{id}/<action>`. @throws OutcomeUnknown when its site does not answer */
  act<Action extends ActionName<Paths, Name>>(
    id: string,
    action: Action,
    input: BodyOf<Act<Paths, Name, Action>>,
    options?: CallOptions,
  ): Promise<Result<DataOf<Act<Paths, Name, Action>>>>;
}

/** The types are the contract's; what is sent is the same for every kind of record. */
export function collectionOf<Paths, Name extends string>(
  name: Name,
  { call, one }: { readonly call: AnyCall; /** `/users/{userId}` */ readonly one: string },
): Collection<Paths, Name> {
  const list = `/${name}`;
  const idName = one.slice(list.length + 2, -1);
  const at = (id: string): { params: object } => ({ params: { path: { [idName]: id } } });
  const get = (id: string, options?: CallOptions): Promise<Result<unknown>> =>
    call('GET', one, { ...options, ...at(id) });
  const patch = (id: string, body: unknown, options?: CallOptions): Promise<Result<unknown>> =>
    call('PATCH', one, { ...options, ...at(id), body });
  const collection = {
    create: (body: unknown, options?: CallOptions) => call('POST', list, { ...options, body }),
    get,
    patch,
    async update(id: string, decide: (current: unknown) => unknown, options?: CallOptions) {
      for (let round = 1; ; round += 1) {
        const current = await get(id, options);
        const changes = decide(current.data);
        if (changes === undefined) return current;
        try {
          return await patch(id, changes, { ...options, ifMatch: current });
        } catch (error) {
          const isOvertaken = error instanceof ProblemError && error.status === 412;
          if (!isOvertaken || round >= updateRoundsMax) throw error;
        }
      }
    },
    remove: (id: string, options?: CallOptions) => call('DELETE', one, { ...options, ...at(id) }),
    list: (query?: object, options?: CallOptions) =>
      listed(
        (cursor) =>
          call('GET', list, {
            ...options,
            params: { query: { ...query, ...(cursor !== undefined && { cursor }) } },
          }) as Promise<Result<Page<unknown>>>,
      ),
    act: (id: string, action: string, body: unknown, options?: CallOptions) =>
      call('POST', `${one}/${action}`, { ...options, ...at(id), body }),
  };
  return collection as unknown as Collection<Paths, Name>;
}
