/** Runs many seeds in one thread and says what a caller needs to know of them. */
import { runErasureSchedule } from './erasure/schedule.ts';
import type { Faults } from './faults.ts';
import { runObjectSchedule } from './objects/schedule.ts';
import { runPlacesSchedule } from './places/schedule.ts';
import { runReactionSchedule } from './reactions/schedule.ts';
import { runSchedule, type ScheduleResult } from './schedule.ts';
import { runShopSchedule } from './shop/schedule.ts';
import { runUniqueSchedule } from './unique/schedule.ts';
import { runWriterSchedule } from './writer/schedule.ts';

/** What clients do: write records, shop, want values that nobody else has, write what sites react to, what some sites keep, what one site writes, upload files, or are erased. */
export const WORKLOADS = [
  'records',
  'shop',
  'unique',
  'reactions',
  'places',
  'writer',
  'objects',
  'erasure',
] as const;
export type Workload = (typeof WORKLOADS)[number];

export const RUN = {
  records: runSchedule,
  shop: runShopSchedule,
  unique: runUniqueSchedule,
  reactions: runReactionSchedule,
  places: runPlacesSchedule,
  writer: runWriterSchedule,
  objects: runObjectSchedule,
  erasure: runErasureSchedule,
} as const;

export interface SeedsRequest {
  /** Records when absent. */
  readonly workload?: Workload | undefined;
  readonly first: number;
  readonly count: number;
  readonly sites?: number | undefined;
  readonly faults?: Partial<Faults> | undefined;
  /** Stop at the first seed with a finding. */
  readonly stopEarly?: boolean | undefined;
}

export interface SeedsReport {
  readonly schedules: number;
  readonly operations: number;
  readonly effects: number;
  readonly messages: number;
  readonly failed: readonly ScheduleResult[];
  /** Seeds that were run twice, and those of them that differed. */
  readonly reruns: number;
  readonly differing: readonly number[];
}

/** Every hundredth seed is run twice. */
const RERUN_EVERY = 100;

export function runSeeds(request: SeedsRequest): SeedsReport {
  const { workload = 'records', first, count, stopEarly, ...options } = request;
  const run = RUN[workload];
  const sum = { schedules: 0, operations: 0, effects: 0, messages: 0, reruns: 0 };
  const failed: ScheduleResult[] = [];
  const differing: number[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const result = run({ seed, ...options });
    sum.schedules += 1;
    sum.operations += result.operations;
    sum.effects += result.effects;
    sum.messages += result.messages;
    if (result.findings.length > 0) failed.push(result);
    if (seed % RERUN_EVERY === 0) {
      sum.reruns += 1;
      if (run({ seed, ...options }).hash !== result.hash) differing.push(seed);
    }
    if (stopEarly === true && failed.length > 0) break;
  }
  return { ...sum, failed, differing };
}

/** Two reports as one. */
export function addReports(a: SeedsReport, b: SeedsReport): SeedsReport {
  return {
    schedules: a.schedules + b.schedules,
    operations: a.operations + b.operations,
    effects: a.effects + b.effects,
    messages: a.messages + b.messages,
    reruns: a.reruns + b.reruns,
    failed: [...a.failed, ...b.failed],
    differing: [...a.differing, ...b.differing],
  };
}

export const NO_SEEDS: SeedsReport = {
  schedules: 0,
  operations: 0,
  effects: 0,
  messages: 0,
  reruns: 0,
  failed: [],
  differing: [],
};
