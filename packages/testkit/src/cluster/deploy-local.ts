/** Deploys to a site of a running local stack: its functions end and start again from the artefact. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStack, type StackSite } from '@tandem-clouds/command-line/running-stack';
import { setRelease } from '@tandem-clouds/local/site-release';
import { signalGroup } from '@tandem-clouds/local/stack/process-group';
import type { Deploy } from '../../../../infra/rollout/platform.ts';
import { artefactOf } from '../../../../infra/rollout/releases.ts';
import { StepError } from '../../../../infra/rollout/run-rollout.ts';

const READY_WITHIN_MS = 60_000;
/** Then it is killed, as a platform would. */
const ENDS_WITHIN_MS = 10_000;
const POLL_MS = 50;

/**
 * @param dir The folder of the stack.
 * @param artefact Where the packages of a release are; another one for what is to fail.
 */
export function localDeploy(dir: string, artefact: typeof artefactOf = artefactOf): Deploy {
  return async (site, release) => {
    const { cloud, pid } = siteOf(dir, site);
    setRelease(path.join(dir, 'run'), site, release === undefined ? undefined : artefact(release, cloud));
    if (pid !== null) await end(dir, site, pid);
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!isReady(siteOf(dir, site), pid)) {
      if (Date.now() > deadline) throw new StepError(`${site} did not start within ${READY_WITHIN_MS} ms`);
      await sleep(POLL_MS);
    }
  };
}

function isReady({ pid, bridgePid, ready }: StackSite, before: number | null): boolean {
  return pid !== before && pid !== null && bridgePid !== null && ready;
}

/** Of one process that is known by its id. The supervisor starts the next one. */
async function end(dir: string, site: string, pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + ENDS_WITHIN_MS;
  while (siteOf(dir, site).pid === pid) {
    if (Date.now() > deadline) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    await sleep(POLL_MS);
  }
}

function siteOf(dir: string, name: string): StackSite {
  const site = readStack(dir)?.sites.find((one) => one.site === name);
  if (site === undefined) throw new StepError(`no stack with ${name} runs in ${dir}; npm start starts one`);
  return site;
}
