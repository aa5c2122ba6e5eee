/**
 * `bench sql`: rows a second that are made of records and written as a site writes them, against bare upserts of the same rows by
 * `pg`, into a PostgreSQL of its own. It is the writing alone, without reactions and queues: how late rows are over a whole
 * stack is what `tandem sql verify` says.
 *
 * Rounds alternate, so that a slow moment of the machine hits both.
 */
import pg from 'pg';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { postgres, startCluster } from '@tandem-clouds/testkit/peers/postgres';
import { commandLine, figure, type Findings, report } from '@tandem-clouds/testkit/report/report';
import { median } from '@tandem-clouds/testkit/report/statistics';
import { PostgresDatabase } from '../../src/shared/adapters/sql/postgres.ts';
import { sqlConnectionsMax } from '../../src/shared/bounds.ts';
import { planOf } from '../../src/shared/domain/sql/migration.ts';
import { tableOf, upsert } from '../../src/shared/domain/sql/tables.ts';
import { user } from '../../src/shared/entities/user.ts';
import { ROOT } from './service-bundles.ts';

const SITE = 'aws-us-east-1';
const BARE =
  'INSERT INTO bare (id, name, email, metadata, labels, version) VALUES ($1, $2, $3, $4, $5, $6) ' +
  'ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, metadata = excluded.metadata, ' +
  'labels = excluded.labels, version = excluded.version WHERE excluded.version > bare.version';

interface Options {
  readonly rows: number;
  readonly rounds: number;
}

/** One of a thousand users, as it is after the n-th change. */
function recordOf(n: number): StoredRecord {
  const stamp = encodeStamp(1_800_000_000_000 + n, 0, SITE);
  return {
    key: `user:u${n % 1_000}`,
    state: {
      fields: {
        name: [stamp, `User ${n}`],
        email: [stamp, `u${n}@example.com`],
        metadata: [stamp, { plan: 'pro' }],
        createdAt: [stamp, '2026-12-01T00:00:00.000Z'],
      },
      vector: { [SITE]: stamp },
    },
    pending: {},
    operations: [],
  };
}

/** Rows a second, by as many at once as a process has connections. */
async function rate(from: number, rows: number, write: (n: number) => Promise<unknown>): Promise<number> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + rows) await write(next++);
  };
  const beganAt = performance.now();
  await Promise.all(Array.from({ length: sqlConnectionsMax }, lane));
  return (rows * 1_000) / (performance.now() - beganAt);
}

async function measure({ rows, rounds }: Options, progress: (line: string) => void): Promise<Findings> {
  const cluster = await startCluster(postgres.install());
  const pool = new pg.Pool({ connectionString: cluster.url, max: sqlConnectionsMax });
  // A connection that is being closed may still hear that the server ends.
  pool.on('error', () => undefined);
  const database = new PostgresDatabase({ url: cluster.url, password: () => Promise.resolve('') });
  try {
    const table = tableOf(user);
    for (const statement of planOf('own', [table], []).statements) await pool.query(statement);
    await pool.query(
      'CREATE TABLE bare (id text PRIMARY KEY, name text, email text, metadata jsonb, labels text[], version numeric)',
    );
    const ours = (n: number): Promise<void> => database.run(upsert('own', user, table, recordOf(n)));
    const bare = (n: number): Promise<unknown> =>
      pool.query(BARE, [`u${n % 1_000}`, `User ${n}`, `u${n}@example.com`, '{"plan":"pro"}', [], n]);
    const rates = { ours: [] as number[], bare: [] as number[] };
    for (let round = 0; round <= rounds; round += 1) {
      progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
      const found = {
        bare: await rate(round * rows, rows, bare),
        ours: await rate(round * rows, rows, ours),
      };
      if (round === 0) continue;
      rates.ours.push(found.ours);
      rates.bare.push(found.bare);
    }
    return {
      figures: [
        figure('rows of records', median(rates.ours), 'rows/s'),
        figure('bare upserts by pg', median(rates.bare), 'rows/s'),
        figure('rows of records, in bare upserts', median(rates.ours) / median(rates.bare), 'times'),
      ],
      notes: [
        `${rows} upserts a round of a thousand rows, one statement each, ${sqlConnectionsMax} at once; client and server share this machine`,
      ],
    };
  } finally {
    await database.close();
    await pool.end();
    await cluster.remove();
  }
}

/** Returns the exit status. @throws Unavailable where PostgreSQL cannot be had */
export async function benchSql({ json, ...options }: Options & { readonly json: boolean }): Promise<number> {
  return report({ title: 'Rows in PostgreSQL', json, command: commandLine(process.argv, ROOT) }, (progress) =>
    measure(options, progress),
  );
}
