/** `tandem sql`: the tables that a site keeps in PostgreSQL: made, filled, and held to the records (docs/sql.md). */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { OperatorApi } from '@tandem-clouds/operator/operator-api';
import { findSite, namedTargets, type Target } from '@tandem-clouds/operator/targets';
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Json } from '@tandem-clouds/replication/json';
import { connectionOf } from '../../src/shared/adapters/sql/postgres.ts';
import { type Entity, policyOf } from '../../src/shared/domain/entity.ts';
import { FOUND_COLUMNS, type FoundColumn, planOf } from '../../src/shared/domain/sql/migration.ts';
import { SQL } from '../../src/shared/domain/sql/project.ts';
import {
  CHANGED_AT,
  type Column,
  DELETED,
  PROJECTED_AT,
  quoted,
  schemaOf,
  type Table,
  tableOf,
} from '../../src/shared/domain/sql/tables.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import type { CommonOptions } from './options.ts';
import { ShopApi } from './shop-api.ts';

export interface SqlOptions extends CommonOptions {
  readonly action: 'schema' | 'backfill' | 'verify';
  readonly url: string | undefined;
  readonly at: string | undefined;
  /** Of `schema`: does it; otherwise only says what would be done. */
  readonly apply: boolean;
}

const SCOPES = 'tandem/read tandem/any-owner shop/orders shop/notifications';
/** What has just been written is in its row within seconds; a difference is one that stays. */
const LOOKS = 6;
const LOOK_AGAIN_MS = 5_000;
/** Of what is printed. */
const DIFFERENCES_MAX = 50;

const TABLES = entities.map((entity) => ({ entity, table: tableOf(entity) }));

/** Returns the exit status. @throws CommandError naming what does not answer */
export async function sql(options: SqlOptions, context: CommandContext): Promise<number> {
  const targets =
    options.at === undefined ? await namedTargets(options) : [await findSite(options, options.at)];
  let worst = 0;
  for (const target of targets) {
    const status =
      options.action === 'backfill'
        ? await backfill(target, options, context)
        : await withDatabase(options, (client) =>
            options.action === 'schema'
              ? migrate(client, siteOf(target), options, context)
              : verify(client, target, options, context),
          );
    worst = Math.max(worst, status);
  }
  return worst;
}

function siteOf({ site, url }: Target): string {
  if (site === undefined) throw new CommandError(`${url} does not say which site it is`);
  return site;
}

async function withDatabase(
  options: SqlOptions,
  work: (client: pg.Client) => Promise<number>,
): Promise<number> {
  const url = options.url ?? process.env['TANDEM_SQL_URL'];
  if (url === undefined)
    throw new CommandError('--url: which database? postgres://user@host:5432/database, or TANDEM_SQL_URL');
  const client = new pg.Client({
    ...connectionOf({ url, password: () => Promise.resolve(process.env['PGPASSWORD'] ?? '') }),
    // A table of millions takes longer than one row.
    query_timeout: 0,
    statement_timeout: 0,
  });
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    if (error instanceof CommandError || !(error instanceof Error)) throw error;
    throw new CommandError(`the database: ${error.message}`, { cause: error });
  } finally {
    await client.end();
  }
}

async function planFor(client: pg.Client, site: string) {
  const schema = schemaOf(site);
  const { rows } = await client.query<FoundColumn>(FOUND_COLUMNS, [schema]);
  return planOf(
    schema,
    TABLES.map(({ table }) => table),
    rows,
  );
}

