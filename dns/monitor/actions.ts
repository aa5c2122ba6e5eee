/** Each action of a runbook, once, while the zone's lock is held. Doing it again changes nothing. */
import { RefusedError, TrafficError } from '../errors.ts';
import { acknowledgementText, type Incident, incidentKey, isTooLong, type Mark } from '../incidents.ts';
import type { Lock } from '../plan/lock.ts';
import type { Plan } from '../plan/plan.ts';
import type { Raised } from '../raised.ts';
import { shareOf } from '../shift/steps.ts';
import { traffic, type TrafficRequest } from '../shift/traffic.ts';
import { checkCapacity } from './capacity/check.ts';
import { plannedRaises, putBack, raiseAll, raisedWith } from './capacity/raise.ts';
import { takenOut } from './decide.ts';
import type { Ledger } from './ledger.ts';
import type { MonitorContext } from './monitor-context.ts';
import { type Notice, send } from './notify.ts';
import { pause, resume } from './replication.ts';
import type { Action, EscalateAction, NotifyAction, RaiseAction, Runbook, ShiftAction } from './runbook.ts';

export interface Step {
  readonly monitorContext: MonitorContext;
  readonly lock: Lock;
  readonly ledger: Ledger;
  readonly runbook: Runbook;
  readonly incident: Incident;
  /** Of the action in its list. */
  readonly index: number;
  /** As it will be when this action has got that mark. */
  readonly marked: (mark: Mark) => Incident;
  /** Nobody else is there to serve. */
  readonly urgent: boolean;
  /** What the actions before it have said. */
  readonly reported: readonly string[];
}

export interface Result {
  readonly mark: Mark;
  readonly line: string;
  /** A gate was crossed on the way back. */
  readonly sentBack?: true;
  /** What is raised from now on, where that has changed; nothing: all of it is back. */
  readonly raised?: Raised;
}

/** Does not reject for what a result can say. @throws RefusedError when the lock was lost. */
export async function carryOutAction(action: Action, step: Step): Promise<Result> {
  await step.lock.renew();
  try {
    return await doIt(action, step);
  } catch (error) {
    if (!(error instanceof TrafficError)) throw error;
    return { mark: '-', line: `${action.do}: ${error.message}` };
  }
}

async function doIt(action: Action, step: Step): Promise<Result> {
  const { monitorContext, runbook, incident } = step;
  switch (action.do) {
    case 'failover':
      return takeOut(step);
    case 'shift':
      return shiftAway(action, step);
    case 'restore':
      return letBackIn(action.now ?? false, step);
    case 'checkCapacity': {
      const { lines } = await checkCapacity(monitorContext, incident.site, action.limits ?? {});
      return { mark: 's', line: lines.join('; ') };
    }
    case 'pauseReplication':
      return pauseAll(step);
    case 'resumeReplication':
      return resumeAll(step);
    case 'notify':
      return notify(action, step, noticeOf(step));
    case 'escalate': {
      const { acknowledged } = incident;
      if (acknowledged === undefined) return notify(action, step, escalationOf(step));
      return { mark: 's', line: `escalate: ${acknowledgementText(acknowledged)}` };
    }
    case 'raiseCapacity':
      return raise(action, step);
    case 'restoreCapacity':
      return restoreCapacity(step);
    case 'openIncident': {
      const file = monitorContext.incidents.open(incident, runbook);
      for (const line of step.reported) monitorContext.incidents.add(incident, line);
      return { mark: 'x', line: `incident: ${file ?? 'in this log'}` };
    }
  }
}

async function takeOut(step: Step): Promise<Result> {
  const { ledger, incident, marked } = step;
  const { site } = incident;
  if (ledger.overrides.get(site) === 0) return { mark: 's', line: `failover: ${site} was out already` };
  return moved('failover', step, { request: { kind: 'failover', site, force: true }, along: marked('x') });
}

/**
 * In gated steps; the others' gates alone count. The zone says with the first step that it is ours, so that it is finished
 * or taken back also when this monitor dies on the way.
 */
