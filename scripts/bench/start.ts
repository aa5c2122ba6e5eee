/**
 * `bench start`: from `npm start` to both sites ready, for a first start (no cache of any kind, an empty folder) and for
 * those after it, beside what the same number of Node processes takes that do nothing; then from the save of a file to
 * both sites serving it, beside a process that only evaluates the file that is saved.
 *
 * Invariant: what is compared is measured in turns, so that a slow moment of the machine does not fall on one alone.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { median } from '@tandem-clouds/testkit/report/statistics';
import { ROOT } from './service-bundles.ts';
import { bareReloadsMs, measureReloads } from './start/measured-reload.ts';
import { bareStartMs, measureStart, type StartTimes } from './start/measured-start.ts';

/** Seconds on two cores. */
const FIRST_WITHIN_S = 6;
const LATER_WITHIN_S = 4;
const RELOADED_WITHIN_S = 1;

interface Options {
  readonly runs: number;
  /** So many of each kind of change in a round, after a first one; none: they are not measured. */
  readonly changes: number;
  readonly against: string | undefined;
}

interface Contender {
  readonly name: string;
  readonly tree: string;
  readonly first: StartTimes[];
  readonly later: StartTimes[];
  readonly bareMs: number[];
  /** By what is saved. */
  readonly reloads: Map<string, number[]>;
  readonly firstReloads: Map<string, number[]>;
  readonly bareReloadsMs: number[];
}

const contender = (name: string, tree: string): Contender => ({
  name,
  tree,
  first: [],
  later: [],
  bareMs: [],
  reloads: new Map(),
  firstReloads: new Map(),
  bareReloadsMs: [],
});

async function round({ tree, first, later, bareMs }: Contender): Promise<void> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-bench-start-'));
  try {
    const places = { tree, dir: path.join(scratch, 'stack'), cacheDir: path.join(scratch, 'cache') };
    forgetOtherCaches(tree);
    first.push(await measureStart(places));
    const again = await measureStart(places);
    later.push(again);
    bareMs.push(await bareStartMs(again.processes));
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Of one stack; the first change of a kind starts what the others find, and is a figure of its own. */
async function reloads(one: Contender, changes: number): Promise<void> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-bench-reload-'));
  try {
    for (const [what, [first = 0, ...later]] of await measureReloads(one.tree, scratch, changes + 1)) {
      one.firstReloads.set(what, [...(one.firstReloads.get(what) ?? []), first]);
      one.reloads.set(what, [...(one.reloads.get(what) ?? []), ...later]);
    }
    one.bareReloadsMs.push(...(await bareReloadsMs(scratch, changes)));
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Of a checkout that knows no TANDEM_CACHE_DIR; ours keeps its own. */
function forgetOtherCaches(tree: string): void {
  if (tree === ROOT) return;
  for (const cache of ['.tandem/cache', 'node_modules/.cache'])
    fs.rmSync(path.join(tree, cache), { recursive: true, force: true });
}

async function measure(
  { runs, changes, against }: Options,
  progress: (line: string) => void,
): Promise<Findings> {
  const contenders = [
    contender('', ROOT),
    ...(against === undefined ? [] : [contender(`${path.basename(against)}: `, path.resolve(against))]),
  ];
  for (let n = 1; n <= runs; n += 1) {
    progress(`round ${n} of ${runs}`);
    for (const one of contenders) await round(one);
    for (const one of changes > 0 ? contenders : []) await reloads(one, changes);
  }
  return {
    figures: contenders.flatMap(figuresOf),
    notes: [
      `median of ${runs} rounds, each a first start, a start after it, and a bare one`,
      'first: an empty folder and no cache: of compiled code, of bundles, of resolved definitions',
      'bare: as many Node processes as the stack has, which do nothing, started side by side, until the last has ended',
      `changes: median of ${runs * changes} of each kind, from the save to the line that says that both sites have it`,
      'bare change: a process that watches one file, and evaluates it when it is saved',
      'phases are counted from the start of the process; they run side by side, so they do not add up',
    ],
  };
}

function figuresOf(one: Contender): Figure[] {
  const { name, first, later, bareMs } = one;
  const s = (samples: readonly number[]): number => median(samples) / 1_000;
  const ready = (times: readonly StartTimes[]): number => s(times.map(({ readyMs }) => readyMs));
  const bare = s(bareMs);
  const [sample] = later;
  const phases = [...(sample?.phasesMs.keys() ?? [])].map((phase) =>
    figure(`${name}later start: ${phase}`, s(later.map(({ phasesMs }) => phasesMs.get(phase) ?? 0)), 's'),
  );
  return [
    figure(`${name}first start`, ready(first), 's', { below: FIRST_WITHIN_S }),
    figure(`${name}later start`, ready(later), 's', { below: LATER_WITHIN_S }),
    ...phases,
    figure(`${name}bare start of ${sample?.processes ?? 0} processes`, bare, 's'),
    figure(`${name}first start / bare`, ready(first) / bare, 'x'),
    figure(`${name}later start / bare`, ready(later) / bare, 'x'),
    figure(`${name}first start: processor time`, s(first.map(({ cpuMs }) => cpuMs)), 's'),
    figure(`${name}later start: processor time`, s(later.map(({ cpuMs }) => cpuMs)), 's'),
    ...reloadFigures(one),
  ];
}

function reloadFigures({ name, reloads, firstReloads, bareReloadsMs }: Contender): Figure[] {
  const bareMs = median(bareReloadsMs);
  const figures = [...reloads].flatMap(([what, ms]) => [
    figure(`${name}change of ${what}`, median(ms) / 1_000, 's', { below: RELOADED_WITHIN_S }),
    figure(`${name}change of ${what} / bare`, median(ms) / bareMs, 'x'),
    figure(`${name}first change of ${what}`, median(firstReloads.get(what) ?? []) / 1_000, 's'),
  ]);
  return figures.length === 0 ? [] : [...figures, figure(`${name}bare change`, bareMs, 'ms')];
}

/** Returns the exit status. */
export async function benchStart({
  json,
  ...options
}: Options & { readonly json: boolean }): Promise<number> {
  return report(
    { title: 'Start: until both sites are ready', json, command: commandLine(process.argv, ROOT) },
    (progress) => measure(options, progress),
  );
}
