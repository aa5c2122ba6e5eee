/**
 * `npm run drill -- aws-lost|azure-lost`: a cloud is lost under load and comes back, on a stack of its own, with clients
 * that find the product by DNS only.
 *
 * Exit status: 0, or 1 when a bar is broken or the run itself failed, or 2 for a wrong command line.
 */
import { parseArgs } from 'node:util';
import { readWhole } from './command/numbers.ts';
import { runCommand } from './command/run-command.ts';
import { UsageError } from './command/usage-error.ts';
import { prepareFolder } from './command/write-file.ts';
import { RTO_BELOW_S } from './drill/figures.ts';
import { reportOf, writeReport } from './drill/report.ts';
import { runDrill, type DrillOptions } from './drill/run.ts';
import { toMarkdown } from './bench/report.ts';

const SITES = { aws: 'aws-us-east-1', azure: 'azure-eastus' };
const DRILLS: Readonly<Record<string, readonly [victim: string, survivor: string]>> = {
  'aws-lost': [SITES.aws, SITES.azure],
  'azure-lost': [SITES.azure, SITES.aws],
};

/** Two checks and a TTL take 30 s: a cloud that is back sooner shows no failover. */
const AWAY_S_MIN = 40;
/** A day: longer is no drill. */
const AWAY_S_MAX = 86_400;

const USAGE = `Usage: npm run drill -- ${Object.keys(DRILLS).join('|')} [options]

Kills a cloud of a stack of its own under load, keeps it dead, and brings it back. Clients find the product by DNS.

  --duration <seconds>   how long the cloud stays away, ${AWAY_S_MIN} at least          (60)
  --clients <n>          that honour the TTL; a quarter more that ignore it  (16)
  --seed <n>             when the cut falls, and what clients do             (1)
  --out <folder>         where the report is written     (.tandem/drills; docs/drills holds those to keep)
  --json                 the report on standard output
  --help                 show this

The bar: clients that honour the TTL see no error ${RTO_BELOW_S} s after the cut, and none with a DNS answer from after the
redirect; no acknowledged write is lost. Exit status: 0, or 1 when it is broken or the run failed.
`;

interface CommandLine {
  readonly options: Omit<DrillOptions, 'progress'>;
  readonly out: string;
  readonly json: boolean;
}

/** Undefined: help. @throws UsageError, or parseArgs' TypeError, naming what is wrong. */
function readCommandLine(): CommandLine | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      duration: { type: 'string', default: '60' },
      clients: { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string', default: '.tandem/drills' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const [drill = '', ...rest] = positionals;
  const sites = Object.hasOwn(DRILLS, drill) ? DRILLS[drill] : undefined;
  if (sites === undefined || rest.length > 0) {
    throw new UsageError(`one drill is needed: ${Object.keys(DRILLS).join(' or ')}`);
  }
  const [victim, survivor] = sites;
  const options = {
    drill,
    victim,
    survivor,
    seed: readWhole(values.seed, { name: '--seed', min: 0 }),
    clients: readWhole(values.clients, { name: '--clients', min: 1 }),
    awayMs: readWhole(values.duration, { name: '--duration', min: AWAY_S_MIN, max: AWAY_S_MAX }) * 1_000,
  };
  return { options, out: values.out, json: values.json };
}

async function main(): Promise<number> {
  const line = readCommandLine();
  if (line === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  prepareFolder(line.out);
  // The stack ends with this process, in whatever way that ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const { observed, settings } = await runDrill({ ...line.options, progress });
  const report = reportOf(observed, settings);
  const page = writeReport(report, line.out);
  process.stdout.write(
    line.json ? `${JSON.stringify(report)}\n` : `${toMarkdown(report.figures).join('\n')}\n`,
  );
  progress(`${report.drill}: ${report.passed ? 'passed' : 'FAILED'}; ${page}`);
  return report.passed ? 0 : 1;
}

await runCommand(main, { hint: 'npm run drill -- --help says more.' });
