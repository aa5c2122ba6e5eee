/** Commands that bring a release to the clouds, back from them, and find out whether it works there. */
import { command, type CommandContext } from '@tandem-clouds/command-line/command';
import { choice, file, flag, folder, many, text, url, whole } from '@tandem-clouds/command-line/option';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import type { Target } from '../rollout/connect.ts';
import { ALLOW_BREAKING } from './schema.ts';

const CLOUDS = ['aws', 'azure'] as const;

/** Of every command that deploys. */
const TARGET = {
  policy: file('names the sites', { fallback: 'dns/policy.yml; with --local dns/local.policy.yml' }),
  aws: many(text('for sls deploy on AWS: --aws=--stage=test', { placeholder: 'argument' })),
  azure: many(text('for sls deploy on Azure', { placeholder: 'argument' })),
  dir: folder('of the stack, for a policy with provider: local', { default: '.tandem' }),
};

interface TargetInput {
  readonly policy: string | undefined;
  readonly aws: readonly string[];
  readonly azure: readonly string[];
  readonly dir: string;
  readonly local: boolean;
}

function targetOf({ policy, local, dir, aws, azure }: TargetInput): Target {
  return {
    policy: policy ?? (local ? 'dns/local.policy.yml' : 'dns/policy.yml'),
    dir,
    args: { aws, azure },
  };
}

export const rollout = command({
  name: 'rollout',
  summary: 'a new release, cloud by cloud; the other cloud serves meanwhile',
  details: `Drain through dns, deploy, verify, return. What fails is rolled back, and the rollout ends there. With --local it runs on a
stack of its own with clients that find it by DNS; judged: no failed request, no lost write.

A release whose declarations break what a site runs is refused before anything is touched, as \`schema check\` says.
SIGINT ends it in order: before a deployment the cloud gets its traffic back, after it the cloud stays drained.
Timeline: .tandem/rollout/<time>-rollout.json.`,
  options: {
    release: text('of .artifacts/releases', { placeholder: 'version', fallback: 'the latest one' }),
    dryRun: flag('print the steps and do nothing'),
    allowBreaking: ALLOW_BREAKING,
    only: choice('this cloud only', CLOUDS, {}),
    local: flag('on a stack of its own'),
    clients: whole('of --local', { min: 1, default: '24' }),
    seed: whole('of --local', { min: 0, default: '1' }),
    bad: choice('of --local: the new release fails on this cloud, and must be rolled back', CLOUDS, {}),
    ...TARGET,
  },
  examples: [
    { line: 'rollout --dry-run', shows: 'the steps' },
    { line: 'rollout --only aws --release 1.4.0', shows: 'one cloud' },
    { line: 'rollout --local --bad azure', shows: 'a release that must be rolled back, on this machine' },
  ],
  check: ({ bad, local }) => {
    if (bad !== undefined && !local) throw new UsageError('--bad is for --local');
  },
  run: async (input) => {
    const module = await import('../rollout.ts');
    return module.rollout({ ...input, ...targetOf(input) });
  },
});

export const rollback = command({
  name: 'rollback',
  summary: 'the release before, at once',
  details:
    'Fails the cloud over, deploys an earlier release of .artifacts/releases, verifies it, and gives the traffic back.',
  args: { cloud: choice('which one', CLOUDS, { required: true }) },
  options: {
    to: text('this release', {
      placeholder: 'version',
      fallback: 'what was made before the release that runs',
    }),
    dryRun: flag('print the steps and do nothing'),
    local: flag('on the stack of npm start'),
    ...TARGET,
  },
  examples: [{ line: 'rollback aws --dry-run', shows: 'the steps' }],
  run: async ({ cloud, to, dryRun, ...target }) => {
    const module = await import('../rollback.ts');
    return module.rollback({ cloud, to, dryRun, target: targetOf(target) });
  },
});

const SITE_URL = url('of the site', { required: true });