async function shiftAway(action: ShiftAction, step: Step): Promise<Result> {
  const { monitorContext, lock, ledger, incident, marked } = step;
  const { site } = incident;
  const { percent, stepPercent, holdSeconds, gates } = action;
  const isOurs = incident.did[step.index] === 'p';
  if (!isOurs && ledger.overrides.has(site)) {
    return { mark: 's', line: `shift: somebody has moved ${site} already` };
  }
  const standsAt = shareOf(monitorContext.policy, site, ledger.overrides);
  if (standsAt === undefined) return { mark: 's', line: `shift: no weighted name is served by ${site}` };
  if (standsAt <= percent) return { mark: isOurs ? 'x' : 's', line: `shift: ${site} is at ${standsAt} %` };
  let change = ledger.changeTo(marked('p'));
  let hasMoved = isOurs;
  const usual = monitorContext.policy.shift;
  const shift = {
    ...usual,
    ...(stepPercent !== undefined && { stepPercent }),
    ...(holdSeconds !== undefined && { holdSeconds }),
    gates: { ...usual.gates, ...gates },
  };
  const { result, reason } = await traffic(
    {
      ...monitorContext,
      policy: { ...monitorContext.policy, shift },
      lock,
      unjudged: site,
      onMoment: () => {
        if (change !== undefined) ledger.made(change);
        change = undefined;
        hasMoved = true;
      },
    },
    { kind: 'shift', site, percent },
    (plan) => (change === undefined ? plan : { ...plan, changes: [...plan.changes, change] }),
  );
  const line = `shift: ${site} to ${percent} %: ${result}${reason === undefined ? '' : `: ${reason}`}`;
  if (result === 'done') return { mark: 'x', line };
  // One that goes on from where another stopped returns to there, and so is still to be taken back.
  if (result === 'returned') return { mark: isOurs ? 'x' : 's', line };
  return { mark: hasMoved ? 'p' : '-', line };
}

async function letBackIn(now: boolean, step: Step): Promise<Result> {
  const { ledger, incident, runbook, urgent, marked } = step;
  const { site } = incident;
  if (!takenOut(runbook, incident)) {
    return { mark: 's', line: `restore: no monitor has taken ${site} out, so none lets it back in` };
  }
  if (!ledger.overrides.has(site)) return { mark: 's', line: `restore: ${site} is back already` };
  if (now || urgent) {
    return moved('restore', step, { request: { kind: 'restore', now: true, site }, along: marked('x') });
  }
  await ledger.write(incident);
  return moved('restore', step, { request: { kind: 'restore', now: false, site } });
}

/** `along`: what the zone is to say of the incident from the moment on that the traffic is moved. */
async function moved(
  what: string,
  { monitorContext, lock, ledger, incident }: Step,
  { request, along }: { readonly request: TrafficRequest; readonly along?: Incident },
): Promise<Result> {
  const change = along && ledger.changeTo(along);
  const { result, reason } = await traffic({ ...monitorContext, lock }, request, (plan: Plan) =>
    change === undefined ? plan : { ...plan, changes: [...plan.changes, change] },
  );
  const line = `${what}: ${incident.site}: ${result}${reason === undefined ? '' : `: ${reason}`}`;
  if (result !== 'done') return { mark: '-', line, ...(result === 'returned' && { sentBack: true }) };
  if (change !== undefined) ledger.made(change);
  return { mark: 'x', line };
}

/** What the others send to the site. */
async function pauseAll({ monitorContext, incident }: Step): Promise<Result> {
  const { operatorKey, others } = reachable(monitorContext, incident.site);
  if (operatorKey === undefined) return { mark: 's', line: 'pauseReplication: no operator key is set' };
  const paused = await Promise.all(
    others.map(async ({ site, url }) => ({ site, ours: await pause({ url, operatorKey }, incident.site) })),
  );
  const ours = paused.filter((one) => one.ours).map(({ site }) => site);
  return ours.length > 0
    ? { mark: 'x', line: `pauseReplication: ${ours.join(', ')} → ${incident.site}` }
    : { mark: 's', line: `pauseReplication: to ${incident.site} it was paused already` };
}

