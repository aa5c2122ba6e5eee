/** `npm run monitor` and `npm run runbook`. What is expected to go wrong becomes a message and a status. */
import { UsageError } from '../../scripts/command/usage-error.ts';
import { WriteError } from '../../scripts/command/write-file.ts';
import { findPlace } from '../command/local-stack.ts';
import type { Surroundings } from '../command/surroundings.ts';
import { TrafficError } from '../errors.ts';
import type { Policy } from '../policy/policy.ts';
import type { Acting } from './acting.ts';
import {
  MONITOR_USAGE,
  parseMonitorLine,
  parseRunbookLine,
  RUNBOOK_USAGE,
  type CommonOptions,
} from './command-line.ts';
import { incidentFiles } from './incident-file.ts';
import { Monitor } from './monitor.ts';
import { parseRunbooks, readRunbookTexts, type Runbook } from './runbook.ts';
import { runbookCommand } from './runbook-command.ts';
import type { Settings } from './settings.ts';

const FAILED = 1;
const USAGE_STATUS = 2;
/** Of `--once`: longer than the triggers that take a site out. */
const ROUND_MS = 60_000;
/** Looks that so many others are missing between do not follow each other. */
const GAP_LOOKS = 4;

/** Returns the exit status. */
export async function runMonitor(
  args: readonly string[],
  around: Surroundings,
  settings: Settings,
): Promise<number> {
  return reported(around, MONITOR_USAGE, async () => {
    const line = parseMonitorLine(args);
    if (line === undefined) return undefined;
    const { acting, runbooks } = await prepare(line, around, settings);
    const { intervalMs } = settings;
    const monitor = new Monitor({ acting, runbooks, intervalMs, gapMs: GAP_LOOKS * intervalMs });
    if (line.once) return (await monitor.round(ROUND_MS)) ? 0 : FAILED;
    await monitor.watch();
    return 0;
  });
}

/** Returns the exit status. */
export async function runRunbook(
  args: readonly string[],
  around: Surroundings,
  settings: Settings,
): Promise<number> {
  return reported(around, RUNBOOK_USAGE, async () => {
    const line = parseRunbookLine(args);
    if (line === undefined) return undefined;
    return runbookCommand(line, around, await prepare(line, around, settings));
  });
}

async function reported(
  around: Surroundings,
  usage: string,
  run: () => Promise<number | undefined>,
): Promise<number> {
  try {
    const status = await run();
    if (status === undefined) around.out(usage);
    return status ?? 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof TrafficError || error instanceof WriteError))
      throw error;
    around.err(`${error.message}\n`);
    if (!(error instanceof UsageError)) return FAILED;
    around.err('--help lists the options.\n');
    return USAGE_STATUS;
  }
}

interface Prepared {
  readonly acting: Acting;
  readonly runbooks: readonly Runbook[];
}

async function prepare(line: CommonOptions, around: Surroundings, settings: Settings): Promise<Prepared> {
  const { policy, provider, operatorKey } = await findPlace(line, around);
  const runbooks = parseRunbooks(readRunbookTexts(line.runbooks), policy);
  const { clock, observe, probe, signal, out } = around;
  const say = (text: string): void => {
    const at = new Date(clock.now()).toISOString();
    out(line.json ? `${JSON.stringify({ at, text: text.trim() })}\n` : `${at} ${text}\n`);
  };
  const acting: Acting = {
    policy,
    provider,
    clock,
    observe,
    probe,
    say,
    signal,
    owner: settings.owner,
    webhooks: settings.webhooks,
    operatorKey: settings.operatorKey ?? operatorKey,
    incidents: incidentFiles(line.incidents ?? incidentsOf(policy), () => clock.now()),
  };
  return { acting, runbooks };
}

/** Incidents of a stack on one machine are nothing for the repository. */
function incidentsOf({ provider }: Policy): string {
  return provider === 'local' ? '.tandem/incidents' : 'docs/incidents';
}
