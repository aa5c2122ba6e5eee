/** Deploys an artefact with the packager's own command, which takes a package that was made before. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type Cloud, parseSite } from '@tandem-clouds/local/stack/sites';
import { deployInSteps, openTable } from './index-steps.ts';
import type { Deploy } from './platform.ts';
import { artefactOf } from './releases.ts';
import { StepError } from './run-rollout.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const LAST_LINES = 20;

export interface CloudDeployOptions {
  /** Of the packager, by cloud: `--stage`, `--param`. */
  readonly args: Readonly<Record<Cloud, readonly string[]>>;
  readonly report: (line: string) => void;
}

/**
 * `aws-us-east-1` is the AWS site in us-east-1: a site's name says where it is.
 * @param place The folder of the packages; that of the release, unless another one holds them with a step's template.
 */
export function deployArguments(
  site: string,
  release: string,
  more: CloudDeployOptions['args'],
  place = artefactOf(release, parseSite(site).cloud),
): readonly string[] {
  const { cloud, region } = parseSite(site);
  const folder = path.relative(ROOT, place);
  // AWS: the folder with the template and a zip for each function; Azure: the zip of the app.
  const artefact = cloud === 'aws' ? folder : path.join(folder, 'tandem.zip');
  return [
    'deploy',
    '-c',
    `serverless.${cloud}.yml`,
    '--package',
    artefact,
    '--region',
    region,
    ...more[cloud],
  ];
}

/** An interrupt does not reach it: a deployment that has begun ends. */
export function cloudDeploy({ args, report }: CloudDeployOptions): Deploy {
  return async (site, release) => {
    if (release === undefined) throw new StepError(`no release of ${site} is known to deploy`);
    const { cloud, region } = parseSite(site);
    const artefact = artefactOf(release, cloud);
    if (cloud === 'azure') return run(deployArguments(site, release, args), report);
    await deployInSteps({
      artefact,
      table: openTable(region),
      deploy: (place) => run(deployArguments(site, release, args, place), report),
      report,
    });
  };
}

async function run(command: readonly string[], report: CloudDeployOptions['report']): Promise<void> {
  report(`  sls ${command.join(' ')}`);
  const child = spawn(
    process.execPath,
    [path.join(ROOT, 'node_modules/serverless/bin/serverless.js'), ...command],
    {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n').filter((line) => line.trim() !== ''));
      lines.splice(0, lines.length - LAST_LINES);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new StepError(`sls deploy: exit code ${code ?? ''}\n${lines.join('\n')}`);
}
