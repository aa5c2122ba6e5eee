/**
 * Tables in PostgreSQL itself: what a stack of its own keeps there of its records, at both sites, while it is written to, while
 * the server is away, and after somebody has changed them. `npm run test:peers -- postgres` says where the server is;
 * TANDEM_SQL_CHANGES is how many changes there are, and .peers/tables.json has how late rows were.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { PEERS } from '@tandem-clouds/testkit/peers/peer';
import { type Cluster, startCluster } from '@tandem-clouds/testkit/peers/postgres';
import type { StoredRecord } from '../../packages/replication/src/record.ts';
import { encodeStamp } from '../../packages/replication/src/stamp.ts';
import { PostgresDatabase } from '../../src/shared/adapters/sql/postgres.ts';
import { planOf } from '../../src/shared/domain/sql/migration.ts';
import { schemaOf, tableOf, upsert } from '../../src/shared/domain/sql/tables.ts';
import { user } from '../../src/shared/entities/user.ts';
import { runCommand } from '../helpers/answering-site.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const bin = process.env['TANDEM_PEER_POSTGRES'];
if (bin === undefined) throw new Error('TANDEM_PEER_POSTGRES is not set; run npm run test:peers');

const START_MS = 240_000;
const CHANGES = Number(process.env['TANDEM_SQL_CHANGES'] ?? 400);
const run = runCommand('sql');

let cluster: Cluster;
let client: pg.Client;
const rowsOf = async (text: string, ...values: unknown[]): Promise<Record<string, unknown>[]> =>
  (await client.query<Record<string, unknown>>(text, values)).rows;

beforeAll(async () => {
  cluster = await startCluster(bin);
  client = new pg.Client(cluster.url);
  await client.connect();
}, START_MS);
afterAll(async () => {
  await client.end();
  await cluster.remove();
}, START_MS);

describe('the statements', () => {
  const table = tableOf(user);
  const AT = 1_800_000_000_000;
  const stateOf = (ms: number, fields: Readonly<Record<string, unknown>>): StoredRecord => {
    const stamp = encodeStamp(AT + ms, 0, 'aws-us-east-1');
    return {
      key: 'user:ada',
      state: {
        fields: Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [name, [stamp, value]]),
        ) as never,
        vector: { 'aws-us-east-1': stamp },
      },
      pending: {},
      operations: [],
    };
  };
  const held = async () => (await rowsOf('SELECT * FROM bare.users WHERE user_id = $1', 'ada'))[0];

  test('keep the newest state in whatever order they come, and let nothing older back after a delete', async () => {
    for (const statement of planOf('bare', [table], []).statements) await client.query(statement);
    const database = new PostgresDatabase({ url: cluster.url, password: () => Promise.resolve('') });
    const write = (ms: number, fields: Readonly<Record<string, unknown>>) =>
      database.run(upsert('bare', user, table, stateOf(ms, fields)));
    try {
      await write(2, { name: 'Ada', metadata: { plan: 'pro' } });
      await write(1, { name: 'older' });
      expect(await held()).toMatchObject({
        name: 'Ada',
        metadata: { plan: 'pro' },
        labels: [],
        _deleted: false,
      });
      await write(4, { $deleted: true });
      await write(3, { name: 'late' });
      expect(await held()).toMatchObject({ name: null, metadata: null, _deleted: true });
      await write(5, { name: 'again' });
      expect(await held()).toMatchObject({ name: 'again', _deleted: false });
      await client.query('ALTER TABLE bare.users ALTER COLUMN name TYPE bigint USING 0');
      await expect(write(6, { name: 'no number' })).rejects.toMatchObject({ name: 'RefusedError' });
      await client.query('ALTER TABLE bare.users DROP COLUMN name');
      await expect(write(7, { name: 'x' })).rejects.toMatchObject({
        name: 'UnavailableError',
        message: expect.stringContaining('tandem sql schema shows the difference'),
      });
    } finally {
      await database.close();
    }
  });
});

describe('a stack that keeps tables', () => {
  let stack: OwnStack;
  let urls: string[];
  const sites = ['aws-us-east-1', 'azure-eastus'];
  const tandem = (action: string, ...args: string[]) =>
    run(action, '--stack', stack.dir, ...(action === 'backfill' ? [] : ['--url', cluster.url]), ...args);

  beforeAll(async () => {
    process.env['TANDEM_SQL_URL'] = cluster.url;
    stack = await startOwnStack('--ephemeral', '--types', 'off');
    urls = stack.describe().sites.map(({ url }) => url);
  }, START_MS);
  afterAll(async () => {
    Reflect.deleteProperty(process.env, 'TANDEM_SQL_URL');
    await stack.stop();
  }, START_MS);

  const put = async (at: number, id: string, fields: object): Promise<void> => {
    const body = JSON.stringify({ userId: id, email: `${id}@example.com`, ...fields });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${urls[at]}/users`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  };
  const change = async (at: number, id: string, fields: object): Promise<number> => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const response = await fetch(`${urls[at]}/users/${id}`, {
      method: 'PATCH',
      headers,
      body: JSON.stringify(fields),
    });
    return response.status;
  };
  const rowAt = async (site: string, id: string) =>
    (await rowsOf(`SELECT * FROM ${schemaOf(site)}.users WHERE user_id = $1`, id))[0];

  test('shows its tables before it makes them', async () => {
    const before = await tandem('schema');
    expect(before.code).toBe(1);
    expect(before.out).toContain('CREATE TABLE "aws_us_east_1"."orders"');
    expect((await tandem('schema', '--apply')).code).toBe(0);
    const after = await tandem('schema');
    expect([after.code, after.out]).toEqual([0, expect.stringContaining('as they are declared')]);
  });

  test(
    'rows equal records after changes at both sites, deletes among them',
    async () => {
      let next = 0;
      const lane = async (at: number): Promise<void> => {
        while (next < CHANGES) {
          const n = next++;
          const id = `u${n % Math.ceil(CHANGES / 5)}`;
          if (n < CHANGES / 5) await put(at, id, { name: `User ${n}`, labels: [`l${n % 3}`] });
          // At either site: it may not have arrived there yet.
          else if (n % 17 === 0) await fetch(`${urls[at]}/users/${id}`, { method: 'DELETE' });
          else await change(at, id, { name: `Changed ${n}`, signIns: { increment: 1 } });
        }
      };
      const beganAt = performance.now();
      await Promise.all([0, 1, 0, 1, 0, 1, 0, 1].map(lane));
      const changedMs = performance.now() - beganAt;
      const { code, out } = await tandem('verify', '--json');
      const found = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(found).toEqual(
        sites.map((site) => expect.objectContaining({ site, differences: [], records: expect.any(Number) })),
      );
      fs.writeFileSync(
        path.join(PEERS, 'tables.json'),
        JSON.stringify({ changes: CHANGES, changedMs, found }),
      );
      expect(code).toBe(0);
    },
    START_MS * 8,
  );

  test(
    'goes on without the server, and its rows come when it is back',
    async () => {
      await client.end();
      await cluster.stop();
      await put(0, 'while-away', { name: 'Written' });
      expect(await change(0, 'while-away', { name: 'Written twice' })).toBe(200);
      await cluster.start();
      client = new pg.Client(cluster.url);
      await client.connect();
      for (const site of sites)
        await waitUntil(
          `the row at ${site}`,
          async () => ((await rowAt(site, 'while-away'))?.['name'] === 'Written twice' ? true : undefined),
          START_MS,
        );
    },
    START_MS * 2,
  );

  test(
    'names what somebody has changed by hand, and writes again what was lost',
    async () => {
      await client.query("UPDATE aws_us_east_1.users SET name = 'by hand' WHERE user_id = 'while-away'");
      await client.query('ALTER TABLE aws_us_east_1.products ALTER COLUMN price_minor TYPE text');
      await client.query('ALTER TABLE aws_us_east_1.products ADD COLUMN note text');
      const { code, out } = await tandem('verify', '--at', 'aws-us-east-1');
      expect(code).toBe(1);
      expect(out).toContain('users while-away, name: the record has "Written twice", its row "by hand"');
      expect(out).toContain('products.price_minor is text, and product says bigint');
      expect(out).toContain('products.note is no field of product');
    },
    START_MS,
  );
});
