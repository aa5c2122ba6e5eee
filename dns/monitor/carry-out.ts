/**
 * Carries a decision out, under the zone's lock.
 *
 * Invariant: the zone says that an incident is open before, or with, the first thing that is done about it. So of two
 * monitors one acts and the other sees that it did, and what one leaves undone, because it died or could not, the next
 * one finishes. An action that was done but not yet written down is done again, and changes nothing.
 */
import { type Incident, incidentKey, isSettled, type Mark } from '../incidents.ts';
import { withLock } from '../plan/lock.ts';
import type { Raised } from '../raised.ts';
import { carryOutAction, type Result } from './actions.ts';
import { begun, type Decision, isEarly, leftToDo, sentBack } from './decide.ts';
import { Ledger } from './ledger.ts';
import type { MonitorContext } from './monitor-context.ts';
import type { Action } from './runbook.ts';

/** `elsewhere`: another monitor was faster. */
export type RunbookResult = 'done' | 'elsewhere' | 'failed' | 'sent back';

/** @throws TrafficError when the lock cannot be had, or the zone can be neither read nor written. */
export async function carryOut(monitorContext: MonitorContext, decision: Decision): Promise<RunbookResult> {
  const { provider, clock, report, owner } = monitorContext;
  return withLock({ provider, clock, report, owner }, async (lock) => {
    const ledger = await Ledger.open(provider);
    const key = incidentKey({ runbook: decision.runbook.name, site: decision.site });
    const incident = begun(decision, ledger.find(key), clock.now());
    if (incident === undefined) return 'elsewhere';
    report(titleOf(decision, incident));
    const { end, wentBack } = await allActions({ monitorContext, lock, ledger, decision }, incident);
    if (wentBack) {
      await ledger.write(sentBack(end, clock.now()));
      return 'sent back';
    }
    const complete = leftToDo(decision.runbook, end, clock.now()) === 0;
    const isClosed = complete && end.phase === 'over';
    await ledger.write(isClosed ? { ...end, phase: 'closed', changedAtMs: wholeSeconds(clock.now()) } : end);
    return complete ? 'done' : 'failed';
  });
}

interface Run {
  readonly monitorContext: MonitorContext;
  readonly lock: Parameters<Parameters<typeof withLock>[1]>[0];
  readonly ledger: Ledger;
  readonly decision: Decision;
}

/** All that are not done yet, in order; one that fails does not keep the next from being tried. */
async function allActions(
  { monitorContext, lock, ledger, decision }: Run,
  begin: Incident,
): Promise<{ readonly end: Incident; readonly wentBack: boolean }> {
  const { runbook, urgent } = decision;
  const reported: string[] = [];
  let incident = begin;
  const note = (line: string): void => {
    reported.push(line);
    monitorContext.report(`  ${line}`);
    monitorContext.incidents.add(incident, line);
  };
  for (const [index, action] of (begin.phase === 'open' ? runbook.actions : runbook.over).entries()) {
    if (monitorContext.signal.aborted) break;
    if (isEarly(action, incident, monitorContext.clock.now())) continue;
    if (isSettled(markAt(incident, index))) {
      reported.push(`${action.do}: done before`);
      continue;
    }
    if (!writesAlong(action) && !isWritten(ledger, incident)) await ledger.write(incident);
    const marked = (mark: Mark): Incident => withMark(incident, index, mark);
    const result: Result = await carryOutAction(action, {
      monitorContext,
      lock,
      ledger,
      runbook,
      incident,
      index,
      marked,
      urgent,
      reported,
    });
    note(result.line);
    if (result.sentBack === true) return { end: incident, wentBack: true };
    incident = withRaised(marked(result.mark), result.raised);
  }
  return { end: incident, wentBack: false };
}

/** They write the incident themselves, in the same change as the traffic. */
function writesAlong({ do: what }: Action): boolean {
  return what === 'failover' || what === 'restore';
}

/** The zone says of it at least that it has begun. */
function isWritten(ledger: Ledger, { phase, changedAtMs, ...of }: Incident): boolean {
  const there = ledger.find(incidentKey(of));
  return there?.phase === phase && there.changedAtMs === changedAtMs;
}

function markAt({ phase, did, undid }: Incident, index: number): Mark {
  return (phase === 'open' ? did : undid)[index] ?? '-';
}

function withMark(incident: Incident, index: number, mark: Mark): Incident {
  const set = (marks: readonly Mark[]): readonly Mark[] => {
    const length = Math.max(marks.length, index + 1);
    return Array.from({ length }, (_mark, at) => (at === index ? mark : (marks[at] ?? '-')));
  };
  return incident.phase === 'open'
    ? { ...incident, did: set(incident.did) }
    : { ...incident, undid: set(incident.undid) };
}

function withRaised(incident: Incident, raised: Raised | undefined): Incident {
  if (raised === undefined) return incident;
  const { raised: _before, ...others } = incident;
  return Object.keys(raised).length === 0 ? others : { ...others, raised };
}

function titleOf({ kind, runbook, site }: Decision, { phase }: Incident): string {
  if (kind === 'continue') return `${runbook.name} ${site}: goes on with what is left to do`;
  return phase === 'open'
    ? `${runbook.name} ${site}: ${runbook.description}`
    : `${runbook.name} ${site}: over`;
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
