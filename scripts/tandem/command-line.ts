/** The command line of `npm run tandem`. */
import { parseArgs } from 'node:util';

export interface StatusOptions {
  readonly command: 'status';
  /** A `stack.json`, or the folder it is in; used when no site is named. */
  readonly stack: string;
  /** Base URLs of sites; empty: those of the stack. */
  readonly sites: readonly string[];
  readonly json: boolean;
  readonly watch: boolean;
}

export type CommandLine = StatusOptions | { readonly command: 'help' };

/** A mistake on the command line; the message names it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const DEFAULT_STACK = '.tandem/stack.json';

export const USAGE = `Usage: npm run tandem -- <command> [options]

Commands
  status                 per direction: up to when everything is safe at the other site, and what is not

Options of status
  --stack <file>         the stack that runs on this machine           (${DEFAULT_STACK})
  --site <url>           a deployed site instead; may be repeated, name them all
  --json                 one JSON object a line
  --watch                again every second, until Ctrl-C
  --help                 show this

Exit status: 0, or 1 when a site did not answer, or 2 for a wrong command line.
`;

const OPTIONS = {
  stack: { type: 'string' },
  site: { type: 'string', multiple: true, default: [] as string[] },
  json: { type: 'boolean', default: false },
  watch: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @throws UsageError naming what is unknown, missing or wrong. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args);
  if (values.help) return { command: 'help' };
  const [command, ...rest] = positionals;
  if (command === undefined) throw new UsageError('a command is needed');
  if (command !== 'status') throw new UsageError(`'${command}' is not a command`);
  if (rest.length > 0) throw new UsageError(`status takes no argument '${rest.join(' ')}'`);
  const { stack, site: sites, json, watch } = values;
  if (stack !== undefined && sites.length > 0) throw new UsageError('--stack and --site exclude each other');
  if (stack === '') throw new UsageError('--stack: a file is needed');
  for (const url of sites) if (!isWebUrl(url)) throw new UsageError(`--site: '${url}' is not an http(s) URL`);
  return { command, stack: stack ?? DEFAULT_STACK, sites: [...new Set(sites)], json, watch };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
