/** The command line of `npm start`. */
import { parseArgs } from 'node:util';
import { UsageError } from '../../command/usage-error.ts';
import { readDrill, type DrillSettings } from './drill.ts';
import { choosePorts, type Ports } from './ports.ts';
import { DEFAULT_SITES, parseSites, type SiteName } from './sites.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface StackOptions {
  readonly sites: readonly SiteName[];
  /** As asked for: 0 is still 0. One for `issuer` is there when records are for callers with a token only. */
  readonly ports: Ports;
  /** Data, logs and `stack.json`; relative to the current folder, or absolute. */
  readonly dir: string;
  /** Data in memory only. */
  readonly ephemeral: boolean;
  /** Write sample data once everything runs. */
  readonly seed: boolean;
  readonly logLevel: LogLevel;
  /** Everything that the processes write goes to the terminal too. */
  readonly verbose: boolean;
  /** Present when a drill holds the ways between the sites and their clocks in its hand. */
  readonly drill?: DrillSettings;
}

export const USAGE = `Usage: npm start -- [options]

Runs both clouds, the bridge between them, an edge and a DNS server on this machine.

  --sites <list>         two to six of aws-<region>, azure-<region>   (${DEFAULT_SITES})
  --port <name>=<n>      edge, dns, dns.control, issuer, <site> or <site>.<service>, where <service> is
                         dynamodb, sqs, cosmos, service-bus or service-bus-control; 0 picks a free port; all=0 for all of them.
                         May be repeated.
  --dir <folder>         where data, logs and stack.json live          (.tandem)
  --ephemeral            keep data in memory only
  --protected            ask for a token on every route of records, and run an issuer that gives them
  --seed                 write sample users and items when ready; what exists stays
  --log-level <level>    of the functions: ${LOG_LEVELS.join(', ')}           (info)
  --verbose              show everything that the processes write
  --drill <file>         for npm run chaos: links and clocks that it controls, see scripts/local/stack/drill.ts
  --help                 show this

Default ports: edge 8080, DNS 5353 and its control interface 5380, issuer 9400, AWS 3000, Azure 7071, DynamoDB 8000, SQS 9324,
Cosmos DB 8081, Service Bus 5672 and its control interface 5300; one higher for each further site of a cloud.
`;

const OPTIONS = {
  sites: { type: 'string', default: DEFAULT_SITES },
  port: { type: 'string', multiple: true, default: [] as string[] },
  dir: { type: 'string', default: '.tandem' },
  ephemeral: { type: 'boolean', default: false },
  protected: { type: 'boolean', default: false },
  seed: { type: 'boolean', default: false },
  'log-level': { type: 'string', default: 'info' },
  verbose: { type: 'boolean', default: false },
  drill: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/**
 * Reads the arguments; `'help'` when help was asked for.
 * @throws UsageError naming the option that is unknown or has a bad value.
 */
export function parseOptions(args: readonly string[]): StackOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const sites = option('sites', () => parseSites(values.sites));
  const ports = option('port', () => choosePorts(sites, values.port, values.protected));
  const logLevel = LOG_LEVELS.find((level) => level === values['log-level']);
  if (logLevel === undefined) {
    throw new UsageError(`--log-level: '${values['log-level']}' is none of ${LOG_LEVELS.join(', ')}`);
  }
  if (values.dir === '') throw new UsageError('--dir: a folder is needed');
  const { dir, ephemeral, seed, verbose } = values;
  const { drill: file } = values;
  const drill = file === undefined ? undefined : option('drill', () => readDrill(file));
  return {
    sites,
    ports,
    dir,
    ephemeral,
    seed,
    logLevel,
    verbose,
    ...(drill && { drill }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function option<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--${name}: ${error.message}`, { cause: error });
    throw error;
  }
}
