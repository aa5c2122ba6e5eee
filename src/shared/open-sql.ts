/**
 * The composition of the database that a site keeps tables in. A module of its own: a function that does not import it has no
 * client of PostgreSQL in its bundle.
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { entityOf } from '@tandem-clouds/replication/record';
import { sqlRoots, sqlToken } from '#sql';
import { PostgresDatabase } from './adapters/sql/postgres.ts';
import type { Entity } from './domain/entity.ts';
import type { SqlCall } from './domain/sql/project.ts';
import { schemaOf, type Table, tableOf, upsert } from './domain/sql/tables.ts';
import type { SqlDatabase } from './ports/sql.ts';
import type { Runtime } from './runtime.ts';

/** @throws what the database throws, and UnavailableError where this site has none. */
export type Projecting = (call: SqlCall) => Promise<void>;

/** Opened once per process. Nobody is called before there is something to write. */
export function openSql({ config, site }: Runtime, entities: readonly Entity[]): Projecting {
  let database: SqlDatabase | undefined;
  const tables = new Map<string, { entity: Entity; table: Table }>();
  const tableFor = (name: string) => {
    const entity = entities.find((one) => one.name === name);
    if (entity === undefined) throw new TypeError(`no entity ${name} is declared`);
    const known = tables.get(name) ?? { entity, table: tableOf(entity) };
    tables.set(name, known);
    return known;
  };
  return async ({ record }) => {
    const { sqlUrl: url } = config;
    if (url === undefined)
      throw new UnavailableError('this site keeps no tables: set TANDEM_SQL_URL (docs/sql.md)');
    database ??= new PostgresDatabase({ url, password: () => sqlToken(config, url), roots: sqlRoots() });
    const { entity, table } = tableFor(entityOf(record.key));
    await database.run(upsert(schemaOf(site.site), entity, table, record));
  };
}
