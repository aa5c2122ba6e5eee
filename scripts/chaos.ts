/**
 * `npm run chaos`: the whole stack with its real processes and vendors' SDKs under faults, judged by what its clients
 * were told.
 *
 *     node scripts/chaos.ts [--writes 20000] [--seed 1] [--rate 35] [--minutes 20] [--json <file>]
 *
 * Exit status: 0, or 1 when anything that was promised did not hold, or the run itself failed.
 */
import { parseArgs } from 'node:util';
import { commandLine, thisMachine, toTable, type Report } from './bench/report.ts';
import { ROOT } from './bench/service-bundles.ts';
import { figuresOf, textOf, timelineOf } from './chaos/figures.ts';
import { lineOfEpisode } from './chaos/plan.ts';
import { runChaos, type ChaosOptions } from './chaos/run.ts';
import { readDecimal, readWhole } from './command/numbers.ts';
import { runCommand } from './command/run-command.ts';
import { prepareFile, writeFile } from './command/write-file.ts';

const CONVERGED_WITHIN_MS = 300_000;
const QUIET_WITHIN_MS = 180_000;
const BURST_MS = 15_000;
/** Writes a second. */
const RATE_MIN = 0.1;
const MINUTES_MIN = 0.1;
/** A day. */
const MINUTES_MAX = 1_440;

const NOTES = [
  'everything runs on this machine: processes, vendor SDKs and stand-ins; clients, nemesis and stack share its cores',
  'lost, diverging and other violations are judged by the checkers of the simulator, from the log of the clients and ' +
    'from what both stores hold; what an answer did not tell is taken from the stores, because every value names its write',
  'an outage lasts from the last answer before a failed request (5xx or none) to the first answer after it',
  'converged: every process serves again, no marker remains and both stores hold the same; what a killed bridge had ' +
    'received comes back to its queue only later, and is then superseded',
];

function readOptions(): ChaosOptions & { json: string | undefined } {
  const { values } = parseArgs({
    options: {
      writes: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      rate: { type: 'string', default: '35' },
      minutes: { type: 'string', default: '20' },
      json: { type: 'string' },
    },
  });
  return {
    seed: readWhole(values.seed, { name: '--seed', min: 0 }),
    writes: readWhole(values.writes, { name: '--writes', min: 1 }),
    rate: readDecimal(values.rate, { name: '--rate', min: RATE_MIN }),
    trafficMaxMs:
      readDecimal(values.minutes, { name: '--minutes', min: MINUTES_MIN, max: MINUTES_MAX }) * 60_000,
    convergedWithinMs: CONVERGED_WITHIN_MS,
    quietWithinMs: QUIET_WITHIN_MS,
    burstMs: BURST_MS,
    json: values.json,
    progress: (line) => void process.stderr.write(`${line}\n`),
  };
}

async function main(): Promise<number> {
  const { json, ...options } = readOptions();
  if (json !== undefined) prepareFile(json);
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
    const { plan, deeds, violations } = result;
    const all = { ...report, plan: plan.map(lineOfEpisode), timeline: deeds.timeline, violations };
    writeFile(json, `${JSON.stringify(all, null, 2)}\n`);
  }
  const failed = result.violations.length > 0 || report.figures.some(({ holds }) => holds === false);
  return failed ? 1 : 0;
}

// The stack ends with this process, in whatever way that ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
await runCommand(main);
