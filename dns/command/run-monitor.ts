/** What the commands `monitor` and `runbook` do. */
import { findPlace } from './local-stack.ts';
import type { Surroundings } from './command-context.ts';
import type { Policy } from '../policy/policy.ts';
import type { Acting } from '../monitor/monitor-context.ts';
import type { CommonOptions, MonitorLine, MonitorSurroundings, RunbookLine } from './monitor-command.ts';
import { incidentFiles } from '../monitor/incident-file.ts';
import { Monitor } from '../monitor/monitor.ts';
import { parseRunbooks, readRunbookTexts, type Runbook } from '../monitor/runbook.ts';
import { runbookCommand } from './runbook-command.ts';
import type { Settings } from '../monitor/settings.ts';

const FAILED = 1;
/** Of `--once`: longer than the triggers that take a site out. */
const ROUND_MS = 60_000;
/** Looks that so many others are missing between do not follow each other. */
const GAP_LOOKS = 4;

/** Returns the exit status: 1 when the zone could not be read. */
export async function watch(line: MonitorLine, around: MonitorSurroundings): Promise<number> {
  const { settings } = around;
  const { acting, runbooks } = await prepare(line, around, settings);
  const { intervalMs } = settings;
  const monitor = new Monitor({ acting, runbooks, intervalMs, gapMs: GAP_LOOKS * intervalMs });
  if (line.once) return (await monitor.round(ROUND_MS)) ? 0 : FAILED;
  await monitor.watch();
  return 0;
}

/** Returns the exit status: 1 when it was refused, or not all of it was possible. */
export async function carryOutRunbook(line: RunbookLine, around: MonitorSurroundings): Promise<number> {
  return runbookCommand(line, around, await prepare(line, around, around.settings));
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
