/**
 * TransactWriteItems and TransactGetItems.
 *
 * Invariant: every item is locked, in one global order, before the first condition is looked at, and all writes and the
 * client's token go into one atomic batch. So a transaction is all or nothing to readers, to other writers and to a
 * kill, and a repeated token never applies twice.
 *
 * Where the service answers `TransactionConflict` to two requests that meet on an item, the later one waits here.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
import { createHash } from 'node:crypto';
import {
  addUnits,
  consumedByTable,
  consumedCapacity,
  detailOf,
  readUnits,
  unitsOfChange,
} from './capacity.ts';
import {
  type BatchOperation,
  db,
  type DynaliteAction,
  type Item,
  promised,
  type RequestData,
  run,
  type Store,
  tableOf,
  type TableRecord,
  validated,
} from './dynalite.ts';
import { codeOf, DynamoError, isRefusal, messageOf, type Refusal, validationError } from './errors.ts';
import { itemBytes } from './item-size.ts';
import { rangeOf, tokenKey } from './storage-keys.ts';
import { UnitOfWork } from './unit-of-work.ts';
import { THROTTLED_TEXT, type WriteBudget } from './write-budget.ts';

const OPERATIONS_MAX = 100;
const BYTES_MAX = 4 * 1024 * 1024;
const TOKEN_LENGTH_MAX = 36;
const TOKEN_LIFETIME_MS = 600_000;
/** Transactional reads and writes prepare and commit: two units for one. */
const CAPACITY_FACTOR = 2;

type Response = Record<string, unknown>;
type Kind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck' | 'Get';

/** A condition check takes what a delete takes, and only looks. */
const ACTIONS: Readonly<Record<Kind, DynaliteAction>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'DeleteItem',
  Get: 'GetItem',
};

interface Operation {
  readonly kind: Kind;
  readonly data: RequestData;
  readonly table: TableRecord;
  /** Key of the item in its table's key space. */
  readonly key: string;
}

interface Reason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Item;
}

interface RememberedToken {
  /** Digest of the request, to tell a repetition from another use of the token. */
  readonly digest: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The transactions of one emulator. */
export class Transactions {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #running = new Set<string>();

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** @param budget A table without capacity left cancels the transaction. */
  async write(input: RequestData, budget: WriteBudget): Promise<Response> {
    const token = input['ClientRequestToken'] as string | undefined;
    if (token === undefined) return await this.#apply(input, budget, []);
    if (token.length > TOKEN_LENGTH_MAX) {
      throw validationError(`ClientRequestToken is longer than ${TOKEN_LENGTH_MAX} characters`);
    }
    if (this.#running.has(token)) {
      throw new DynamoError(
        'TransactionInProgressException',
        'The transaction with the given request token is already in progress.',
      );
    }
    this.#running.add(token);
    try {
      return await this.#applyOnce(token, input, budget);
    } finally {
      this.#running.delete(token);
    }
  }

