/** The command line of `npm run tandem`. */
import { parseArgs } from 'node:util';
import { readWhole } from '../command/numbers.ts';
import { UsageError } from '../command/usage-error.ts';

/** Whom a command asks, and how it answers. */
export interface CommonOptions {
  /** A `stack.json`, or the folder it is in; used when no site is named. */
  readonly stack: string;
  /** Base URLs of sites; empty: those of the stack. */
  readonly sites: readonly string[];
  readonly json: boolean;
}

export interface StatusOptions extends CommonOptions {
  readonly command: 'status';
  readonly watch: boolean;
  /** Names the keys at risk. */
  readonly keys: boolean;
}

export interface PauseOptions extends CommonOptions {
  readonly command: 'pause' | 'resume';
  /** Ids of the site that sends and of the one that it sends to. */
  readonly from: string;
  readonly to: string;
}

export interface DeadLetterOptions extends CommonOptions {
  readonly command: 'dlq';
  readonly action: 'list' | 'show' | 'replay' | 'discard';
  /** The site whose dead letters are meant; every one of them for a list, when it is not named. */
  readonly at: string | undefined;
  readonly ids: readonly string[];
  readonly source: string | undefined;
  readonly reason: string | undefined;
  readonly all: boolean;
  readonly dryRun: boolean;
  /** Letters a second. */
  readonly rate: number;
  /** A file with the event that goes back in place of the letter's body. */
  readonly edit: string | undefined;
}

export interface CompareOptions extends CommonOptions {
  readonly command: 'compare' | 'repair' | 'backfill';
  /** Ids of the site that begins, and of the one that it is compared with. */
  readonly from: string;
  readonly to: string;
}

export interface ConflictOptions extends CommonOptions {
  readonly command: 'conflicts';
  readonly action: 'list' | 'show' | 'override';
  /** Whose log is read; any site's will do when it is not named. */
  readonly at: string | undefined;
  readonly ids: readonly string[];
  readonly limit: number;
  /** JSON text of what to write in place of the value that lost. */
  readonly value: string | undefined;
  readonly note: string | undefined;
}

export interface TokenOptions extends CommonOptions {
  readonly command: 'token';
  readonly scope: string | undefined;
}

export type CommandLine =
  | TokenOptions
  | StatusOptions
  | PauseOptions
  | DeadLetterOptions
  | CompareOptions
  | ConflictOptions
  | { readonly command: 'help' };

const DEFAULT_STACK = '.tandem/stack.json';
const DEFAULT_RATE = 50;
const DEFAULT_LIMIT = 20;
const LIMIT_MAX = 100;

export const USAGE = `Usage: npm run tandem -- <command> [options]

Commands
  status                        per direction: up to when everything is safe at the other site, and what is not
  pause <from> <to>             send nothing more from one site to another; what it lacks is kept and shown
  resume <from> <to>            send again, and at once what has gathered
  compare <site> <site>         whether the two hold the same, and what differs; changes nothing
  repair <site> <site>          the same, and sends what either lacks, until a comparison finds nothing
  backfill <from> <to>          fills a new or rebuilt site from another one
  conflicts list                writes that lost against one that had not seen them, newest first
  conflicts show <id>           one of them, with both versions
  conflicts override <id>       write the value that lost, or another one
  dlq list                      why messages were set aside, at every site or at one
  dlq show <id>                 one of them with its body
  dlq replay [<id> …]           send them back to the queues that they came from
  dlq discard [<id> …]          remove them for good
  token                         a token of a stack that was started with --protected

Options
  --stack <file>                the stack that runs on this machine           (${DEFAULT_STACK})
  --site <url>                  a deployed site instead; may be repeated, name them all
  --json                        one JSON object a line
  --scope <scopes>              of token: 'tandem/read tandem/write' unless told otherwise
  --watch                       of status: again every second, until Ctrl-C
  --keys                        of status: names the keys at risk in each direction, what a site cannot
                                read or write, and (without --watch) what its dead letters are about
  --help                        show this

Options of dlq
  --at <site>                   whose dead letters; needed unless there is one site only, or for a list
  --source <queue>              those that came from tandem-in, or from tandem-out
  --reason <reason>             those with this reason
  --all                         all of them
  --dry-run                     count, and touch nothing
  --rate <n>                    at most so many a second                       (${DEFAULT_RATE})
  --edit <file>                 of replay, with one id: the event in this file goes back instead

Options of conflicts
  --at <site>                   whose log; any site's will do
  --limit <n>                   of list: at most so many                      (${DEFAULT_LIMIT})
  --value <json>                of override: this in place of the value that lost
  --note <text>                 of override: why, for the log

The key of an operator is that of the stack, or for deployed sites in the variable TANDEM_OPERATOR_KEY.
Exit status: 0, or 1 when something did not answer or could not be done, or 2 for a wrong command line.
`;

