/** The command line of `npm run rollout`. */
import { parseArgs } from 'node:util';
import { readWhole } from '../command/numbers.ts';
import { UsageError } from '../command/usage-error.ts';
import type { Cloud } from '../local/stack/sites.ts';
import type { Target } from './connect.ts';

export const USAGE = `Usage: npm run rollout -- [options]

Brings a release to every cloud, one after the other: drain through dns, deploy, verify, return. What fails is rolled
back, and the rollout ends there.

  --release <version>    of .artifacts/releases                     (the latest that npm run package made)
  --dry-run              print the steps and do nothing
  --only aws|azure       this cloud only
  --policy <file>        names the sites                            (dns/policy.yml)
  --aws=<argument>       for sls deploy on AWS; may be repeated, as is --azure: --aws=--stage=test
  --azure=<argument>
  --dir <folder>         of the stack, for a policy with provider: local, such as dns/local.policy.yml   (.tandem)

  --local                on a stack of its own with clients that find it by DNS; judged: no failed request, no lost write
  --clients <n>          of --local                                 (24)
  --seed <n>             of --local                                 (1)
  --bad aws|azure        of --local: the new release fails on this cloud, and must be rolled back
  --help                 show this

SIGINT ends it in order: before a deployment the cloud gets its traffic back, after it the cloud stays drained.
Timeline: .tandem/rollout/<time>-rollout.json. Exit status: 0, 1 refused, rolled back or interrupted, 2 wrong command line.
`;

export interface RolloutLine extends Target {
  readonly release: string | undefined;
  readonly dryRun: boolean;
  readonly only: Cloud | undefined;
  readonly local: boolean;
  readonly clients: number;
  readonly seed: number;
  readonly bad: Cloud | undefined;
}

const list = { type: 'string', multiple: true, default: [] as string[] } as const;

/** Of every command that deploys. */
export const TARGET_OPTIONS = {
  policy: { type: 'string' },
  dir: { type: 'string', default: '.tandem' },
  aws: list,
  azure: list,
} as const;

/** Undefined: help. @throws UsageError, or parseArgs' TypeError, naming what is wrong. */
export function parseCommandLine(args: readonly string[]): RolloutLine | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...TARGET_OPTIONS,
      release: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      only: { type: 'string' },
      local: { type: 'boolean', default: false },
      clients: { type: 'string', default: '24' },
      seed: { type: 'string', default: '1' },
      bad: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { dir, aws, azure, release, local } = values;
  if (values.bad !== undefined && !local) throw new UsageError('--bad is for --local');
  return {
    policy: values.policy ?? policyFor(local),
    dir,
    args: { aws, azure },
    release,
    local,
    dryRun: values['dry-run'],
    only: values.only === undefined ? undefined : cloudOf('--only', values.only),
    bad: values.bad === undefined ? undefined : cloudOf('--bad', values.bad),
    clients: readWhole(values.clients, { name: '--clients', min: 1 }),
    seed: readWhole(values.seed, { name: '--seed', min: 0 }),
  };
}

export function policyFor(local: boolean): string {
  return local ? 'dns/local.policy.yml' : 'dns/policy.yml';
}

/** @throws UsageError */
export function cloudOf(name: string, text: string): Cloud {
  if (text === 'aws' || text === 'azure') return text;
  throw new UsageError(`${name}: '${text}' is neither aws nor azure`);
}
