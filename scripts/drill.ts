/**
 * `drill aws-lost|azure-lost`: a cloud is lost under load and comes back, on a stack of its own, with clients that find
 * the product by DNS only.
 */
import { prepareFolder } from '@tandem-clouds/command-line/write-file';
import type { DrillOptions } from '@tandem-clouds/testkit/drill/options';
import { reportOf, writeReport } from '@tandem-clouds/testkit/drill/report';
import { runDrill } from '@tandem-clouds/testkit/drill/run';
import { toMarkdown } from '@tandem-clouds/testkit/report/report';

const SITES = { aws: 'aws-us-east-1', azure: 'azure-eastus' } as const;
const DRILLS = {
  'aws-lost': [SITES.aws, SITES.azure],
  'azure-lost': [SITES.azure, SITES.aws],
} as const satisfies Record<string, readonly [victim: string, survivor: string]>;

export type DrillName = keyof typeof DRILLS;

export interface DrillInput extends Pick<DrillOptions, 'clients' | 'seed'> {
  readonly drill: DrillName;
  /** How long the cloud stays away, in milliseconds. */
  readonly duration: number;
  readonly out: string;
  readonly json: boolean;
}

/** Returns the exit status: 1 when a bar is broken or the run itself failed. */
export async function drill(input: DrillInput): Promise<number> {
  const { drill: name, duration: awayMs, out, json, ...options } = input;
  const [victim, survivor] = DRILLS[name];
  prepareFolder(out);
  // The stack ends with this process, in whatever way that ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const { observed, settings } = await runDrill({
    ...options,
    drill: name,
    victim,
    survivor,
    awayMs,
    progress,
  });
  const report = reportOf(observed, settings);
  const { page, picture } = writeReport(report, out);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${toMarkdown(report.figures).join('\n')}\n`);
  progress(`${report.drill}: ${report.passed ? 'passed' : 'FAILED'}; ${page}; drawn: ${picture}`);
  return report.passed ? 0 : 1;
}
