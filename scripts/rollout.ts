/** `rollout`: a new release, cloud by cloud; the other cloud serves meanwhile. */
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import type { Cloud } from '@tandem-clouds/local/stack/sites';
import { toMarkdown } from '@tandem-clouds/testkit/report/report';
import { type RolloutPlan, stepsOf, stepText } from '../infra/rollout/plan.ts';
import { runningAt } from '../infra/rollout/platform.ts';
import { keptReleases, releaseBefore } from '../infra/rollout/releases.ts';
import { cloudsText, type RolloutResult, runRollout, StepError } from '../infra/rollout/run-rollout.ts';
import { settleSecondsOf, sitesOf } from '../infra/rollout/sites.ts';
import { openTimeline } from '../infra/rollout/timeline.ts';
import { connect, type Target } from './rollout/connect.ts';
import { rolloutLocally } from './rollout/local.ts';
import { refuseBreaking } from './rollout/schema-gate.ts';

export interface RolloutLine extends Target {
  /** Undefined: the latest that is kept. */
  readonly release: string | undefined;
  readonly dryRun: boolean;
  readonly only: Cloud | undefined;
  readonly local: boolean;
  readonly clients: number;
  readonly seed: number;
  /** Places of breaking changes that are meant. */
  readonly allowBreaking: readonly string[];
  readonly bad: Cloud | undefined;
}

const report = (line: string): void => void process.stderr.write(`${line}\n`);

/** Returns the exit status: 1 when it was refused, rolled back or interrupted. */
export async function rollout(line: RolloutLine): Promise<number> {
  return line.local && !line.dryRun ? onStackOfItsOwn(line) : onSites(line);
}

function newRelease({ release }: RolloutLine): string {
  const wanted = release ?? keptReleases()[0]?.version;
  if (wanted === undefined)
    throw new UsageError('there is no release in .artifacts/releases; run npm run package');
  return wanted;
}

async function onSites(line: RolloutLine): Promise<number> {
  const release = newRelease(line);
  const { traffic, platform, signal } = connect(line, report);
  const pairs = sitesOf(traffic.policy, line.only);
  const sites = await Promise.all(
    pairs.map(async (pair) => ({ ...pair, previous: await previousAt(line, traffic.urlOf(pair.site)) })),
  );
  const plan: RolloutPlan = { release, sites, settleSeconds: settleSecondsOf(traffic.policy) };
  for (const text of refuseBreaking(plan, line.allowBreaking)) report(text);
  if (line.dryRun) {
    for (const [index, step] of stepsOf(plan).entries()) console.log(`${index + 1}. ${stepText(step, plan)}`);
    return 0;
  }
  refuseWithoutWayBack(plan, traffic.policy.provider === 'local');
  const timeline = openTimeline('rollout');
  const result = await runRollout({ plan, platform, report, record: timeline.write, signal });
  notify(result);
  report(`timeline: ${timeline.file}`);
  return result.result === 'done' ? 0 : 1;
}

/** A dry run says what it can, also where nothing answers. */
async function previousAt({ dryRun }: RolloutLine, url: string): Promise<string | undefined> {
  try {
    return await runningAt(url);
  } catch (error) {
    if (dryRun && error instanceof StepError) return 'what it says when asked';
    throw error;
  }
}

/** @throws StepError when what runs now could not be deployed again. */
function refuseWithoutWayBack({ sites }: RolloutPlan, hasSources: boolean): void {
  const kept = new Set(keptReleases().map(({ version }) => version));
  for (const { site, previous } of sites) {
    if (previous === undefined ? hasSources : kept.has(previous)) continue;
    throw new StepError(
      `${site} runs ${previous ?? 'no release'}, which is not in .artifacts/releases, so there is no way back; ` +
        'put its artefacts there first',
    );
  }
}

async function onStackOfItsOwn(line: RolloutLine): Promise<number> {
  const to = newRelease(line);
  const from = releaseBefore(to, keptReleases());
  if (from === undefined) {
    throw new UsageError('two releases are needed: TANDEM_VERSION=one npm run package, and another one');
  }
  const { clients, only, bad, seed } = line;
  const result = await rolloutLocally({ from, to, clients, seed, only, bad, report });
  notify(result.result);
  for (const { id, via, status, problem } of result.errors.slice(0, 20)) {
    report(`failed: ${id} via ${via}: ${status} ${problem ?? ''}`);
  }
  for (const { invariant, detail } of result.findings.slice(0, 20)) report(`${invariant}: ${detail}`);
  process.stdout.write(`${toMarkdown(result.figures).join('\n')}\n`);
  const wanted = (site: string): string => (bad === undefined || !sitesAfter(bad, site) ? to : from);
  const wrong = Object.entries(result.running).filter(
    ([site, release]) => release !== (only !== undefined && !site.startsWith(only) ? from : wanted(site)),
  );
  for (const [site, release] of wrong) report(`${site} runs ${release ?? 'the sources'}`);
  const ended = bad === undefined ? 'done' : 'rolled back';
  const passed =
    wrong.length === 0 &&
    result.result.result === ended &&
    result.figures.every(({ holds }) => holds !== false);
  report(passed ? 'passed' : 'FAILED');
  return passed ? 0 : 1;
}

/** A rollout ends at the cloud that failed: that one and those after it keep what they had. */
function sitesAfter(bad: string, site: string): boolean {
  return site >= bad;
}

function notify(result: RolloutResult): void {
  report(`rollout: ${result.result}${result.reason === undefined ? '' : `: ${result.reason}`}`);
  for (const state of cloudsText(result)) report(state);
}
