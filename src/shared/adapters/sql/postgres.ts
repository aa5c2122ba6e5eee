/**
 * PostgreSQL behind its port: a few connections of this process, opened when they are needed.
 *
 * Invariant: nothing but loopback is reached without TLS, whose certificate is checked, and no password is kept: the identity's
 * token is asked for at each connection, which is all that it opens.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
import pg from 'pg';
import { AmbiguousError, RefusedError, UnavailableError } from '@tandem-clouds/replication/errors';
import { sqlConnectionsMax, sqlConnectMs, sqlIdleMs, sqlStatementMs } from '../../bounds.ts';
import type { SqlDatabase, Statement } from '../../ports/sql.ts';

export interface PostgresOptions {
  /** `postgres://user@host:5432/database`; with a password on this machine alone. */
  readonly url: string;
  /** A token of this site's identity; not asked for on this machine. */
  readonly password: () => Promise<string>;
  /** Certificates of authorities that the server's may be from; undefined: whoever Node trusts. */
  readonly roots?: readonly string[] | undefined;
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Classes of SQLSTATE that speak of the values, so that no later attempt differs: 22 data exception, 23 integrity. */
const OF_VALUES = /^(22|23)/;
/** A value of another type than the column; the statement is built of the declared ones. */
const OF_TYPES = new Set(['42804', '42846']);
/** Undefined column, table and schema: the migration has not been made, or somebody has changed it. */
const OF_SCHEMA = new Set(['42703', '42P01', '3F000', '42P10']);

export class PostgresDatabase implements SqlDatabase {
  readonly #pool: pg.Pool;

  constructor(options: PostgresOptions) {
    this.#pool = new pg.Pool({
      ...connectionOf(options),
      max: sqlConnectionsMax,
      idleTimeoutMillis: sqlIdleMs,
      allowExitOnIdle: true,
    });
    // What is idle may be ended by the other side; the next statement gets another one.
    this.#pool.on('error', () => undefined);
  }

  async run({ text, values }: Statement): Promise<void> {
    try {
      await this.#pool.query(text, [...values]);
    } catch (error) {
      throw sqlError(error);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

/** For a pool, or for one client. */
export function connectionOf({ url, password, roots }: PostgresOptions): pg.ClientConfig {
  const { hostname, port, username, password: given, pathname } = new URL(url);
  const isHere = LOOPBACK.has(hostname);
  return {
    host: hostname.replaceAll(/[[\]]/g, ''),
    port: port === '' ? 5432 : Number(port),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
    password: isHere ? decodeURIComponent(given) : password,
    ssl: isHere ? false : { rejectUnauthorized: true, ...(roots !== undefined && { ca: [...roots] }) },
    connectionTimeoutMillis: sqlConnectMs,
    query_timeout: sqlStatementMs,
    statement_timeout: sqlStatementMs,
    application_name: 'tandem',
  };
}

function sqlError(cause: unknown): Error {
  const { code = '', message = String(cause) } = cause as { code?: string; message?: string };
  if (OF_VALUES.test(code) || OF_TYPES.has(code))
    return new RefusedError(`PostgreSQL takes it not (${code}): ${message}`, { cause });
  if (OF_SCHEMA.has(code))
    return new UnavailableError(
      `the tables are not as they are declared (${code}: ${message}): tandem sql schema shows the difference`,
      { cause },
    );
  // A statement that was sent and not answered; it may be sent again, for the older state changes nothing.
  if (code === '' && /timeout|terminated/i.test(message))
    return new AmbiguousError(`PostgreSQL has not answered: ${message}`, { cause });
  return new UnavailableError(`PostgreSQL: ${message}${code === '' ? '' : ` (${code})`}`, { cause });
}
