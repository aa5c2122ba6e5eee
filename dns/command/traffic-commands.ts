/** `shift`, `drain`, `failover` and `restore`. Each returns the exit status. */
import fs from 'node:fs';
import path from 'node:path';
import { RefusedError, TrafficError } from '../errors.ts';
import { withLock } from '../lock.ts';
import { sharings, type RoutedRecord } from '../model.ts';
import { overridesName, type Overrides } from '../overrides.ts';
import { readAndPlan, type Plan } from '../plan.ts';
import { move, refuseDrift, type Move, type Timeline } from '../shift/move.ts';
import { shareOf, stepsBack, stepsTo } from '../shift/steps.ts';
import type { Context } from './zone-commands.ts';

const TIMELINES = path.join('.tandem', 'traffic');

export async function trafficCommand(context: Context): Promise<number> {
  const { line, policy, provider, around } = context;
  refuseUnknown(context);
  const { clock, observe, probe, signal } = around;
  const say = (text: string): void => (line.json ? around.err : around.out)(`${text}\n`);
  const timeline = await withLock(
    { provider, clock, say: (text) => around.err(`${text}\n`) },
    async (lock) => {
      const plan = await readAndPlan(policy, provider);
      const emergency = line.command === 'failover' && line.force;
      if (!emergency) refuseDrift(plan);
      const way = wayOf(context, plan.overrides);
      return move(
        { policy, provider, lock, clock, observe, probe, say, signal },
        emergency ? { ...way, only: trafficOnly } : way,
      );
    },
  );
  const file = write(context, timeline);
  const { outcome, reason } = timeline;
  say(`${line.command}: ${outcome}${reason === undefined ? '' : `: ${reason}`}\ntimeline: ${file}`);
  if (line.json) around.out(`${JSON.stringify(timeline)}\n`);
  return outcome === 'done' ? 0 : 1;
}

function wayOf({ line, policy }: Context, before: Overrides): Move {
  const { command, site = '', percent = 0, now } = line;
  if (command === 'failover')
    return { before, gated: false, steps: [new Map([...outOf(before), [site, 0]])] };
  if (command === 'restore') {
    return { before, gated: !now, steps: now && before.size > 0 ? [new Map()] : stepsBack(policy, before) };
  }
  return { before, gated: true, steps: stepsTo(policy, before, { site, percent }) };
}

/** Sites that are out already stay out. */
function outOf(overrides: Overrides): [string, number][] {
  return [...overrides].filter(([, percent]) => percent === 0);
}

/** For an emergency: what the policy says otherwise waits. */
function trafficOnly(plan: Plan): Plan {
  const changes = plan.changes.filter(({ before, after }) => {
    if ((before ?? after)?.name === overridesName(plan.zone)) return true;
    return (
      before?.kind === 'routed' &&
      after?.kind === 'routed' &&
      sitesOf(after).every((site) => sitesOf(before).includes(site))
    );
  });
  return { ...plan, changes, leftovers: [] };
}

function sitesOf(record: RoutedRecord): readonly string[] {
  return sharings(record).flatMap(({ targets }) => targets.map(({ site }) => site));
}

/** @throws RefusedError for a site that is unknown, or cannot be shifted to a share. */
function refuseUnknown({ line, policy }: Context): void {
  const { site, percent, command } = line;
  if (site === undefined) return;
  if (policy.sites[site] === undefined) {
    throw new RefusedError(
      `there is no site '${site}'; the sites are: ${Object.keys(policy.sites).join(', ')}`,
    );
  }
  if (command === 'shift' && percent !== 0 && shareOf(policy, site, new Map()) === undefined) {
    throw new RefusedError(
      `${site} answers no weighted name, so it has no share; use drain, failover or restore`,
    );
  }
}

function write({ line, around }: Context, timeline: Timeline): string {
  const { command, site, percent, timeline: wanted } = line;
  const name = `${new Date(around.clock.now()).toISOString().replaceAll(':', '')}-${command}.json`;
  const file = wanted ?? path.join(TIMELINES, name);
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `${JSON.stringify({ command, site, percent, ...timeline }, undefined, 2)}\n`);
  } catch (error) {
    throw new TrafficError(
      `${timeline.outcome}, but the timeline could not be written: ${(error as Error).message}`,
    );
  }
  return file;
}
