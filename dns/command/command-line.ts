/** The command line of `npm run dns`. */
import { parseArgs } from 'node:util';
import { readWhole } from '../../scripts/command/numbers.ts';
import { UsageError } from '../../scripts/command/usage-error.ts';
import { DEFAULT_STACK } from './local-stack.ts';

const COMMANDS = ['plan', 'apply', 'status', 'dump', 'shift', 'drain', 'failover', 'restore'] as const;

export type CommandName = (typeof COMMANDS)[number];

export interface CommandLine {
  readonly command: CommandName;
  readonly policy: string;
  /** A `stack.json`, or the folder it is in; read when the policy's provider is `local`. */
  readonly stack: string;
  readonly json: boolean;
  readonly force: boolean;
  readonly yes: boolean;
  readonly now: boolean;
  /** Where `plan` writes itself. */
  readonly out?: string;
  /** The plan that `apply` may perform, and no other: a file, or its hash. */
  readonly plan?: string;
  readonly hash?: string;
  readonly timeline?: string;
  readonly site?: string;
  readonly percent?: number;
}

export const USAGE = `Usage: npm run dns -- <command> [options]

Commands
  plan                   what would change, and the hash of it
  apply                  change it: after a yes, or exactly --plan, or exactly --hash
  status                 where traffic stands, what is healthy, who holds the lock
  dump                   the live zone as a policy; what no policy can say is named in it, and is never touched
  shift <site> <percent> move traffic to this share of a site, in gated steps
  drain <site>           move all traffic away from a site, in gated steps
  failover <site>        take a lost site out at once
  restore                back to the policy, in gated steps, or at once with --now

Options
  --policy <file>        (dns/policy.yml)
  --stack <file>         with provider: local: what npm start runs          (${DEFAULT_STACK})
  --json                 for programs
  --out <file>           plan: write the plan
  --plan <file>          apply: the plan that was written, refused when anything changed in between
  --hash <hash>          apply: the plan that was shown
  --yes                  apply: do not ask
  --force                apply: change more than the policy allows at once; failover: although the zone differs from
                         the policy; a change that leaves nobody healthy is refused all the same
  --now                  restore: in one step, without gates
  --timeline <file>      shift, drain, failover, restore: what happened     (.tandem/traffic/<time>-<command>.json)
  --help                 show this

NO_COLOR is respected. Credentials: those of the AWS SDK for Route 53, CLOUDFLARE_API_TOKEN for Cloudflare.
The stack of npm start: --policy dns/local.policy.yml, whatever its sites and ports are. TANDEM_DNS_CONTROL names the
control interface of another DNS server of ours.
Exit status: 0 done, or 1 refused, failed or returned, or 2 for a wrong command line.
`;

const OPTIONS = {
  policy: { type: 'string', default: 'dns/policy.yml' },
  stack: { type: 'string', default: DEFAULT_STACK },
  json: { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  now: { type: 'boolean', default: false },
  out: { type: 'string' },
  plan: { type: 'string' },
  hash: { type: 'string' },
  timeline: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Which commands an option is for, when not for all. */
const ONLY_FOR: Readonly<Record<string, readonly CommandName[]>> = {
  out: ['plan'],
  plan: ['apply'],
  hash: ['apply'],
  yes: ['apply'],
  force: ['apply', 'failover'],
  now: ['restore'],
  timeline: ['shift', 'drain', 'failover', 'restore'],
};

/** Undefined: help. @throws UsageError naming what is unknown, missing or wrong. */
export function parseCommandLine(args: readonly string[]): CommandLine | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [command, ...rest] = positionals;
  if (command === undefined) throw new UsageError('a command is needed');
  if (!isCommand(command)) throw new UsageError(`'${command}' is not a command`);
  for (const [option, commands] of Object.entries(ONLY_FOR)) {
    const given = values[option as keyof typeof values];
    if (given !== undefined && given !== false && !commands.includes(command)) {
      throw new UsageError(`--${option} is not for ${command}`);
    }
  }
  const { help: _help, out, plan, hash, timeline, ...always } = values;
  return {
    command,
    ...always,
    ...(out !== undefined && { out }),
    ...(plan !== undefined && { plan }),
    ...(hash !== undefined && { hash }),
    ...(timeline !== undefined && { timeline }),
    ...subject(command, rest),
  };
}

function subject(command: CommandName, rest: readonly string[]): Pick<CommandLine, 'percent' | 'site'> {
  const wanted = { shift: 2, drain: 1, failover: 1 } as Partial<Record<CommandName, number>>;
  if (rest.length !== (wanted[command] ?? 0)) {
    throw new UsageError(
      `${command} takes ${command === 'shift' ? 'a site and a percentage' : wanted[command] ? 'one site' : 'no argument'}`,
    );
  }
  const [site, text] = rest;
  if (site === undefined) return {};
  if (command !== 'shift') return { site, percent: 0 };
  return { site, percent: readWhole(text, { name: '<percent>', min: 0, max: 100 }) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function isCommand(text: string): text is CommandName {
  return (COMMANDS as readonly string[]).includes(text);
}
