/** What the commands `monitor` and `runbook` do. */
import { openScalers } from '../monitor/capacity/places.ts';
import { incidentFiles } from '../monitor/incident-file.ts';
import { Monitor } from '../monitor/monitor.ts';
import type { MonitorContext } from '../monitor/monitor-context.ts';
import { parseRunbooks, readRunbookTexts, type Runbook } from '../monitor/runbook.ts';
import type { Settings } from '../monitor/settings.ts';
import type { CommandContext } from './command-context.ts';
import {
  type CommonOptions,
  incidentsOf,
  type MonitorCommandContext,
  type MonitorLine,
  type RunbookLine,
} from './monitor-line.ts';
import { findPlace } from './place.ts';
import { runbookCommand } from './runbook-command.ts';

const FAILED = 1;
/** Of `--once`: longer than the triggers that take a site out. */
const ROUND_MS = 60_000;
/** Looks that so many others are missing between do not follow each other. */
const GAP_SAMPLES = 4;

/** Returns the exit status: 1 when the zone could not be read. */
export async function watch(line: MonitorLine, commandContext: MonitorCommandContext): Promise<number> {
  const { settings } = commandContext;
  const { monitorContext, runbooks } = await prepare(line, commandContext, settings);
  const { intervalMs } = settings;
  const monitor = new Monitor({ monitorContext, runbooks, intervalMs, gapMs: GAP_SAMPLES * intervalMs });
  if (line.once) return (await monitor.round(ROUND_MS)) ? 0 : FAILED;
  await monitor.watch();
  return 0;
}

/** Returns the exit status: 1 when it was refused, or not all of it was possible. */
export async function carryOutRunbook(
  line: RunbookLine,
  commandContext: MonitorCommandContext,
): Promise<number> {
  return runbookCommand(line, commandContext, await prepare(line, commandContext, commandContext.settings));
}

interface Prepared {
  readonly monitorContext: MonitorContext;
  readonly runbooks: readonly Runbook[];
}

async function prepare(
  line: CommonOptions,
  commandContext: CommandContext,
  settings: Settings,
): Promise<Prepared> {
  const { policy, provider, operatorKey } = await findPlace(line, commandContext);
  const runbooks = parseRunbooks(readRunbookTexts(line.runbooks), policy);
  const { clock, observe, probe, signal, out } = commandContext;
  const report = (text: string): void => {
    const at = new Date(clock.now()).toISOString();
    out(line.json ? `${JSON.stringify({ at, text: text.trim() })}\n` : `${at} ${text}\n`);
  };
  const monitorContext: MonitorContext = {
    policy,
    provider,
    clock,
    observe,
    probe,
    report,
    signal,
    owner: settings.owner,
    webhooks: settings.webhooks,
    operatorKey: settings.operatorKey ?? operatorKey,
    incidents: incidentFiles(line.incidents ?? incidentsOf(policy), () => clock.now()),
    scalers: await openScalers(settings.capacity, clock),
  };
  return { monitorContext, runbooks };
}
