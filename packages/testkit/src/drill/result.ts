/** From what was seen to what it means. Pure. Moments are in milliseconds after the cut. */
import { groupBy } from '../history/facts.ts';
import { type Call, type Group, GROUPS, isError, type Observed } from '../history/observed.ts';
import { fullCapacityMs, secondsOf } from './series.ts';

export interface Moments {
  /** The DNS server's health check gave the lost site up. */
  readonly detected: number | undefined;
  /** The first DNS answer after the health check gave the site up and after the last one that led there. */
  readonly redirected: number | undefined;
  /** The first good answer of the other site to a client that was on the lost one. May be by chance, before all that. */
  readonly firstGood: number | undefined;
  /** The recovery time: the last error of a client that honours the TTL. */
  readonly lastError: number | undefined;
  /** The last client that honours the TTL has had a good answer after its last error. */
  readonly allServed: number | undefined;
  /**
   * Full capacity: from this second on, for `STEADY_SECONDS`, the good answers are those of before the cut again, but for
   * `STEADY_SHARE`. Undefined also when too little was seen before the cut.
   */
  readonly fullCapacity: number | undefined;
  /** The lost site may start again. */
  readonly back: number;
  /** Its functions and its bridge are ready. */
  readonly serves: number | undefined;
  /** Every write that was acknowledged before the return is at both sites. */
  readonly converged: number | undefined;
  /** The first DNS answer that leads there again. */
  readonly inRotation: number | undefined;
}

/** Of one group. */
export interface GroupResult {
  readonly group: Group;
  readonly clients: number;
  readonly requests: number;
  /** By kind: `HTTP 503`, `ECONNRESET`. */
  readonly errors: Readonly<Record<string, number>>;
  /** Milliseconds after the cut. */
  readonly firstErrorMs: number | undefined;
  readonly lastErrorMs: number | undefined;
}

/** Of clients that use the product's client. */
export interface FailoverResult {
  readonly calls: number;
  /** Calls for which more than one request was sent. */
  readonly repeated: number;
  readonly increments: number;
  /** Increments that ended as `OutcomeUnknown`. */
  readonly outcomesUnknown: number;
  /** Creations that did. */
  readonly creationsUnknown: number;
  readonly stale: number;
  /** Counters that do not say what was acknowledged. */
  readonly miscounted: number;
}

export interface DrillResult {
  readonly moments: Moments;
  readonly groups: readonly GroupResult[];
  /** Requests that used a DNS answer which was got after the redirect, by clients that honour the TTL. */
  readonly afterRedirect: { readonly requests: number; readonly errors: number };
  readonly failover: FailoverResult;
  readonly writes: number;
  readonly reads: number;
  /** Reads that did not show what the same client had been told is written. */
  readonly staleReads: number;
  readonly replayed: number;
  /** Distinct operations of which an acknowledgement is not kept. */
  readonly lost: number;
  readonly diverging: number;
  readonly otherFindings: number;
}

/** The checkers' names for a write that was acknowledged and is not there. */
const LOST = ['acknowledged writes', '2 values'];
const DIVERGING = '1 convergence';
const MISCOUNTED = 'increments';

export function resultOf(observed: Observed): DrillResult {
  const { calls, findings } = observed;
  const moments = momentsOf(observed);
  const redirectedMs = observed.cutMs + (moments.redirected ?? Infinity);
  const after = calls.filter(
    ({ group, resolvedAtMs }) => group === 'honours TTL' && resolvedAtMs >= redirectedMs,
  );
  const writes = calls.filter(({ kind, result }) => kind !== 'read' && result === 'acknowledged');
  const reads = calls.filter(({ kind, result }) => kind === 'read' && result === 'acknowledged');
  const lost = findings.filter(({ invariant }) => LOST.includes(invariant));
  const diverging = findings.filter(({ invariant }) => invariant === DIVERGING);
  return {
    moments,
    groups: GROUPS.map((group) => groupResult(group, observed)),
    afterRedirect: { requests: after.length, errors: after.filter(isError).length },
    failover: failoverOf(observed),
    writes: new Set(writes.map(({ id }) => id)).size,
    reads: reads.length,
    staleReads: reads.filter(({ status }) => status === 404).length,
    replayed: writes.filter(({ replayed }) => replayed).length,
    lost: new Set(lost.map(({ key, detail }) => key ?? detail)).size,
    diverging: new Set(diverging.map(({ key, detail }) => key ?? detail)).size,
    otherFindings: findings.length - lost.length - diverging.length,
  };
}

