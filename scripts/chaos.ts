/**
 * `chaos`: the whole stack with its real processes and vendors' SDKs under faults, judged by what its clients were
 * answered.
 */
import { prepareFile, writeFile } from '@tandem-clouds/command-line/write-file';
import { figuresOf, textOf, timelineOf } from '@tandem-clouds/testkit/chaos/figures';
import { objectFiguresOf } from '@tandem-clouds/testkit/chaos/objects/figures';
import { runObjectChaos } from '@tandem-clouds/testkit/chaos/objects/run';
import { pictureFiguresOf } from '@tandem-clouds/testkit/chaos/pictures/figures';
import { runPictureChaos } from '@tandem-clouds/testkit/chaos/pictures/run';
import { lineOfEpisode } from '@tandem-clouds/testkit/chaos/plan';
import { reactionFiguresOf } from '@tandem-clouds/testkit/chaos/reactions/figures';
import { runReactionChaos } from '@tandem-clouds/testkit/chaos/reactions/run';
import { type ChaosOptions, type ChaosResult, runChaos } from '@tandem-clouds/testkit/chaos/run';
import { shopFiguresOf } from '@tandem-clouds/testkit/chaos/shop/figures';
import { runShopChaos } from '@tandem-clouds/testkit/chaos/shop/run';
import {
  commandLine,
  type Figure,
  type Report,
  thisMachine,
  toTable,
} from '@tandem-clouds/testkit/report/report';
import { ROOT } from './bench/service-bundles.ts';

const CONVERGED_WITHIN_MS = 300_000;
const QUIET_WITHIN_MS = 180_000;
const BURST_MS = 15_000;

const COMMON =
  'everything runs on this machine: processes, vendor SDKs and emulators; clients, nemesis and stack share its cores';

const RECORD_NOTES = [
  'lost, diverging and other violations are judged by the checkers of the simulator, from the log of the clients and ' +
    'from what both stores hold; what an answer did not tell is taken from the stores, because every value names its write',
  'an outage lasts from the last answer before a failed request (5xx or none) to the first answer after it',
  'converged: every process serves again, no marker remains and both stores hold the same; what a killed bridge had ' +
    'received comes back to its queue only later, and is then superseded',
];

const REACTION_NOTES = [
  'every change names itself; it may have one effect for each site that may have taken it, under one name each; a change ' +
    'that another one replaced before it was acted on needs none',
  'lag: from the answer that acknowledged a change, sent once, to the first call at the provider, and to the first strongly ' +
    "consistent read of the peer's store that shows it; without faults: before the first one, which is not more than a minute",
];

const OBJECT_NOTES = [
  'an upload counts when its completion was acknowledged; while storages send other bytes, a read that brought some is ' +
    'no violation: in the end every object is read at both sites, whole',
  'reads carry the token of what was acknowledged: 404 is always a violation, 503 says who holds the bytes',
];

const PICTURE_NOTES = [
  'what must become of a picture follows from how it was made; its bytes are made again from the number that a finding names',
  'right: a WebP of the size that it must have, of pixels alone, that each site serves from its own storage',
];

const SHOP_NOTES = [
  'paid, charged and paid back are taken from the payment sandbox itself, stock from the share that each site shows of its own',
  'short: an order was rejected while nothing befell the stack although, from before it was sent until it was known, all sites ' +
    'together showed enough of every line',
];

const NOTES: Readonly<Record<Workload, readonly string[]>> = {
  records: [COMMON, ...RECORD_NOTES],
  reactions: [COMMON, ...REACTION_NOTES],
  objects: [COMMON, ...OBJECT_NOTES],
  pictures: [COMMON, ...PICTURE_NOTES],
  shop: [COMMON, ...SHOP_NOTES],
};

type Workload = 'objects' | 'pictures' | 'records' | 'reactions' | 'shop';

export interface ChaosInput extends Pick<ChaosOptions, 'rate' | 'seed' | 'writes'> {
  readonly minutes: number;
  readonly workload: Workload;
  /** A file for the whole report. */
  readonly json: string | undefined;
}

/** Returns the exit status: 1 when anything that was promised did not hold, or the run itself failed. */
export async function chaos({ json, minutes, workload, ...rest }: ChaosInput): Promise<number> {
  if (json !== undefined) prepareFile(json);
  // The stack ends with this process, in whatever way that ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  const options: ChaosOptions = {
    ...rest,
    trafficMaxMs: minutes * 60_000,
    convergedWithinMs: CONVERGED_WITHIN_MS,
    quietWithinMs: QUIET_WITHIN_MS,
    burstMs: BURST_MS,
    progress: (line) => void process.stderr.write(`${line}\n`),
  };
  const date = new Date().toISOString();
  const result = await RUN[workload](options);
  const report: Report = {
    title: `Chaos, ${workload}, seed ${options.seed}`,
    date,
    machine: thisMachine(),
    command: commandLine(process.argv, ROOT),
    figures: result.figures,
    notes: NOTES[workload],
  };
  process.stdout.write(`${toTable(report)}\n${timelineOf(result)}\n${textOf(result.violations)}`);
  if (json !== undefined) {
    const { plan, injectedFaults, violations } = result;
    const all = { ...report, plan: plan.map(lineOfEpisode), timeline: injectedFaults.timeline, violations };
    writeFile(json, `${JSON.stringify(all, null, 2)}\n`);
  }
  // A ratio of times says how quick it was, on this machine: an aim, and no promise.
  const failed = report.figures.some(({ holds, unit }) => holds === false && unit !== '×');
  return result.violations.length > 0 || failed ? 1 : 0;
}

interface Result extends Pick<ChaosResult, 'injectedFaults' | 'plan' | 'violations'> {
  readonly figures: readonly Figure[];
}

const RUN: Readonly<Record<Workload, (options: ChaosOptions) => Promise<Result>>> = {
  records: async (options) => {
    const result = await runChaos(options);
    return { ...result, figures: figuresOf(result, options.writes) };
  },
  reactions: async (options) => {
    const result = await runReactionChaos(options);
    return { ...result, figures: reactionFiguresOf(result, options.writes) };
  },
  objects: async (options) => {
    const result = await runObjectChaos(options);
    return { ...result, figures: objectFiguresOf(result, options.writes) };
  },
  pictures: async (options) => {
    const result = await runPictureChaos(options);
    return { ...result, figures: pictureFiguresOf(result, options.writes) };
  },
  shop: async (options) => {
    const result = await runShopChaos(options);
    return { ...result, figures: shopFiguresOf(result, options.writes) };
  },
};