  async read(input: RequestData): Promise<Response> {
    const operations = await this.#prepare(input, ['Get']);
    const items = await this.#locked(operations, () =>
      Promise.all(operations.map(({ data }) => run(this.#store, 'GetItem', data))),
    );
    const detail = detailOf(input['ReturnConsumedCapacity']);
    return {
      Responses: items.map(({ Item }) => (Item === undefined ? {} : { Item })),
      ...(detail !== undefined && { ConsumedCapacity: await this.#readCapacity(operations, detail) }),
    };
  }

  /** Forgets tokens that are older than ten minutes. */
  async forgetOldTokens(): Promise<void> {
    const old: BatchOperation[] = [];
    for await (const [key, value] of this.#store.db.iterator(rangeOf(tokenKey('')))) {
      if (this.#isOld(value as RememberedToken)) old.push({ type: 'del', key });
    }
    if (old.length > 0) await promised<unknown>((callback) => this.#store.db.batch(old, callback));
  }

  #isOld({ at }: RememberedToken): boolean {
    return at + TOKEN_LIFETIME_MS <= this.#now();
  }

  async #applyOnce(token: string, input: RequestData, budget: WriteBudget): Promise<Response> {
    const digest = createHash('sha256').update(JSON.stringify(input['TransactItems'])).digest('hex');
    const key = tokenKey(token);
    const known = await promised<unknown>((callback) => this.#store.db.get(key, callback));
    const earlier = known as RememberedToken | undefined;
    if (earlier !== undefined && !this.#isOld(earlier)) {
      if (earlier.digest === digest) return {};
      throw new DynamoError(
        'IdempotentParameterMismatchException',
        'The request uses the same client token as a previous, but non-identical request.',
      );
    }
    const remember: RememberedToken = { digest, at: this.#now() };
    return await this.#apply(input, budget, [{ type: 'put', key, value: remember }]);
  }

  async #apply(input: RequestData, budget: WriteBudget, more: readonly BatchOperation[]): Promise<Response> {
    const operations = await this.#prepare(input, ['Put', 'Update', 'Delete', 'ConditionCheck']);
    const refused = new Set(
      [...new Set(operations.map(({ table }) => table.TableName))].filter((table) => !budget.admits(table)),
    );
    if (refused.size > 0) {
      const throttled = { Code: 'ProvisionedThroughputExceeded', Message: THROTTLED_TEXT };
      throw cancelled(operations.map(({ table }) => (refused.has(table.TableName) ? throttled : NO_REASON)));
    }
    const work = new UnitOfWork(this.#store, 'together');
    await this.#locked(operations, async () => {
      const reasons: Reason[] = [];
      for (const operation of operations) reasons.push(await attempt(work, operation));
      if (reasons.some(({ Code }) => Code !== 'None')) throw cancelled(reasons);
      await work.commit(more);
    });
    for (const [table, changes] of Map.groupBy(work.changes, (change) => change.table.TableName))
      budget.charge(table, addUnits(changes.map(unitsOfChange), CAPACITY_FACTOR));
    const detail = detailOf(input['ReturnConsumedCapacity']);
    if (detail === undefined) return {};
    return { ConsumedCapacity: consumedByTable(work.changes, detail, CAPACITY_FACTOR) };
  }

  async #prepare(input: RequestData, kinds: readonly Kind[]): Promise<Operation[]> {
    const entries = (input['TransactItems'] ?? []) as Readonly<Record<string, RequestData>>[];
    if (entries.length < 1 || entries.length > OPERATIONS_MAX) {
      throw validationError(
        `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to ${OPERATIONS_MAX} and at least 1`,
      );
    }
    const operations: Operation[] = [];
    for (const entry of entries) operations.push(await this.#prepareOne(entry, kinds));
    if (new Set(operations.map(identity)).size < operations.length) {
      throw validationError('Transaction request cannot include multiple operations on one item');
    }
    const bytes = operations.reduce((sum, { data }) => sum + itemBytes((data['Item'] ?? {}) as Item), 0);
    if (bytes > BYTES_MAX) throw validationError(`The transaction is larger than ${BYTES_MAX} bytes`);
    return operations;
  }

  async #prepareOne(
    entry: Readonly<Record<string, RequestData>>,
    kinds: readonly Kind[],
  ): Promise<Operation> {
    const present = kinds.filter((kind) => Boolean(entry[kind]));
    const [kind] = present;
    if (kind === undefined || present.length > 1) {
      throw validationError(`TransactItems can only contain one of ${kinds.join(', ')}`);
    }
    const request = { ...entry[kind] };
    if (kind === 'ConditionCheck' && !request['ConditionExpression']) {
      throw validationError('The ConditionExpression of a ConditionCheck must not be null');
    }
    const data = validated(this.#store, ACTIONS[kind], request);
    const table = await tableOf(this.#store, String(data['TableName']));
    const keyed = (kind === 'Put' ? data['Item'] : data['Key']) as Item;
    const problem = kind === 'Put' ? missingKey(keyed, table) : db.validateKey(keyed, table);
    if (problem) throw problem;
    return { kind, data, table, key: db.createKey(keyed, table) };
  }

  /** Locks in one order, so that two transactions cannot wait for each other. */
  async #locked<T>(operations: readonly Operation[], act: () => Promise<T>): Promise<T> {
    const ordered = [...operations].sort((a, b) => (identity(a) < identity(b) ? -1 : 1));
    const releases: (() => void)[] = [];
    try {
      for (const { table, key } of ordered) releases.push(await lock(this.#store, table.TableName, key));
      return await act();
    } finally {
      for (const release of releases) release();
    }
  }

  async #readCapacity(
    operations: readonly Operation[],
    detail: 'TOTAL' | 'INDEXES',
  ): Promise<Record<string, unknown>[]> {
    const read = await Promise.all(
      operations.map(async ({ table, key }) => ({
        name: table.TableName,
        item: await promised<Item | undefined>((callback) =>
          this.#store.getItemDb(table.TableName).get(key, callback),
        ),
      })),
    );
    return [...Map.groupBy(read, ({ name }) => name)].map(([name, list]) => {
      const units = list.map(({ item }) => ({ table: readUnits(item, true), local: {}, global: {} }));
      return consumedCapacity(name, addUnits(units, CAPACITY_FACTOR), detail);
    });
  }
}

const NO_REASON: Reason = { Code: 'None' };

function identity({ table, key }: Operation): string {
  return `${table.TableName}\n${key}`;
}

/** Keys of the table that an item lacks or has of another type: without them it cannot even be locked. */
function missingKey(item: Item, table: TableRecord): Error | null | undefined {
  const keys = table.KeySchema.map(({ AttributeName }) => AttributeName);
  const missing = keys.find((name) => item[name] === undefined);
  if (missing !== undefined) {
    return validationError(
      `One or more parameter values were invalid: Missing the key ${missing} in the item`,
    );
  }
  return db.validateKey(Object.fromEntries(keys.map((name) => [name, item[name]])) as Item, table);
}

function lock(store: Store, table: string, key: string): Promise<() => void> {
  return new Promise((resolve) => {
    store.getItemDb(table).lock(key, (release) => {
      const unlock = release(() => undefined);
      resolve(() => unlock(null));
    });
  });
}

/** Evaluates one operation and collects its writes; a refusal becomes a reason to cancel. */
async function attempt(work: UnitOfWork, { kind, data, table, key }: Operation): Promise<Reason> {
  try {
    if (kind === 'ConditionCheck') {
      const existing = await promised<Item | undefined>((callback) =>
        work.store.getItemDb(table.TableName).get(key, callback),
      );
      const failed = db.checkConditional(data, existing);
      if (failed) throw failed;
      work.changes.push({ table, before: existing, after: existing });
    } else {
      await run(work.store, ACTIONS[kind], data);
    }
    return NO_REASON;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return reasonOf(error);
  }
}

function reasonOf(refusal: Refusal): Reason {
  const code = codeOf(refusal).replace(/Exception$/, '');
  const item = refusal.body['Item'] as Item | undefined;
  return {
    Code: code === 'Validation' ? 'ValidationError' : code,
    Message: messageOf(refusal),
    ...(item !== undefined && { Item: item }),
  };
}

function cancelled(reasons: readonly Reason[]): DynamoError {
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new DynamoError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}
