/** `npm run tandem -- runbook`: lists, shows what would be done, or does it. */
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { RefusedError, TrafficError } from '../errors.ts';
import { type Incident, incidentKey, incidentsIn, isSettled } from '../incidents.ts';
import { checkCapacity } from '../monitor/capacity/check.ts';
import { plannedRaises, type Raise } from '../monitor/capacity/raise.ts';
import { carryOut } from '../monitor/carry-out.ts';
import { type Decision, takenOut } from '../monitor/decide.ts';
import type { MonitorContext } from '../monitor/monitor-context.ts';
import { type Action, type RaiseAction, type Runbook, sitesOf } from '../monitor/runbook.ts';
import { LEVEL_FIELDS, type RaisedFields } from '../raised.ts';
import { preview, type TrafficRequest } from '../shift/traffic.ts';
import type { CommandContext } from './command-context.ts';
import type { MonitorCommandContext, RunbookLine } from './monitor-line.ts';
import { painter, planText } from './render.ts';

interface Prepared {
  readonly monitorContext: MonitorContext;
  readonly runbooks: readonly Runbook[];
}

/** Returns the exit status. @throws TrafficError */
export async function runbookCommand(
  line: RunbookLine,
  commandContext: MonitorCommandContext,
  { monitorContext, runbooks }: Prepared,
): Promise<number> {
  if (line.name === undefined) return list(line, commandContext, runbooks);
  const runbook = runbooks.find(({ name }) => name === line.name);
  if (runbook === undefined) {
    const known = runbooks.map(({ name }) => name).join(', ') || 'none';
    throw new UsageError(`there is no runbook '${line.name}'; the runbooks are: ${known}`);
  }
  const decision = await decisionOf(line, runbook, monitorContext);
  if (line.dryRun) return show(decision, commandContext, monitorContext);
  await agree(line, decision, commandContext);
  const result = await carryOut(monitorContext, decision);
  if (result === 'elsewhere') throw new RefusedError('somebody else acts on it right now; look again');
  commandContext.out(
    line.json ? `${JSON.stringify({ result })}\n` : `${runbook.name} ${decision.site}: ${result}\n`,
  );
  return result === 'done' ? 0 : 1;
}

function list({ json }: RunbookLine, { out, colour }: CommandContext, runbooks: readonly Runbook[]): number {
  const paint = painter(colour);
  for (const { name, description, trigger, actions, over } of runbooks) {
    const steps = { actions: actions.map((action) => action.do), over: over.map((action) => action.do) };
    out(
      json
        ? `${JSON.stringify({ name, description, trigger, ...steps })}\n`
        : `${paint('bold', name)}\n  ${description}\n  ${steps.actions.join(', ')}\n` +
            (over.length > 0 ? `  when it is over: ${steps.over.join(', ')}\n` : ''),
    );
  }
  return 0;
}

/** As if its trigger had fired. An incident that is open already is gone on with. */
async function decisionOf(
  { site: requested, over }: RunbookLine,
  runbook: Runbook,
  { policy, provider }: MonitorContext,
): Promise<Decision> {
  const site = siteFor(runbook, requested, sitesOf(runbook, policy));
  const key = incidentKey({ runbook: runbook.name, site });
  const seen = incidentsIn((await provider.read()).records, policy.zone).find(
    (one) => incidentKey(one) === key,
  );
  return {
    kind: kindOf(over, seen, key),
    runbook,
    site,
    urgent: false,
    ...(seen !== undefined && { seen }),
  };
}

function siteFor(runbook: Runbook, requested: string | undefined, sites: readonly string[]): string {
  const [first = ''] = sites;
  if (requested === undefined && sites.length === 1) return first;
  if (requested !== undefined && sites.includes(requested)) return requested;
  throw new UsageError(`${runbook.name} is for ${sites.join(', ')}; say which with --site`);
}

function kindOf(over: boolean, seen: Incident | undefined, key: string): Decision['kind'] {
  if (!over) return seen?.phase === 'open' ? 'continue' : 'open';
  if (seen?.phase === 'open') return 'close';
  if (seen?.phase === 'over') return 'continue';
  throw new RefusedError(`${key} has no open incident, so there is no way back`);
}

async function agree(
  line: RunbookLine,
  { runbook, site }: Decision,
  commandContext: CommandContext,
): Promise<void> {
  if (line.yes) return;
  if (commandContext.confirm === undefined) throw new UsageError('nobody to ask: a runbook needs --yes here');
  const what = `${runbook.name}${line.over ? ', the way back' : ''}, for ${site}`;
  if (!(await commandContext.confirm(`Carry out ${what}? [y/N] `)))
    throw new RefusedError('nothing was changed');
}