function failoverOf({ calls, findings }: Observed): FailoverResult {
  const own = calls.filter(({ group }) => group === 'fails over');
  const unknown = own.filter(({ outcomeUnknown }) => outcomeUnknown === true);
  const miscounted = findings.filter(({ invariant }) => invariant === MISCOUNTED);
  return {
    calls: own.length,
    repeated: own.filter(({ attempts = 1 }) => attempts > 1).length,
    increments: own.filter(({ increments }) => increments !== undefined).length,
    outcomesUnknown: unknown.filter(({ increments }) => increments !== undefined).length,
    creationsUnknown: unknown.filter(({ kind }) => kind === 'create').length,
    stale: own.filter(({ stale }) => stale === true).length,
    miscounted: new Set(miscounted.map(({ key, detail }) => key ?? detail)).size,
  };
}

function momentsOf(observed: Observed): Moments {
  const { cutMs, backMs, victim, health, responses } = observed;
  const since = (atMs: number | undefined): number | undefined => atMs && atMs - cutMs;
  const inOrder = responses.toSorted((a, b) => a.atMs - b.atMs);
  const away = inOrder.filter(({ atMs }) => atMs >= cutMs && atMs < backMs);
  const lastDead = away.findLastIndex(({ site }) => site === victim);
  const detected = health.find(
    ({ site, healthy, atMs }) => site === victim && !healthy && atMs >= cutMs && atMs < backMs,
  );
  // Before that, chance leads to the other site, too.
  const redirected = away.slice(lastDead + 1).find(({ atMs }) => atMs >= (detected?.atMs ?? Infinity));
  const inRotation = inOrder.find(({ site, atMs }) => site === victim && atMs >= backMs);
  return {
    detected: since(detected?.atMs),
    redirected: since(redirected?.atMs),
    firstGood: since(firstGoodMs(observed)),
    ...recoveryOf(observed),
    fullCapacity: fullCapacityMs(secondsOf(observed)),
    back: backMs - cutMs,
    serves: since(observed.servesMs),
    converged: since(observed.convergedMs),
    inRotation: since(inRotation?.atMs),
  };
}

function honouring({ calls }: Observed): readonly Call[] {
  return calls.filter(({ group }) => group === 'honours TTL').toSorted((a, b) => a.endMs - b.endMs);
}

function firstGoodMs(observed: Observed): number | undefined {
  const { cutMs, victim, survivor } = observed;
  const calls = honouring(observed);
  const before = new Map(calls.filter(({ endMs }) => endMs < cutMs).map(({ client, via }) => [client, via]));
  return calls.find(
    (call) =>
      call.startMs >= cutMs && call.via === survivor && before.get(call.client) === victim && !isError(call),
  )?.endMs;
}

/** While the site is away: what comes after its return is no part of the recovery, but of the bar on errors. */
function recoveryOf(observed: Observed): Pick<Moments, 'lastError' | 'allServed'> {
  const { cutMs, backMs } = observed;
  const calls = honouring(observed).filter(({ endMs }) => endMs >= cutMs && endMs < backMs);
  const lastError = calls.findLast(isError);
  if (lastError === undefined) return { lastError: 0, allServed: 0 };
  const served = [...groupBy(calls, ({ client }) => client).values()].map((own) => {
    const last = own.findLastIndex(isError);
    return last === -1 ? cutMs : own[last + 1]?.endMs;
  });
  return {
    lastError: lastError.endMs - cutMs,
    allServed: served.includes(undefined) ? undefined : Math.max(...served.map((ms) => ms ?? 0)) - cutMs,
  };
}

function groupResult(group: Group, { calls, cutMs }: Observed): GroupResult {
  const own = calls.filter((call) => call.group === group);
  const failed = own.filter(isError);
  const errors: Record<string, number> = {};
  for (const call of failed) errors[kindOf(call)] = (errors[kindOf(call)] ?? 0) + 1;
  const ends = failed.map(({ endMs }) => endMs - cutMs);
  return {
    group,
    clients: new Set(own.map(({ client }) => client)).size,
    requests: own.length,
    errors,
    firstErrorMs: ends.length === 0 ? undefined : Math.min(...ends),
    lastErrorMs: ends.length === 0 ? undefined : Math.max(...ends),
  };
}

/** What went wrong, in a word that counts can be kept by. */
function kindOf({ status, problem = 'no answer' }: Call): string {
  return status > 0 ? `HTTP ${status}` : problem;
}
