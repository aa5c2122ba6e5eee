/** Commands about the tables that sites keep in PostgreSQL. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { file, flag, many, text, url } from '@tandem-clouds/command-line/option';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import type { SqlOptions } from '../operate/sql.ts';

const DEFAULT_STACK = '.tandem/stack.json';

const WHERE = {
  at: text('one site, by its id; all of them unless it is said', { placeholder: 'site' }),
  stack: file('the stack that runs on this machine, or its folder', { fallback: DEFAULT_STACK }),
  site: many(url('a deployed site instead; name all of them', {})),
  json: flag('one JSON object a site'),
};
const DATABASE = {
  url: text(
    'postgres://user@host:5432/database; TANDEM_SQL_URL unless it is said, its password in PGPASSWORD',
    {
      placeholder: 'database',
    },
  ),
};

interface Input {
  readonly at: string | undefined;
  readonly stack: string | undefined;
  readonly site: readonly string[];
  readonly json: boolean;
  readonly url?: string | undefined;
  readonly apply?: boolean;
}

function check({ stack, site, url: database }: Input): void {
  if (stack !== undefined && site.length > 0) throw new UsageError('--stack and --site exclude each other');
  if (database !== undefined && !/^postgres(ql)?:$/.test(URL.parse(database)?.protocol ?? ''))
    throw new UsageError(`--url: '${database}' is no postgres://user@host:5432/database`);
}

async function run(
  action: SqlOptions['action'],
  { at, stack = DEFAULT_STACK, site, json, url: database, apply = false }: Input,
  context: CommandContext,
): Promise<number> {
  const { sql: runSql } = await import('../operate/sql.ts');
  return runSql({ action, at, stack, sites: site, json, url: database, apply }, context);
}

export const sql: Group<CommandContext> = {
  name: 'sql',
  summary: 'tables of all records in PostgreSQL: make them, fill them, hold them to the records',
  commands: [
    command({
      name: 'sql schema',
      summary: 'what the tables lack of the declarations, as statements; --apply does them, all or nothing',
      details:
        'Drops nothing: a column that no field has, and a type that not every value can become, are named. Exit status 1: there is something to do.',
      options: { apply: flag('do it'), ...DATABASE, ...WHERE },
      examples: [
        { line: 'sql schema', shows: 'what would be done, at all sites' },
        { line: 'sql schema --apply --at aws-us-east-1', shows: 'doing it at one' },
      ],
      check,
      run: (input, context: CommandContext) => run('schema', input, context),
    }),
    command({
      name: 'sql backfill',
      summary: 'have every record’s row written that was not, while the site goes on',
      details:
        'The key of an operator is that of the stack, or for deployed sites in the variable TANDEM_OPERATOR_KEY.',
      options: WHERE,
      examples: [{ line: 'sql backfill --at azure-eastus', shows: 'after the tables were made' }],
      check,
      run: (input, context: CommandContext) => run('backfill', input, context),
    }),
    command({
      name: 'sql verify',
      summary:
        'compare every record that can be listed with its row, and name each difference; how late rows are',
      details:
        'Also names what somebody has changed in the tables. Exit status 1: there is a difference. Deployed sites take TANDEM_TOKEN, with the scopes tandem/read and tandem/any-owner.',
      options: { ...DATABASE, ...WHERE },
      examples: [{ line: 'sql verify', shows: 'all sites' }],
      check,
      run: (input, context: CommandContext) => run('verify', input, context),
    }),
  ],
};
