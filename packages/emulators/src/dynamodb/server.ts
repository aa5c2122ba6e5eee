/**
 * A local DynamoDB: dynalite 4 on leveldb, behind a front that adds what it lacks.
 *
 * Added: `ReturnValuesOnConditionCheckFailure`, transactions with their tokens, time to live, continuous backups (as a
 * setting), the newer fields of tables, indexes on tables in use, consumed capacity by the published rules, writes
 * that are atomic with their index entries, batches that are answered in part, budgets of reads and writes. Not there: streams, PartiQL,
 * backups, global tables, eventual consistency (a read after a write sees it, on an index too).
 *
 * leveldb hands a write to the operating system before it is answered, so what was answered survives SIGKILL of the
 * process (not a power cut: nothing is synced). The same suite runs against DynamoDB Local: `npm run test:peers`.
 *
 * Faults name the API action (`PutItem`) and the table.
 */
import path from 'node:path';
import { type AwsJsonError, type AwsJsonService, startAwsJsonServer } from '../core/aws-json-server.ts';
import { Budget } from '../core/budget.ts';
import { lockDataDir } from '../core/data-lock.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { UsageMeter } from '../core/usage.ts';
import { db, promised, type Store } from './dynalite.ts';
import { repairDynalite } from './dynalite-repairs.ts';
import { DynamoError, isRefusal, wireFormOf } from './errors.ts';
import { runMetered } from './metering.ts';
import { isItemAction, tablesIn } from './operations.ts';
import { finishInterruptedChanges } from './tables.ts';
import { sweepExpired } from './time-to-live.ts';
import { Transactions } from './transactions.ts';
import { WriteBudget } from './write-budget.ts';

/**
 * "A single call to BatchWriteItem can transmit up to 16MB of data over the network", which is the longest call. A longer one
 * gets 413 without a body, as dynalite found it answers.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 * https://github.com/architect/dynalite/blob/main/index.js
 */
export const REQUEST_BYTES_MAX = 16 * 1024 * 1024;

export interface DynamoOptions extends EmulatorOptions {
  /** Milliseconds between two sweeps for expired items. Default 5,000; the service promises "within a few days". */
  readonly ttlSweepMs?: number;
  /** Region in the ARNs of tables. Default `us-east-1`. */
  readonly region?: string;
  /**
   * Read units a second, beyond which `BatchGetItem` leaves keys unprocessed and every other read is refused; default
   * none. A partition has 3,000.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
   */
  readonly readUnitsPerSecond?: number;
  /**
   * Write units a second of each table and of each of its indexes, beyond which `BatchWriteItem` leaves items unprocessed, a
   * transaction is cancelled and every other write is refused; default none. A partition has 1,000.
   */
  readonly writeUnitsPerSecond?: number;
}

export interface DynamoEmulator extends Emulator {
  /** Deletes what has expired, now; returns how many items went. */
  sweepExpired(): Promise<number>;
}

const TTL_SWEEP_MS = 5_000;
const DATABASE_FOLDER = 'leveldb';

/**
 * Starts the emulator.
 * @throws Error when another living process has the data folder, or naming it when what is in it is damaged.
 */
export async function startDynamo(options: DynamoOptions = {}): Promise<DynamoEmulator> {
  repairDynalite();
  const unlock = options.dataDir === undefined ? undefined : lockDataDir(options.dataDir);
  let store: Store | undefined;
  const release = async (): Promise<void> => {
    const opened = store;
    if (opened !== undefined) await promised<unknown>((callback) => opened.db.close(callback));
    unlock?.();
  };
  try {
    store = openStore(options);
    await open(store, options.dataDir);
    await finishInterruptedChanges(store);
    return await serve(store, options, release);
  } catch (error) {
    await release();
    throw error;
  }
}

async function open({ db }: Store, dataDir: string | undefined): Promise<void> {
  try {
    await db.open();
  } catch (cause) {
    // leveldb has one error for everything; what it means is in the one behind it.
    const reason: unknown = cause instanceof Error ? (cause.cause ?? cause) : cause;
    const why = reason instanceof Error ? reason.message : String(reason);
    const folder = path.join(dataDir ?? '', DATABASE_FOLDER);
    throw new Error(`${folder} cannot be opened (${why}); when it is damaged, move it away to start empty`, {
      cause,
    });
  }
}

function openStore({ dataDir, region = 'us-east-1' }: DynamoOptions): Store {
  const store = db.create({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(dataDir !== undefined && { path: path.join(dataDir, DATABASE_FOLDER) }),
  });
  store.tableDb.awsRegion = region;
  return store;
}

async function serve(
  store: Store,
  options: DynamoOptions,
  release: () => Promise<void>,
): Promise<DynamoEmulator> {
  const now = options.now ?? Date.now;
  const faults = new Faults();
  const usage = new UsageMeter();
  const readBudget = new Budget({ perSecond: options.readUnitsPerSecond, now });
  const writeBudget = new WriteBudget({ perSecond: options.writeUnitsPerSecond, now });
  const transactions = new Transactions(store, now);
  const service: AwsJsonService = {
    faults,
    usage,
    resources: (_operation, input) => tablesIn(input),
    handle: ({ operation, input }) =>
      runMetered(operation, { store, transactions, now, readBudget, writeBudget }, input, usage),
    bodyBytesMax: REQUEST_BYTES_MAX,
    tooLarge: () => undefined,
    describeError: (error) => (isRefusal(error) ? wireFormOf(error) : undefined),
    injectedError,
  };
  const server = await startAwsJsonServer(options.port ?? 0, service);
  const sweeper = new Sweeper(async () => {
    const deleted = await sweepExpired(store, now());
    await transactions.forgetOldTokens();
    return deleted;
  }, options.ttlSweepMs ?? TTL_SWEEP_MS);
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await server.close();
    await sweeper.stop();
    await release();
  };
  return {
    endpoint: server.endpoint,
    port: server.port,
    faults,
    sweepExpired: () => sweeper.sweep(),
    close: () => (closed ??= close()),
  };
}

/** Throughput is exceeded on items, requests are throttled on tables. */
function injectedError(code: string | undefined, operation: string): AwsJsonError {
  const chosen =
    code ?? (isItemAction(operation) ? 'ProvisionedThroughputExceededException' : 'ThrottlingException');
  return wireFormOf(new DynamoError(chosen, `${chosen}, injected by a fault rule`));
}

/** Sweeps one after the other, on a timer and on demand. */
class Sweeper {
  readonly #act: () => Promise<number>;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<number> = Promise.resolve(0);
  #waiting = 0;

  constructor(act: () => Promise<number>, everyMs: number) {
    this.#act = act;
    this.#timer = setInterval(() => {
      if (this.#waiting === 0) this.sweep().catch((error: unknown) => console.error(error));
    }, everyMs).unref();
  }

  sweep(): Promise<number> {
    this.#waiting += 1;
    this.#running = this.#running
      .catch(() => 0)
      .then(this.#act)
      .finally(() => (this.#waiting -= 1));
    return this.#running;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running.catch(() => 0);
  }
}
