/** The commands of `npm run tandem -- dns`. */
import { command, type Group } from '@tandem-clouds/command-line/command';
import { file, flag, percent, text } from '@tandem-clouds/command-line/option';
import type { CommandContext } from './command-context.ts';
import type { CommandLine, CommandName } from './line.ts';

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
  commandContext: CommandContext,
): Promise<number> {
  const { dispatch } = await import('./dispatch.ts');
  return dispatch({ force: false, yes: false, now: false, ...input, command: name }, commandContext);
}

export const DNS: Group<CommandContext> = {
  name: 'dns',
  summary: 'who is answered with which site',
  commands: [
    command({
      name: 'dns plan',
      summary: 'what would change, and the hash of it',
      details: NOTE,
      options: { out: file('write the plan', {}), ...COMMON },
      examples: [{ line: `dns plan ${LOCAL}`, shows: 'the zone of the stack of npm start' }],
      run: (input, commandContext: CommandContext) => run('plan', input, commandContext),
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
      run: (input, commandContext: CommandContext) => run('apply', input, commandContext),
    }),
    command({
      name: 'dns status',
      summary: 'where traffic stands, what is healthy, who holds the lock',
      details: NOTE,
      options: COMMON,
      examples: [{ line: `dns status ${LOCAL}`, shows: 'the zone of the stack of npm start' }],
      run: (input, commandContext: CommandContext) => run('status', input, commandContext),
    }),
    command({
      name: 'dns dump',
      summary: 'the live zone as a policy; what no policy can say is named in it, and is never touched',
      details: NOTE,
      options: COMMON,
      examples: [{ line: 'dns dump', shows: 'what is there, in the words of a policy' }],
      run: (input, commandContext: CommandContext) => run('dump', input, commandContext),
    }),
    command({
      name: 'dns shift',
      summary: 'move traffic to this share of a site, in gated steps',
      details: NOTE,
      args: { site: SITE, percent: percent('its share', { whole: true, required: true }) },
      options: { timeline: TIMELINE, ...COMMON },
      examples: [{ line: `dns shift aws-us-east-1 10 ${LOCAL}`, shows: 'a tenth of the traffic' }],
      run: (input, commandContext: CommandContext) => run('shift', input, commandContext),
    }),
    command({
      name: 'dns drain',
      summary: 'move all traffic away from a site, in gated steps',
      details: NOTE,
      args: { site: SITE },
      options: { timeline: TIMELINE, ...COMMON },
      examples: [{ line: `dns drain aws-us-east-1 ${LOCAL}`, shows: 'before a site is worked on' }],
      run: (input, commandContext: CommandContext) => run('drain', { ...input, percent: 0 }, commandContext),
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
      run: (input, commandContext: CommandContext) =>
        run('failover', { ...input, percent: 0 }, commandContext),
    }),
    command({
      name: 'dns restore',
      summary: 'back to the policy, in gated steps, or at once with --now',
      details: NOTE,
      options: { now: flag('in one step, without gates'), timeline: TIMELINE, ...COMMON },
      examples: [{ line: `dns restore ${LOCAL}`, shows: 'after a shift, a drain or a failover' }],
      run: (input, commandContext: CommandContext) => run('restore', input, commandContext),
    }),
  ],
};
