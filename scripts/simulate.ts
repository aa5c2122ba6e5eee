/**
 * Simulates the replication protocol under faults on virtual time, many seeds at once.
 *
 * It ends with a picture of one seed, `.simulate/<workload>-course-<seed>.svg`: keys at risk, and keys on which sites differ.
 *
 * Clients write records; with `--workload shop` they shop instead, with `--workload unique` they want values that nobody else
 * has, with `--workload reactions` they write what sites react to, with `--workload places` what only some sites keep, with
 * `--workload writer` what one site writes at a time, with `--workload objects` files whose bytes both clouds hold, over the
 * same replication.
 * `--example <file>` draws one small history of a real run, for the documentation, and does nothing else.
 * Each seed is one schedule: it replays the same run. A seed that violates an invariant is shrunk to the smallest part of
 * its schedule that still does (records only), and printed with a timeline of the key concerned, which is also drawn as
 * `.simulate/seed-<it>.svg`; `--schedules 1 --seed <it>` shows it again. `--mutants` runs deliberate defects of the protocol instead,
 * each until a checker finds it out, over at most `--schedules` schedules.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFile } from '@tandem-clouds/command-line/write-file';
import { commandLine, figure, type Findings, report } from '@tandem-clouds/testkit/report/report';
import { Course } from '@tandem-clouds/testkit/simulator/course';
import { courseSvg } from '@tandem-clouds/testkit/simulator/course-svg';
import { reportFailure, reportWholeFailure } from '@tandem-clouds/testkit/simulator/failure-text';
import { runPool } from '@tandem-clouds/testkit/simulator/pool';
import type { ScheduleResult } from '@tandem-clouds/testkit/simulator/schedule';
import { RUN, type Workload } from '@tandem-clouds/testkit/simulator/seeds';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FAILURES_SHOWN = 3;
/** Where failed seeds are drawn; ignored by git. */
const PICTURES = '.simulate';
const PROGRESS_EVERY_MS = 5_000;

interface Options {
  readonly schedules: number;
  readonly seed: number;
  readonly sites: number | undefined;
  readonly threads: number;
  readonly workload: Workload;
}

/** Client operations a minute that a run should reach; an operation that is reacted to is many writes, as a shopper's is. */
const OPERATIONS_A_MINUTE = {
  records: 150_000,
  shop: 15_000,
  unique: 50_000,
  reactions: 8_000,
  places: 15_000,
  writer: 15_000,
  objects: 5_000,
  erasure: 5_000,
} as const;

async function measure(options: Options, progress: (line: string) => void): Promise<Findings> {
  const { schedules, seed, sites, threads, workload } = options;
  const startMs = performance.now();
  let reportedMs = startMs;
  const total = await runPool({
    first: seed,
    count: schedules,
    sites,
    threads,
    workload,
    progress: (soFar) => {
      if (performance.now() - reportedMs < PROGRESS_EVERY_MS) return;
      reportedMs = performance.now();
      progress(
        `${soFar.schedules} of ${schedules} schedules, ${soFar.failed.length} with violations${namesOf(soFar.failed)}`,
      );
    },
  });
  const minutes = (performance.now() - startMs) / 60_000;
  const picture = drawCourse(total.failed[0]?.seed ?? seed, { sites, workload });
  progress(`drawn: ${picture}`);
  for (const failed of total.failed.slice(0, FAILURES_SHOWN))
    showFailure(failed, { sites, workload }, progress);
  return {
    figures: [
      figure('schedules', total.schedules, ''),
      figure('client operations', total.operations, ''),
      figure('effects performed', total.effects, ''),
      figure('messages accepted by queues', total.messages, ''),
      figure('schedules with violations', total.failed.length, '', { exactly: 0 }),
      figure('seeds run twice', total.reruns, ''),
      figure('seeds whose second run differed', total.differing.length, '', { exactly: 0 }),
      figure('client operations a minute', Math.round(total.operations / minutes), '1/min', {
        atLeast: OPERATIONS_A_MINUTE[workload],
      }),
    ],
    notes: [
      `seeds ${seed} to ${seed + schedules - 1}, ${sites ?? '2 to 4'} sites, ${threads} threads`,
      `how one of them went: ${picture}`,
      ...(total.failed.length > 0
        ? [`violated by seeds ${total.failed.map((failed) => failed.seed).join(', ')}`]
        : []),
      ...(total.differing.length > 0 ? [`seeds that did not repeat: ${total.differing.join(', ')}`] : []),
    ],
  };
}

/** The first seed with a violation, or the first of all, from beginning to end. @returns Where it is drawn. */
function drawCourse(seed: number, { sites, workload }: Pick<Options, 'sites' | 'workload'>): string {
  const course = new Course();
  const { findings } = RUN[workload]({ seed, sites, course });
  const verdict = findings.length === 0 ? 'no violation' : `${findings.length} violations`;
  const file = path.join(PICTURES, `${workload}-course-${seed}.svg`);
  writeFile(path.join(ROOT, file), courseSvg(course, { title: `${workload}, seed ${seed}: ${verdict}` }));
  return file;
}

/** The seeds that have failed so far: a long run need not end for them to be looked at. */
function namesOf(failed: readonly ScheduleResult[]): string {
  return failed.length === 0 ? '' : ` (seeds ${failed.map(({ seed }) => seed).join(', ')})`;
}

/** Prints a failed seed and draws it. */
function showFailure(
  failed: ScheduleResult,
  requested: Pick<Options, 'sites' | 'workload'>,
  progress: (line: string) => void,
): void {
  const { text, svg } =
    requested.workload === 'records'
      ? reportFailure(failed, requested.sites)
      : reportWholeFailure(failed, { sites: requested.sites, workload: requested.workload });
  progress(text);
  if (svg === undefined) return;
  const file = path.join(PICTURES, `seed-${failed.seed}.svg`);
  writeFile(path.join(ROOT, file), svg);
  progress(`  drawn: ${file}`);
}

export interface SimulateInput extends Options {
  readonly json: boolean;
  readonly mutants: boolean;
  readonly example: string | undefined;
}

/** Returns the exit status: 1 when the run itself failed. */
export async function simulate(input: SimulateInput): Promise<number> {
  const { json, mutants, example, ...options } = input;
  if (example !== undefined) {
    const { drawExample } = await import('@tandem-clouds/testkit/simulator/example');
    writeFile(example, drawExample());
    return 0;
  }
  const command = commandLine(process.argv, ROOT);
  if (mutants) {
    const { measureMutants } = await import('@tandem-clouds/testkit/simulator/kill-mutants');
    return report(
      { title: `Simulation: mutants of the protocol (${options.workload})`, json, command },
      (progress) => measureMutants(options, progress),
    );
  }
  return report(
    { title: `Simulation of the replication protocol (${options.workload})`, json, command },
    (progress) => measure(options, progress),
  );
}