async function resumeAll({ monitorContext, incident, runbook }: Step): Promise<Result> {
  const ours = runbook.actions.some(
    (action, index) => action.do === 'pauseReplication' && incident.did[index] === 'x',
  );
  if (!ours) return { mark: 's', line: 'resumeReplication: no monitor has paused it' };
  const { operatorKey, others } = reachable(monitorContext, incident.site);
  if (operatorKey === undefined) throw new RefusedError('no operator key is set');
  const sent = await Promise.all(
    others.map(async ({ site, url }) => `${site} ${await resume({ url, operatorKey }, incident.site)} keys`),
  );
  return { mark: 'x', line: `resumeReplication: to ${incident.site} sent: ${sent.join(', ')}` };
}

function reachable({ policy, operatorKey }: MonitorContext, without: string) {
  const others = Object.entries(policy.sites).flatMap(([site, { url }]) =>
    site === without || url === undefined ? [] : [{ site, url }],
  );
  return { operatorKey, others };
}

/** The zone says what there was before anything is changed. */
async function raise(action: RaiseAction, step: Step): Promise<Result> {
  const { monitorContext, lock, ledger, incident, marked } = step;
  const raises = await plannedRaises(monitorContext, action, incident.site);
  const isOurs = incident.raised !== undefined;
  if (raises.length === 0) {
    return { mark: isOurs ? 'x' : 's', line: 'raiseCapacity: there is nothing to raise' };
  }
  const raised = raisedWith(incident.raised ?? {}, raises);
  const next = { ...marked('p'), ...(Object.keys(raised).length > 0 && { raised }) };
  if (isTooLong(ledger.incidentsWith(next))) {
    throw new RefusedError("the zone's record of incidents has no room for what there was");
  }
  await ledger.write(next);
  const { lines, isLeft } = await raiseAll(raises, () => lock.renew());
  return { mark: isLeft ? 'p' : 'x', line: `raiseCapacity: ${lines.join('; ')}`, raised };
}

async function restoreCapacity({ monitorContext, lock, incident }: Step): Promise<Result> {
  if (incident.raised === undefined) {
    return { mark: 's', line: 'restoreCapacity: no monitor has raised anything' };
  }
  const { lines, left } = await putBack(monitorContext, incident.raised, () => lock.renew());
  const isLeft = Object.keys(left).length > 0;
  return { mark: isLeft ? '-' : 'x', line: `restoreCapacity: ${lines.join('; ')}`, raised: left };
}

async function notify(
  action: EscalateAction | NotifyAction,
  { monitorContext: { webhooks, clock } }: Step,
  notice: Notice,
): Promise<Result> {
  const webhook = webhooks.get(action.to);
  if (webhook === undefined) return { mark: 's', line: `${action.do}: there is no webhook '${action.to}'` };
  await send(action, notice, { webhook, clock });
  return { mark: 'x', line: `${action.do}: told ${action.to}` };
}

/** To whoever was not notified before, and so with all that it is about. */
function escalationOf(step: Step): Notice {
  const { monitorContext, runbook, incident } = step;
  const { zone } = monitorContext.policy;
  const minutes = Math.floor((monitorContext.clock.now() - incident.openedAtMs) / 60_000);
  const since = `open since ${new Date(incident.openedAtMs).toISOString()}`;
  return {
    ...noticeOf(step),
    event: 'unacknowledged',
    text: `${zone}: nobody has acknowledged for ${minutes} min: ${runbook.description} (${incident.site})`,
    details: [
      since,
      `npm run tandem -- acknowledge ${runbook.name} ${incident.site} --why <text>`,
      ...noticeOf(step).details,
    ],
  };
}

function noticeOf({ monitorContext, runbook, incident, reported }: Step): Notice {
  const isOver = incident.phase === 'over';
  const { zone } = monitorContext.policy;
  const { site } = incident;
  return {
    event: isOver ? 'over' : 'opened',
    zone,
    runbook: runbook.name,
    site,
    text: `${zone}: ${isOver ? 'over: ' : ''}${runbook.description} (${site})`,
    details: [...reported, ...(runbook.prose === undefined ? [] : [`runbook: ${runbook.prose}`])],
    at: new Date(monitorContext.clock.now()).toISOString(),
    dedupKey: dedupKey(zone, incident),
  };
}

/** One per zone, runbook and site: a paging tool that holds an open alert adds to it. */
export function dedupKey(zone: string, of: Pick<Incident, 'runbook' | 'site'>): string {
  return `${zone}/${incidentKey(of)}`;
}
