/** A failed seed for people: what is wrong, the smallest schedule that shows it, and what happened in that. */
import { playErasure } from './erasure/schedule.ts';
import { faultsText } from './faults.ts';
import { historySvg } from './history-svg.ts';
import { playObjects } from './objects/schedule.ts';
import { playPlaces } from './places/schedule.ts';
import { playReactions } from './reactions/schedule.ts';
import { playSchedule, type ScheduleResult } from './schedule.ts';
import { playShop } from './shop/schedule.ts';
import { shrink, type Shrunk } from './shrink.ts';
import { timelineText } from './timeline.ts';
import { playUnique } from './unique/schedule.ts';
import { playWriter } from './writer/schedule.ts';

export interface FailureReport {
  readonly text: string;
  /** The same history as a picture; absent when no key is concerned. */
  readonly svg: string | undefined;
}

/** Shrinks a failed seed and describes it. `sites` is the number of sites that was asked for. */
export function reportFailure(failed: ScheduleResult, sites: number | undefined): FailureReport {
  const invariant = failed.findings[0]?.invariant;
  const smallest = shrink({ seed: failed.seed, sites }, ({ findings }) =>
    findings.some((finding) => finding.invariant === invariant),
  );
  return describeFailure({ ...failed, findings: smallest.result.findings }, smallest);
}

/** A failed seed and the smallest schedule that shows it. */
export function describeFailure(
  { seed, sites, faults, findings }: ScheduleResult,
  { options, result, runs }: Shrunk,
): FailureReport {
  const watchedKey = findings.find(({ key }) => key !== undefined)?.key;
  const { world } = playSchedule({ ...options, watchedKey });
  const names = world.sites.map(({ name }) => name);
  const { operations, events, strikes } = result.parts;
  const again = `--schedules 1 --seed ${seed}${options.sites === undefined ? '' : ` --sites ${options.sites}`}`;
  const lines = [
    '',
    `seed ${seed}: ${sites} sites, faults: ${faultsText(faults)}`,
    `  smallest of ${runs} schedules tried: ${names.length} sites, ${operations.length} operations`,
    ...(runs > 1 ? [...operations, ...events, ...strikes].map((part) => `    ${part}`) : []),
    ...findings.map(({ invariant, key, detail }) => `  ${invariant}: ${key ?? ''} ${detail}`),
    `  again: npm run tandem -- simulate ${again}`,
    ...(watchedKey === undefined ? [] : [`  ${watchedKey}:`, timelineText(names, world.timeline)]),
  ];
  const title = `seed ${seed}, ${watchedKey ?? ''}: ${findings[0]?.detail ?? ''}`;
  return {
    text: lines.join('\n'),
    svg: watchedKey === undefined ? undefined : historySvg(world, { title }),
  };
}

/** How the schedule of a workload is played that is not shrunk, because what happens in it hangs together. */
const PLAY = {
  shop: playShop,
  unique: playUnique,
  erasure: playErasure,
  reactions: playReactions,
  places: playPlaces,
  writer: playWriter,
  objects: playObjects,
} as const;

/** A failed seed of such a workload. */
export function reportWholeFailure(
  { seed, faults, findings }: ScheduleResult,
  { sites, workload }: { readonly sites: number | undefined; readonly workload: keyof typeof PLAY },
): FailureReport {
  const watchedKey = findings.find(({ key }) => key !== undefined)?.key;
  const { world } = PLAY[workload]({ seed, sites, watchedKey });
  const names = world.sites.map(({ name }) => name);
  const again = `--schedules 1 --seed ${seed}${sites === undefined ? '' : ` --sites ${sites}`} --workload ${workload}`;
  const lines = [
    '',
    `seed ${seed}: ${names.length} sites, faults: ${faultsText(faults)}`,
    ...findings.map(({ invariant, key, detail }) => `  ${invariant}: ${key ?? ''} ${detail}`),
    `  again: npm run tandem -- simulate ${again}`,
    ...(watchedKey === undefined ? [] : [`  ${watchedKey}:`, timelineText(names, world.timeline)]),
  ];
  const title = `seed ${seed}, ${watchedKey ?? ''}: ${findings[0]?.detail ?? ''}`;
  return { text: lines.join('\n'), svg: watchedKey === undefined ? undefined : historySvg(world, { title }) };
}
