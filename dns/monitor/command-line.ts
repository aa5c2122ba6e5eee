/** The command lines of `npm run runbook` and `npm run monitor`. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from '../../scripts/command/usage-error.ts';
import { DEFAULT_STACK } from '../command/local-stack.ts';
import { SETTINGS_HELP } from './settings.ts';

export interface CommonOptions {
  readonly policy: string;
  /** A `stack.json`, or the folder it is in; read when the policy's provider is `local`. */
  readonly stack: string;
  readonly runbooks: string;
  /** Undefined: where the policy's provider decides. */
  readonly incidents?: string;
  readonly json: boolean;
}

export interface RunbookLine extends CommonOptions {
  /** Undefined: list them. */
  readonly name?: string;
  readonly site?: string;
  readonly over: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export interface MonitorLine extends CommonOptions {
  readonly once: boolean;
}

const COMMON_HELP = `  --policy <file>        (dns/policy.yml)
  --stack <file>         with provider: local: what npm start runs          (${DEFAULT_STACK})
  --runbooks <dir>       (dns/runbooks)
  --incidents <dir>      where openIncident writes    (docs/incidents; with provider: local, .tandem/incidents)
  --json                 one JSON object a line
  --help                 show this
`;

export const RUNBOOK_USAGE = `Usage: npm run runbook [-- <name>] [options]

Lists the runbooks, or carries one out on your word instead of its trigger's. The guards are the same: the last healthy
site is never taken out, and one runs at a time.

Options
  --site <site>          which one, where the runbook is for several
  --over                 the way back
  --dry-run              show what would be done, and change nothing
  --yes                  do not ask
${COMMON_HELP}
${SETTINGS_HELP}
Exit status: 0 done, or 1 refused or not all of it was possible, or 2 for a wrong command line.
`;

export const MONITOR_USAGE = `Usage: npm run monitor [-- options]

Looks at every site, and carries out the runbooks whose triggers fire. Several monitors do not get in each other's way.
Prints what changes.

Options
  --once                 until nothing is about to be decided, a minute at most
${COMMON_HELP}
${SETTINGS_HELP}
Exit status: 0, or 1 when the zone could not be read, or 2 for a wrong command line.
`;

const COMMON = {
  policy: { type: 'string', default: 'dns/policy.yml' },
  stack: { type: 'string', default: DEFAULT_STACK },
  runbooks: { type: 'string', default: 'dns/runbooks' },
  incidents: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Undefined: help. @throws UsageError */
export function parseRunbookLine(args: readonly string[]): RunbookLine | undefined {
  const { values, positionals } = parse({
    args: [...args],
    allowPositionals: true,
    options: {
      ...COMMON,
      site: { type: 'string' },
      over: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
    },
  });
  const { help, site, 'dry-run': dryRun, incidents, ...always } = values;
  if (help) return undefined;
  const [name, ...more] = positionals;
  if (more.length > 0) throw new UsageError('one runbook at a time');
  return {
    ...always,
    dryRun,
    ...(incidents !== undefined && { incidents }),
    ...(name !== undefined && { name }),
    ...(site !== undefined && { site }),
  };
}

/** Undefined: help. @throws UsageError */
export function parseMonitorLine(args: readonly string[]): MonitorLine | undefined {
  const { values } = parse({
    args: [...args],
    options: { ...COMMON, once: { type: 'boolean', default: false } },
  });
  const { help, incidents, ...line } = values;
  return help ? undefined : { ...line, ...(incidents !== undefined && { incidents }) };
}

function parse<T extends ParseArgsConfig>(config: T) {
  try {
    return parseArgs<T>(config);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
