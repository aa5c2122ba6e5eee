/**
 * `bench bridge`: events a second through `forward` and `apply` against a bare pipe of the same SDK calls,
 * over the same emulators in one run, both ways.
 */
import { prepareFolder } from '@tandem-clouds/command-line/write-file';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { median } from '@tandem-clouds/testkit/report/statistics';
import { Contender } from './bridge/contender.ts';
import { Fixture } from './bridge/fixture.ts';
import { bundleFunctions } from './bridge/functions.ts';
import { type BenchSites, OTHER, startTwoSites } from './bridge/two-sites.ts';
import type { ContenderName, RoundResult } from './bridge/worker.ts';
import { makeWorkload, type Workload } from './bridge/workload.ts';
import { type CloudName, CLOUDS, ROOT } from './service-bundles.ts';

const RATIO_MIN = 1;
const WARM_UP_ROUNDS = 2;

/** Writes of one key, one after the other. */
const SCENARIOS = { 'fresh keys': 1, 'hot keys': 25 } as const;
type Scenario = keyof typeof SCENARIOS;
const SCENARIO_NAMES = Object.keys(SCENARIOS) as Scenario[];

interface Options {
  readonly events: number;
  readonly rounds: number;
  /** Where `--cpu-prof` of both contenders goes; undefined: no profiles. */
  readonly profileDir: string | undefined;
}

/** The rounds of one direction and scenario, in order; the n-th of each ran right after each other. */
type Samples = Readonly<Record<ContenderName, RoundResult[]>>;

class Race {
  readonly #fixture: Fixture;
  readonly #sites: BenchSites;
  readonly #contenders: readonly Contender[];
  #runs = 0;
  /** Markers that a round did not clear, because the store was too slow to answer: the sweeper's. */
  markersLeft = 0;

  constructor(fixture: Fixture, sites: BenchSites, contenders: readonly Contender[]) {
    this.#fixture = fixture;
    this.#sites = sites;
    this.#contenders = contenders;
  }

  async run(from: CloudName, scenario: Scenario, { events, rounds }: Options): Promise<Samples> {
    const samples: Samples = { ours: [], bare: [] };
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      // Each round begins with the other one, so that neither always follows.
      const order = round % 2 === 0 ? this.#contenders : this.#contenders.toReversed();
      for (const contender of order) {
        const result = await this.#round(contender, from, SCENARIOS[scenario], events);
        if (round >= 0) samples[contender.name].push(result);
      }
    }
    return samples;
  }

  async #round(contender: Contender, from: CloudName, perKey: number, events: number): Promise<RoundResult> {
    const workload = this.#workload(from, perKey, events);
    const { bodies, records } = workload;
    const isOurs = contender.name === 'ours';
    // The bare pipe has no markers, so nothing at the site that wrote concerns it.
    await this.#fixture.fill(from, isOurs ? workload : { bodies, records: [] });
    const result = await contender.round({ from, events });
    await this.#fixture.checkArrived(OTHER[from], records);
    if (isOurs) this.markersLeft += await this.#fixture.markersLeft(from, records);
    return result;
  }

  #workload(from: CloudName, perKey: number, events: number): Workload {
    this.#runs += 1;
    return makeWorkload({
      site: this.#sites[from].site,
      peer: this.#sites[OTHER[from]].site,
      events,
      perKey,
      run: String(this.#runs),
      nowMs: Date.now(),
    });
  }
}

function figuresOf(name: string, { ours, bare }: Samples, events: number): Figure[] {
  const rate = ({ ms }: RoundResult): number => (events * 1_000) / ms;
  const cpu = ({ cpuMs }: RoundResult): number => (cpuMs * 1_000) / events;
  // Of neighbours in time: a slow moment of the machine hits both.
  const ratio = (of: (result: RoundResult) => number): number =>
    median(ours.map((result, i) => of(result) / of(bare[i] ?? result)));
  return [
    figure(`${name}: ours / bare`, ratio(rate), '×', { atLeast: RATIO_MIN }),
    figure(`${name}: ours`, median(ours.map(rate)), 'events/s'),
    figure(`${name}: bare`, median(bare.map(rate)), 'events/s'),
    figure(`${name}: bare / ours, processor`, 1 / ratio(cpu), '×', { atLeast: RATIO_MIN }),
    figure(`${name}: ours, processor`, median(ours.map(cpu)), 'µs/event'),
    figure(`${name}: bare, processor`, median(bare.map(cpu)), 'µs/event'),
    figure(`${name}: ours, batches of apply`, median(ours.map(({ applies }) => applies)), ''),
    figure(`${name}: bare, batches of apply`, median(bare.map(({ applies }) => applies)), ''),
  ];
}

async function measure(options: Options, progress: (line: string) => void): Promise<Findings> {
  const { profileDir, events, rounds } = options;
  if (profileDir !== undefined) prepareFolder(profileDir);
  const bundles = await bundleFunctions(['forward', 'apply'], 'bridge');
  const stack = await startTwoSites();
  const { sites } = stack;
  const fixture = new Fixture(sites);
  const profile = (name: string): string[] =>
    profileDir === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${name}.cpuprofile`];
  const contenders = (['ours', 'bare'] as const).map(
    (contender) => new Contender({ contender, sites, bundles }, profile(contender)),
  );
  const race = new Race(fixture, sites, contenders);
  const figures: Figure[] = [];
  try {
    for (const from of CLOUDS) {
      for (const scenario of SCENARIO_NAMES) {
        const name = `${from} → ${OTHER[from]}, ${scenario}`;
        progress(`${name}: ${rounds} rounds of ${events} events`);
        figures.push(...figuresOf(name, await race.run(from, scenario, options), events));
      }
    }
  } finally {
    await Promise.all(contenders.map((contender) => contender.close()));
    await fixture.close();
    await stack.close();
  }
  figures.push(figure('markers left to the sweeper', race.markersLeft, '', { exactly: 0 }));
  return { figures, notes: NOTES };
}

const NOTES = [
  'both stages at once in one process, fed by the triggers of the local hosts: SQS 5 batches of 10 at once, Service ' +
    'Bus 4 of up to 100; the emulators are in two processes of their own and take processor time of the same machine',
  'bare: the same SDK calls without validation, markers, merging or grouping (scripts/bench/bridge/bare.ts); every ' +
    'round is checked: all keys arrived in their last version',
  `hot keys: ${SCENARIOS['hot keys']} writes of a key follow each other`,
  'the ratio is the median over pairs of rounds that follow each other; the rates are medians of their own',
];

/** Returns the exit status. */
export async function benchBridge({
  json,
  profile: profileDir,
  ...rest
}: { readonly json: boolean; readonly profile: string | undefined } & {
  readonly events: number;
  readonly rounds: number;
}): Promise<number> {
  const options = { ...rest, profileDir };
  return report(
    {
      title: 'Bridge: events a second against a bare pipe',
      json,
      command: commandLine(process.argv, ROOT),
    },
    (progress) => measure(options, progress),
  );
}