export const smoke = command({
  name: 'smoke',
  summary: 'does a site do what it is for',
  details: `Asks a site for its health and region, writes, changes, reads and deletes one record; with --peer the record must reach the
other site, and its end come back. TANDEM_TOKEN is presented as a bearer token.`,
  args: { url: SITE_URL },
  options: {
    peer: url('the other site', {}),
    site: text('the id that it must have', { placeholder: 'site' }),
    release: text('the release that it must run', { placeholder: 'version' }),
    readOnly: flag('write nothing'),
    json: flag('one JSON object'),
  },
  examples: [
    { line: 'smoke http://127.0.0.1:3000 --peer http://127.0.0.1:7071', shows: 'the stack of npm start' },
  ],
  run: async (input, context: CommandContext) => (await import('../smoke.ts')).checkSmoke(input, context),
});

export const firstCheck = command({
  name: 'first-check',
  summary: 'what only an account can tell, before any traffic',
  details: `Asks a site to make one call of each kind that it makes, with its own identity, and says of each that is refused what
right or setting is missing and how to set it. The key of an operator is that of the stack, or in TANDEM_OPERATOR_KEY.`,
  args: {
    site: text('the URL of a deployed site, or the id of one of the stack on this machine', {
      placeholder: 'site',
      required: true,
    }),
  },
  options: {
    stack: file('the stack on this machine', { default: '.tandem/stack.json' }),
    json: flag('one JSON object'),
  },
  examples: [{ line: 'first-check https://a.example', shows: 'a site that was just deployed' }],
  check: ({ site }) => {
    if (/^https?:\/\//.test(site) && !URL.canParse(site))
      throw new UsageError(`<site>: '${site}' is not an http(s) URL`);
  },
  run: async (input, context: CommandContext) =>
    (await import('../first-check.ts')).checkFirst(input, context),
});

export const contract = command({
  name: 'contract',
  summary: 'does a site answer as openapi.yaml says',
  args: { url: SITE_URL },
  options: { json: flag('one JSON object') },
  examples: [{ line: 'contract http://127.0.0.1:3000', shows: 'a site of the stack of npm start' }],
  run: async (input, context: CommandContext) =>
    (await import('../contract.ts')).checkContract(input, context),
});

export const rehearse = command({
  name: 'rehearse',
  summary: 'deploy, update, roll back, remove, and every way to fail, without an account',
  details: 'AWS against moto, which is installed into .peers/ on demand; Azure against an emulator of ours.',
  options: { only: choice('this cloud only', CLOUDS, { fallback: 'both' }) },
  examples: [{ line: 'rehearse --only azure', shows: 'one cloud' }],
  run: async (input) => (await import('../rehearse.ts')).rehearse(input),
});

export const packages = command({
  name: 'package',
  summary: 'both artefacts, kept as a release in .artifacts/releases',
  details: 'TANDEM_VERSION names the release; otherwise the commit does.',
  options: {
    aws: many(text("for AWS's packaging: --aws=--param=features.cdn=true", { placeholder: 'argument' })),
    azure: many(text("for Azure's packaging", { placeholder: 'argument' })),
  },
  examples: [{ line: 'package', shows: '.artifacts/aws and .artifacts/azure' }],
  run: async (input) => {
    // An entity whose function was never generated would be missing without a word.
    const { generate } = await import('../generate/generate.ts');
    const status = await generate({ check: true });
    return status === 0 ? (await import('../../infra/rollout/package.ts')).packageBoth(input) : status;
  },
});

export const releaseFixture = command({
  name: 'release-fixture',
  summary: "make a kept release the one that today's code is tested against",
  details: 'Run it when a release has been deployed everywhere (docs/decisions/0027-the-release-before.md).',
  args: { version: text('of .artifacts/releases', { placeholder: 'version', required: true }) },
  examples: [{ line: 'release-fixture 1.4.0', shows: 'after 1.4.0 has reached every site' }],
  run: async (input) => (await import('../release-fixture.ts')).makeReleaseFixture(input),
});
