/**
 * `chaos`: the whole stack with its real processes and vendors' SDKs under faults, judged by what its clients were
 * answered.
 */
import { prepareFile, writeFile } from '@tandem-clouds/command-line/write-file';
import { figuresOf, textOf, timelineOf } from '@tandem-clouds/testkit/chaos/figures';
import { lineOfEpisode } from '@tandem-clouds/testkit/chaos/plan';
import { type ChaosOptions, runChaos } from '@tandem-clouds/testkit/chaos/run';
import { commandLine, type Report, thisMachine, toTable } from '@tandem-clouds/testkit/report/report';
import { ROOT } from './bench/service-bundles.ts';

const CONVERGED_WITHIN_MS = 300_000;
const QUIET_WITHIN_MS = 180_000;
const BURST_MS = 15_000;

const NOTES = [
  'everything runs on this machine: processes, vendor SDKs and emulators; clients, nemesis and stack share its cores',
  'lost, diverging and other violations are judged by the checkers of the simulator, from the log of the clients and ' +
    'from what both stores hold; what an answer did not tell is taken from the stores, because every value names its write',
  'an outage lasts from the last answer before a failed request (5xx or none) to the first answer after it',
  'converged: every process serves again, no marker remains and both stores hold the same; what a killed bridge had ' +
    'received comes back to its queue only later, and is then superseded',
];

export interface ChaosInput extends Pick<ChaosOptions, 'rate' | 'seed' | 'writes'> {
  readonly minutes: number;
  /** A file for the whole report. */
  readonly json: string | undefined;
}

/** Returns the exit status: 1 when anything that was promised did not hold, or the run itself failed. */
export async function chaos({ json, minutes, ...rest }: ChaosInput): Promise<number> {
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
  const result = await runChaos(options);
  const report: Report = {
    title: `Chaos, seed ${options.seed}`,
    date,
    machine: thisMachine(),
    command: commandLine(process.argv, ROOT),
    figures: figuresOf(result, options.writes),
    notes: NOTES,
  };
  process.stdout.write(`${toTable(report)}\n${timelineOf(result)}\n${textOf(result.violations)}`);
  if (json !== undefined) {
    const { plan, injectedFaults, violations } = result;
    const all = { ...report, plan: plan.map(lineOfEpisode), timeline: injectedFaults.timeline, violations };
    writeFile(json, `${JSON.stringify(all, null, 2)}\n`);
  }
  const failed = result.violations.length > 0 || report.figures.some(({ holds }) => holds === false);
  return failed ? 1 : 0;
}
