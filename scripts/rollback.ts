/**
 * `npm run rollback -- aws|azure`: the release before, at once.
 *
 * Exit status: 0, or 1 when it did not come about, or 2 for a wrong command line.
 */
import { parseArgs } from 'node:util';
import { TrafficError } from '../dns/errors.ts';
import { runCommand } from './command/run-command.ts';
import { UsageError } from './command/usage-error.ts';
import { cloudOf, policyFor, TARGET_OPTIONS } from './rollout/command-line.ts';
import { connect } from './rollout/connect.ts';
import { StepError } from './rollout/perform.ts';
import { runningAt } from './rollout/platform.ts';
import { artefactOf, keptReleases, releaseBefore } from './rollout/releases.ts';
import { rollBack, sayRollback } from './rollout/rollback.ts';
import { sitesOf } from './rollout/sites.ts';
import { openTimeline } from './rollout/timeline.ts';
import type { Cloud } from './local/stack/sites.ts';

const USAGE = `Usage: npm run rollback -- aws|azure [options]

Fails the cloud over, deploys an earlier release of .artifacts/releases, verifies it, and gives the traffic back.

  --to <version>         (what was made before the release that runs)
  --dry-run              print the steps and do nothing
  --policy <file>        names the sites                            (dns/policy.yml)
  --aws=<argument>       for sls deploy, as with npm run rollout
  --azure=<argument>
  --local                on the stack of npm start: --policy dns/local.policy.yml
  --dir <folder>         of that stack                              (.tandem)
  --help                 show this

Exit status: 0, 1 when it did not come about, 2 wrong command line.
`;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function readCommandLine() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...TARGET_OPTIONS,
      to: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      local: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new UsageError('one cloud is needed: aws or azure');
  const { dir, aws, azure, to, local } = values;
  const target = { policy: values.policy ?? policyFor(local), dir, args: { aws, azure } };
  return { target, to, dryRun: values['dry-run'], cloud: cloudOf('rollback', name) };
}

/** @throws UsageError when no earlier release is kept. */
function earlier(to: string | undefined, running: string | undefined, cloud: Cloud): string | undefined {
  const wanted = to ?? (running === undefined ? undefined : releaseBefore(running, keptReleases()));
  if (wanted === undefined)
    throw new UsageError(`no release before ${running ?? 'the sources'} is kept; see --to`);
  artefactOf(wanted, cloud);
  return wanted;
}

async function run(): Promise<number> {
  const line = readCommandLine();
  if (line === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { target, to, dryRun, cloud } = line;
  const { traffic, platform, signal } = connect(target, say);
  const timeline = dryRun ? undefined : openTimeline('rollback');
  for (const pair of sitesOf(traffic.policy, cloud)) {
    const running = to === undefined ? await runningAt(traffic.urlOf(pair.site)) : undefined;
    const plan = { ...pair, previous: earlier(to, running, cloud) };
    if (timeline === undefined) {
      for (const [index, step] of sayRollback(plan).entries()) console.log(`${index + 1}. ${step}`);
      continue;
    }
    const done = await rollBack({ plan, platform, traffic, say, signal });
    timeline.write({ ...plan, ...done });
    const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
    say(
      `${pair.site} runs ${plan.previous ?? ''} after ${seconds(done.deployedMs)}, verified after ${seconds(done.verifiedMs)}`,
    );
  }
  return 0;
}

async function main(): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof StepError || error instanceof TrafficError)) throw error;
    say(error.message);
    return 1;
  }
}

await runCommand(main, { hint: 'npm run rollback -- --help says more.' });