const OPTIONS = {
  stack: { type: 'string' },
  site: { type: 'string', multiple: true, default: [] as string[] },
  json: { type: 'boolean', default: false },
  scope: { type: 'string' },
  watch: { type: 'boolean', default: false },
  keys: { type: 'boolean', default: false },
  at: { type: 'string' },
  source: { type: 'string' },
  reason: { type: 'string' },
  all: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  rate: { type: 'string', default: String(DEFAULT_RATE) },
  edit: { type: 'string' },
  limit: { type: 'string', default: String(DEFAULT_LIMIT) },
  value: { type: 'string' },
  note: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Command → what it can do. */
const ACTIONS: Readonly<Record<string, string>> = {
  dlq: 'list, show, replay or discard',
  conflicts: 'list, show or override',
};

const COMMON = ['stack', 'site', 'json'];
/** Command → the options that it takes beside the common ones. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  status: ['watch', 'keys'],
  token: ['scope'],
  pause: [],
  resume: [],
  compare: [],
  repair: [],
  backfill: [],
  'conflicts list': ['at', 'limit'],
  'conflicts show': ['at'],
  'conflicts override': ['at', 'value', 'note'],
  'dlq list': ['at'],
  'dlq show': ['at'],
  'dlq replay': ['at', 'source', 'reason', 'all', 'dry-run', 'rate', 'edit'],
  'dlq discard': ['at', 'source', 'reason', 'all', 'dry-run', 'rate'],
};

/** @throws UsageError naming what is unknown, missing or wrong. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals, tokens } = parse(args);
  if (values.help) return { command: 'help' };
  const [command, ...rest] = positionals;
  if (command === undefined) throw new UsageError('a command is needed');
  const actions = Object.hasOwn(ACTIONS, command) ? ACTIONS[command] : undefined;
  if (actions !== undefined && rest[0] === undefined) throw new UsageError(`${command} needs ${actions}`);
  const name = actions === undefined ? command : `${command} ${rest.shift() ?? ''}`;
  const takes = Object.hasOwn(TAKES, name) ? TAKES[name] : undefined;
  if (takes === undefined) throw new UsageError(`'${name}' is not a command`);
  for (const token of tokens) {
    if (token.kind !== 'option' || [...COMMON, ...takes].includes(token.name)) continue;
    throw new UsageError(`${name} takes no option --${token.name}`);
  }
  const { stack, site: sites, json, watch, keys } = values;
  if (stack !== undefined && sites.length > 0) throw new UsageError('--stack and --site exclude each other');
  if (stack === '') throw new UsageError('--stack: a file is needed');
  for (const url of sites) if (!isWebUrl(url)) throw new UsageError(`--site: '${url}' is not an http(s) URL`);
  const common = { stack: stack ?? DEFAULT_STACK, sites: [...new Set(sites)], json };
  switch (command) {
    case 'status':
    case 'token':
      if (rest.length > 0) throw new UsageError(`${command} takes no argument '${rest.join(' ')}'`);
      return command === 'status'
        ? { command, ...common, watch, keys }
        : { command, ...common, scope: values.scope };
    case 'pause':
    case 'resume':
    case 'compare':
    case 'repair':
    case 'backfill':
      return { command, ...common, ...direction(command, rest) };
    case 'conflicts':
      return { command, ...common, ...conflict(name, rest, values) };
    default:
      return { command: 'dlq', ...common, ...letters(name, rest, values) };
  }
}

function direction(command: string, [from, to, ...more]: readonly string[]): { from: string; to: string } {
  if (from === undefined || to === undefined || more.length > 0) {
    const roles = isComparison(command) ? '' : ': the one that sends, and the one that it sends to';
    throw new UsageError(`${command} takes two sites${roles}`);
  }
  return { from, to };
}

function isComparison(command: string): boolean {
  return command === 'compare' || command === 'repair';
}

function conflict(
  name: string,
  ids: readonly string[],
  { at, limit, value, note }: ReturnType<typeof parse>['values'],
): Omit<ConflictOptions, 'command' | keyof CommonOptions> {
  const action = name.slice('conflicts '.length) as ConflictOptions['action'];
  const size = readWhole(limit, { name: '--limit', min: 1, max: LIMIT_MAX });
  if (ids.length !== (action === 'list' ? 0 : 1))
    throw new UsageError(
      action === 'list' ? `${name} takes no argument '${ids.join(' ')}'` : `${name} takes one id`,
    );
  if (value !== undefined && !isJson(value))
    throw new UsageError('--value: JSON is needed; text is in quotes');
  return { action, at, ids, limit: size, value, note };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function letters(
  name: string,
  ids: readonly string[],
  values: ReturnType<typeof parse>['values'],
): Omit<DeadLetterOptions, 'command' | keyof CommonOptions> {
  const action = name.slice('dlq '.length) as DeadLetterOptions['action'];
  const { at, source, reason, all, edit, 'dry-run': dryRun } = values;
  const rate = readWhole(values.rate, { name: '--rate', min: 1 });
  if (action === 'list' && ids.length > 0)
    throw new UsageError(`dlq list takes no argument '${ids.join(' ')}'`);
  if (action === 'show' && ids.length !== 1)
    throw new UsageError('dlq show takes one id; dlq list names some');
  const chosen = ids.length > 0 || source !== undefined || reason !== undefined || all;
  if ((action === 'replay' || action === 'discard') && !chosen) {
    throw new UsageError(`dlq ${action}: name letters by id, --source or --reason, or say --all`);
  }
  if (edit !== undefined && ids.length !== 1)
    throw new UsageError('--edit: name the one letter that it is for');
  return { action, at, ids, source, reason, all, dryRun, rate, edit };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: OPTIONS,
      strict: true,
      allowPositionals: true,
      tokens: true,
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