/** All or nothing: PostgreSQL has its definitions in transactions. */
async function migrate(
  client: pg.Client,
  site: string,
  { apply, json }: SqlOptions,
  { out }: CommandContext,
): Promise<number> {
  const { statements, problems } = await planFor(client, site);
  if (apply) {
    await client.query('BEGIN');
    try {
      for (const statement of statements) await client.query(statement);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
  }
  if (json) out(`${JSON.stringify({ site, applied: apply, statements, problems })}\n`);
  else {
    for (const statement of statements) out(`${statement};\n`);
    for (const problem of problems) out(`${problem}\n`);
    const number = statements.length;
    out(
      `${site}: ${number === 0 ? 'the tables are as they are declared' : `${number} statements${apply ? ', done' : '; --apply does them'}`}${problems.length > 0 ? `, ${problems.length} for a person` : ''}.\n`,
    );
  }
  return problems.length > 0 || (!apply && statements.length > 0) ? 1 : 0;
}

/** Sets the reaction on every record that lacks it, while the site goes on: a row is never older for it. */
async function backfill(target: Target, { json }: SqlOptions, context: CommandContext): Promise<number> {
  const api = new OperatorApi(target);
  const unusable: string[] = [];
  let [set, scanned] = [0, 0];
  for (const { entity } of TABLES) {
    let cursor: string | undefined;
    do {
      const part = await api.scanReactions({
        ...{ entity: entity.name, reaction: SQL },
        ...(cursor !== undefined && { cursor }),
      });
      set += part.set;
      scanned += part.scanned;
      unusable.push(...part.unusable);
      cursor = part.next;
    } while (cursor !== undefined);
    if (!json) context.err(`${entity.name}: ${set} rows to write so far\n`);
  }
  const site = target.site ?? target.url;
  context.out(
    json
      ? `${JSON.stringify({ site, scanned, set, unusable })}\n`
      : `${site} writes ${set} rows.${unusable.length > 0 ? ` Not usable: ${unusable.join(', ')}.` : ''}\n`,
  );
  return unusable.length === 0 ? 0 : 1;
}

interface Compared {
  readonly records: number;
  readonly differences: readonly string[];
}

async function verify(
  client: pg.Client,
  target: Target,
  options: SqlOptions,
  context: CommandContext,
): Promise<number> {
  const site = siteOf(target);
  const api = await ShopApi.open(target, { options, scope: SCOPES, context });
  const { statements, problems } = await planFor(client, site);
  const ofSchema = [...statements.map((statement) => `the tables lack: ${statement}`), ...problems];
  // Without its tables and columns nothing else can be asked.
  const compared = await (statements.length > 0
    ? Promise.resolve({ records: 0, differences: [] })
    : untilEqual(client, api, site, context));
  const differences = [...ofSchema, ...compared.differences];
  const lag = statements.length > 0 ? undefined : await lagOf(client, site);
  const { out } = context;
  if (options.json) out(`${JSON.stringify({ site, records: compared.records, differences, lag })}\n`);
  else {
    for (const difference of differences.slice(0, DIFFERENCES_MAX)) out(`${difference}\n`);
    if (differences.length > DIFFERENCES_MAX) out(`and ${differences.length - DIFFERENCES_MAX} more\n`);
    const late =
      lag === undefined
        ? ''
        : ` Rows of the last hour were behind by ${lag.p50} ms (half), ${lag.p99} ms (99 %).`;
    out(
      `${site}: ${compared.records} records compared, ${differences.length === 0 ? 'no difference' : `${differences.length} differences`}.${late}\n`,
    );
  }
  return differences.length === 0 ? 0 : 1;
}

async function untilEqual(
  client: pg.Client,
  api: ShopApi,
  site: string,
  { err, signal }: CommandContext,
): Promise<Compared> {
  let found = await compareAll(client, api, site);
  for (let look = 1; look < LOOKS && found.differences.length > 0; look += 1) {
    err(`${found.differences.length} differences; looking again, for what has just been written\n`);
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
    found = await compareAll(client, api, site);
  }
  return found;
}

async function compareAll(client: pg.Client, api: ShopApi, site: string): Promise<Compared> {
  const differences: string[] = [];
  let records = 0;
  for (const { entity, table } of TABLES) {
    // Records of a tenant are listed for that tenant alone.
    if (entity.access.tenant !== undefined) continue;
    const seen = new Set<string>();
    for await (const items of api.pages(`/${entity.collection}`)) {
      for (const item of items) seen.add(String(item[entity.idField]));
      differences.push(...(await comparePage(client, site, { entity, table }, items)));
    }
    records += seen.size;
    differences.push(...(await rowsBeyond(client, site, { entity, table }, seen)));
  }
  return { records, differences };
}

interface Tabled {
  readonly entity: Entity;
  readonly table: Table;
}
type Values = Readonly<Record<string, unknown>>;

const nameOf = (site: string, { name }: Table): string => `${quoted(schemaOf(site))}.${quoted(name)}`;
const idColumn = ({ columns }: Table): string => columns.find(({ field }) => field === 'id')?.name ?? '';

async function comparePage(
  client: pg.Client,
  site: string,
  { entity, table }: Tabled,
  items: readonly Values[],
): Promise<string[]> {
  const id = idColumn(table);
  const { rows } = await client.query<Values>(
    `SELECT * FROM ${nameOf(site, table)} WHERE ${quoted(id)} = ANY($1) AND NOT ${quoted(DELETED)}`,
    [items.map((item) => item[entity.idField])],
  );
  const byId = new Map(rows.map((row) => [row[id], row]));
  return items.flatMap((item) => {
    const name = `${table.name} ${String(item[entity.idField])}`;
    const row = byId.get(item[entity.idField]);
    if (row === undefined) return [`${name}: the record has no row`];
    return table.columns.flatMap((column) => {
      const { field } = column;
      // What a caller is not shown cannot be compared from outside.
      if (field === undefined || field === 'id' || !(field in item)) return [];
      const [held, written] = [shown(entity, column, item[field]), shown(entity, column, row[column.name])];
      return held === written ? [] : [`${name}, ${column.name}: the record has ${held}, its row ${written}`];
    });
  });
}

/** One text for one value, however the API and the client of PostgreSQL show it. */
function shown(entity: Entity, { type, field = '' }: Column, value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  const scalar = (one: unknown): Json => {
    if (type.startsWith('bigint')) return Number(one);
    if (type.startsWith('timestamp')) return new Date(one as string | Date).toISOString();
    return one as Json;
  };
  if (!Array.isArray(value) || type === 'jsonb') return canonicalJson(scalar(value));
  const all = value.map((one) => canonicalJson(scalar(one)));
  return `[${(policyOf(entity, field) === 'set' ? all.sort() : all).join(',')}]`;
}

/** Rows of which there is no record. */
async function rowsBeyond(
  client: pg.Client,
  site: string,
  { table }: Tabled,
  seen: ReadonlySet<string>,
): Promise<string[]> {
  const id = idColumn(table);
  const { rows } = await client.query<{ id: string }>(
    `SELECT ${quoted(id)} AS id FROM ${nameOf(site, table)} WHERE NOT ${quoted(DELETED)}`,
  );
  return rows
    .filter((row) => !seen.has(row.id))
    .map((row) => `${table.name} ${row.id}: the row has no record`);
}

/** From the change at whichever site to the row here, by both clocks; undefined: no row was written in the last hour. */
async function lagOf(
  client: pg.Client,
  site: string,
): Promise<{ readonly rows: number; readonly p50: number; readonly p99: number } | undefined> {
  const late = `extract(epoch FROM ${quoted(PROJECTED_AT)} - ${quoted(CHANGED_AT)}) * 1000`;
  const recent = TABLES.map(
    ({ table }) =>
      `SELECT ${late} AS late FROM ${nameOf(site, table)} WHERE ${quoted(PROJECTED_AT)} > now() - interval '1 hour'`,
  );
  const { rows } = await client.query<{ rows: string; p50: number | null; p99: number | null }>(
    `SELECT count(*) AS rows, percentile_cont(0.5) WITHIN GROUP (ORDER BY late) AS p50,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY late) AS p99 FROM (${recent.join(' UNION ALL ')}) AS all_rows`,
  );
  const [found] = rows;
  if (found === undefined || found.p50 === null || found.p99 === null) return undefined;
  return { rows: Number(found.rows), p50: Math.round(found.p50), p99: Math.round(found.p99) };
}
