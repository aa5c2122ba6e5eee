/** The commands of `npm run tandem -- dns`. */
import { command, type Group } from '@tandem-clouds/command-line/command';
import { file, flag, percent, text } from '@tandem-clouds/command-line/option';
import type { Surroundings } from './command-context.ts';

export type CommandName = 'plan' | 'apply' | 'status' | 'dump' | 'shift' | 'drain' | 'failover' | 'restore';

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
  readonly out?: string | undefined;
  /** The plan that `apply` may perform, and no other: a file, or its hash. */
  readonly plan?: string | undefined;
  readonly hash?: string | undefined;
  readonly timeline?: string | undefined;
  readonly site?: string;
  readonly percent?: number;
}

/** Where the file of a local stack is. */
const DEFAULT_STACK = '.tandem/stack.json';

/** Of every command that reads a policy. */
export const PLACE_OPTIONS = {
  policy: file('says how the zone is answered', { default: 'dns/policy.yml' }),
  stack: file('with provider: local: what npm start runs', { default: DEFAULT_STACK }),
};

const COMMON = { ...PLACE_OPTIONS, json: flag('for programs') };

const NOTE = `Credentials: those of the AWS SDK for Route 53, CLOUDFLARE_API_TOKEN for Cloudflare.
The stack of npm start: --policy dns/local.policy.yml, whatever its sites and ports are. TANDEM_DNS_CONTROL names the
control interface of another DNS server of ours.`;

const SITE = text('as the policy names it', { placeholder: 'site', required: true });
const TIMELINE = file('what happened', { fallback: '.tandem/traffic/<time>-<command>.json' });
const LOCAL = '--policy dns/local.policy.yml';

async function run(
  name: CommandName,
  input: Pick<CommandLine, 'json' | 'policy' | 'stack'> & Partial<CommandLine>,
  around: Surroundings,
): Promise<number> {
  const { dispatch } = await import('./dispatch.ts');
  return dispatch({ force: false, yes: false, now: false, ...input, command: name }, around);
}

export const DNS: Group<Surroundings> = {
  name: 'dns',
  summary: 'who is answered with which site',
  commands: [
    command({
      name: 'dns plan',
      summary: 'what would change, and the hash of it',
      details: NOTE,
      options: { out: file('write the plan', {}), ...COMMON },
      examples: [{ line: `dns plan ${LOCAL}`, shows: 'the zone of the stack of npm start' }],
      run: (input, around: Surroundings) => run('plan', input, around),
    }),
    command({
      name: 'dns apply',
      summary: 'change it: after a yes, or exactly --plan, or exactly --hash',
      details: NOTE,
      options: {
        plan: file('the plan that was written, refused when anything changed in between', {}),
        hash: text('the plan that was shown', { placeholder: 'hash' }),
        yes: flag('do not ask'),
        force: flag('change more than the policy allows at once; never so that nobody healthy is left'),
        ...COMMON,
      },
      examples: [{ line: 'dns apply --plan plan.json', shows: 'what dns plan --out plan.json wrote' }],
      run: (input, around: Surroundings) => run('apply', input, around),
    }),
    command({
      name: 'dns status',
      summary: 'where traffic stands, what is healthy, who holds the lock',
      details: NOTE,
      options: COMMON,
      examples: [{ line: `dns status ${LOCAL}`, shows: 'the zone of the stack of npm start' }],
      run: (input, around: Surroundings) => run('status', input, around),
    }),
    command({
      name: 'dns dump',
      summary: 'the live zone as a policy; what no policy can say is named in it, and is never touched',
      details: NOTE,
      options: COMMON,
      examples: [{ line: 'dns dump', shows: 'what is there, in the words of a policy' }],
      run: (input, around: Surroundings) => run('dump', input, around),
    }),
    command({
      name: 'dns shift',
      summary: 'move traffic to this share of a site, in gated steps',
      details: NOTE,
      args: { site: SITE, percent: percent('its share', { whole: true, required: true }) },
      options: { timeline: TIMELINE, ...COMMON },
      examples: [{ line: `dns shift aws-us-east-1 10 ${LOCAL}`, shows: 'a tenth of the traffic' }],
      run: (input, around: Surroundings) => run('shift', input, around),
    }),
    command({
      name: 'dns drain',
      summary: 'move all traffic away from a site, in gated steps',
      details: NOTE,
      args: { site: SITE },
      options: { timeline: TIMELINE, ...COMMON },
      examples: [{ line: `dns drain aws-us-east-1 ${LOCAL}`, shows: 'before a site is worked on' }],
      run: (input, around: Surroundings) => run('drain', { ...input, percent: 0 }, around),
    }),
    command({
      name: 'dns failover',
      summary: 'take a lost site out at once',
      details: NOTE,
      args: { site: SITE },
      options: {
        force: flag('although the zone differs from the policy; never so that nobody healthy is left'),
        timeline: TIMELINE,
        ...COMMON,
      },
      examples: [{ line: `dns failover aws-us-east-1 ${LOCAL}`, shows: 'when it answers nobody' }],
      run: (input, around: Surroundings) => run('failover', { ...input, percent: 0 }, around),
    }),
    command({
      name: 'dns restore',
      summary: 'back to the policy, in gated steps, or at once with --now',
      details: NOTE,
      options: { now: flag('in one step, without gates'), timeline: TIMELINE, ...COMMON },
      examples: [{ line: `dns restore ${LOCAL}`, shows: 'after a shift, a drain or a failover' }],
      run: (input, around: Surroundings) => run('restore', input, around),
    }),
  ],
};