/** Reads and says; takes no lock, as that would be a change. */
async function show(
  decision: Decision,
  commandContext: MonitorCommandContext,
  monitorContext: MonitorContext,
): Promise<number> {
  const { kind, runbook, site, seen } = decision;
  const isBack = kind === 'close' || (kind === 'continue' && seen?.phase === 'over');
  const marks = (kind === 'open' || kind === 'close' ? [] : isBack ? seen?.undid : seen?.did) ?? [];
  commandContext.out(`${runbook.name} ${site}: nothing is changed by this\n`);
  for (const [index, action] of (isBack ? runbook.over : runbook.actions).entries()) {
    const isDone = isSettled(marks[index] ?? '-');
    const would = isDone
      ? 'done before'
      : await wouldDo(action, { decision, monitorContext, commandContext });
    commandContext.out(`${index + 1}. ${action.do}: ${would}\n`);
  }
  return 0;
}

interface Showing {
  readonly decision: Decision;
  readonly monitorContext: MonitorContext;
  readonly commandContext: MonitorCommandContext;
}

async function wouldDo(action: Action, showing: Showing): Promise<string> {
  const { decision, monitorContext } = showing;
  const { site, runbook, seen } = decision;
  const others = Object.keys(monitorContext.policy.sites).filter((other) => other !== site);
  switch (action.do) {
    case 'failover':
      return trafficOf({ kind: 'failover', site, force: true }, showing);
    case 'shift':
      return trafficOf({ kind: 'shift', site, percent: action.percent }, showing);
    case 'restore':
      return seen === undefined || !takenOut(runbook, seen)
        ? `no monitor has taken ${site} out, so none lets it back in`
        : trafficOf({ kind: 'restore', now: action.now ?? false, site }, showing);
    case 'checkCapacity':
      return (await checkCapacity(monitorContext, site, action.limits ?? {})).lines.join('; ');
    case 'pauseReplication':
    case 'resumeReplication':
      return monitorContext.operatorKey === undefined
        ? 'nothing, as TANDEM_OPERATOR_KEY is not set'
        : `from ${others.join(', ')} to ${site}`;
    case 'notify':
    case 'escalate': {
      const { to, format = 'generic' } = action;
      const when = action.do === 'escalate' ? `, unless acknowledged within ${action.afterSeconds} s` : '';
      return monitorContext.webhooks.has(to)
        ? `${to}, ${format}${when}`
        : `nobody, as TANDEM_WEBHOOKS has no '${to}'`;
    }
    case 'openIncident':
      return 'a file with what happens';
    case 'raiseCapacity':
      return wouldRaise(action, showing);
    case 'restoreCapacity':
      return seen?.raised === undefined
        ? 'nothing, as no monitor has raised anything'
        : Object.entries(seen.raised)
            .flatMap(([where, fields]) => backLines(where, fields))
            .join('; ');
  }
}

/** And what an hour of it costs at most; limits that it would cross. */
async function wouldRaise(
  action: RaiseAction,
  { decision, monitorContext, commandContext: { prices } }: Showing,
): Promise<string> {
  let raises: readonly Raise[];
  try {
    raises = await plannedRaises(monitorContext, action, decision.site);
  } catch (error) {
    if (!(error instanceof TrafficError)) throw error;
    return `refused: ${error.message}`;
  }
  if (raises.length === 0) return 'nothing to raise';
  const usd = (parts: Raise['parts'], to: number): number =>
    parts.reduce((sum, { level, price }) => sum + (to - level) * price.times * (prices?.[price.of] ?? 0), 0);
  const lines = raises.map(({ site, field, to, scaler, parts }) =>
    scaler === undefined
      ? `${site} ${field}: left to a monitor that may change it (TANDEM_CAPACITY)`
      : `${site} ${field} to ${to}: ${parts.map(({ name, level }) => `${name} from ${level}`).join(', ')}` +
        (prices === undefined ? '' : `; at most ${usd(parts, to).toFixed(2)} USD an hour more`),
  );
  return lines.join('\n   ');
}

function backLines(site: string, fields: RaisedFields): string[] {
  return LEVEL_FIELDS.flatMap((field) => {
    const parts = Object.entries(fields[field] ?? {}).map(([name, [from]]) => `${name} back to ${from}`);
    return parts.length === 0 ? [] : [`${site} ${field}: ${parts.join(', ')}`];
  });
}

/** The plan of the whole way, and whether a guard would refuse its end. */
async function trafficOf(
  request: TrafficRequest,
  { monitorContext, commandContext }: Showing,
): Promise<string> {
  const { plan, refusal } = await preview(monitorContext, request);
  if (plan.changes.length === 0) return 'nothing, as it stands so already';
  if (refusal !== undefined) return `refused: ${refusal}`;
  return `\n${planText(plan, commandContext.colour).trimEnd()}`;
}
