/** The steps on real clouds and on a local stack: they differ only in how an artefact is deployed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { version as UNRELEASED } from '../../src/shared/version.ts';
import { contract } from './contract.ts';
import type { SitePlan } from './plan.ts';
import { query } from './query-site.ts';
import { type Platform, StepError } from './run-rollout.ts';
import { smoke } from './smoke.ts';
import type { Traffic } from './traffic.ts';

/** @param release undefined: the sources. @throws StepError */
export type Deploy = (site: string, release: string | undefined) => Promise<void>;

export function platformOf(traffic: Traffic, deploy: Deploy): Platform {
  return {
    async check({ site, other }) {
      // The site itself may still be drained, by a rollout that was interrupted.
      const moved = [...(await traffic.overrides())].filter(([name]) => name !== site);
      if (moved.length > 0) {
        const where = moved.map(([name, percent]) => `${name} at ${percent} %`).join(', ');
        throw new StepError(
          `traffic does not stand as the policy says: ${where}; npm run tandem -- dns restore first`,
        );
      }
      await traffic.holdToGates(other);
    },
    drain: (site, signal) => traffic.drain(site, signal),
    settle: async (seconds, signal) => {
      await sleep(seconds * 1_000, undefined, { signal }).catch(() => {
        throw new StepError('interrupted');
      });
    },
    deploy,
    verify: (plan, release) => verify(traffic, plan, release),
    restore: (how, signal) => traffic.restore(how, signal),
  };
}

/** Smoke, then contract; what an earlier release is held to is its own contract, not today's. @throws StepError naming everything that is wrong. */
async function verify(
  traffic: Traffic,
  { site, other, previous }: SitePlan,
  release: string | undefined,
): Promise<readonly string[]> {
  const url = traffic.urlOf(site);
  const version = release ?? UNRELEASED;
  const { passed, failed } = await smoke({ url, peer: traffic.urlOf(other), site, version });
  if (failed.length > 0) throw new StepError(`smoke test: ${failed.join('; ')}`);
  if (release === previous) return passed;
  const { checked, broken, notYet } = await contract(url);
  if (broken.length > 0) throw new StepError(`contract test: ${broken.join('; ')}`);
  return [...passed, `contract: ${checked} answers as openapi.yaml says`, ...notYet];
}

/** The release that a site says that it runs; undefined: the sources. @throws StepError */
export async function runningAt(url: string): Promise<string | undefined> {
  let reported: unknown;
  try {
    reported = (await query(url, 'GET', '/health')).json['version'];
  } catch (error) {
    throw new StepError((error as Error).message, { cause: error });
  }
  if (typeof reported !== 'string') throw new StepError(`${url}/health does not say which release it is`);
  return reported === UNRELEASED ? undefined : reported;
}
