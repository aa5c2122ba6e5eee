/**
 * From what was seen to what is to be done. Pure: state and time come in, and go out.
 *
 * Invariants: nothing is begun by one look; a site that is only not heard from here, while the provider's checks say that
 * it is well, is left alone; what comes back soon is let back in later each time. Taking out is never slowed down.
 */
import { type Incident, incidentKey, isSettled } from '../incidents.ts';
import type { Action, Figures, Runbook } from './runbook.ts';

/** What one look found of one site. A figure that is absent is not known; those of a site that is down never are. */
export interface SiteSample extends Figures {
  readonly site: string;
  /** It answered at least one request over its own URL. */
  readonly up: boolean;
}

export interface Seen {
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly samples: readonly SiteSample[];
  /** What the provider's checks say of a site; absent: it does not say. */
  readonly provider: ReadonlyMap<string, boolean>;
  /** What the zone says. */
  readonly incidents: readonly Incident[];
}

interface Streak {
  readonly sinceMs: number;
  readonly lastMs: number;
  readonly samples: number;
}

/** What one look found of the requests of a site that answers. */
interface Rate {
  readonly atMs: number;
  readonly errorPercent: number;
}

interface Tries {
  readonly count: number;
  readonly lastMs: number;
  readonly nextMs: number;
}

/** What a monitor remembers from look to look; losing it costs time and nothing else. */
export interface Memory {
  readonly bad: ReadonlyMap<string, Streak>;
  readonly good: ReadonlyMap<string, Streak>;
  /** Site → what the looks of the longest `forSeconds` have found, the oldest first. */
  readonly rates: ReadonlyMap<string, readonly Rate[]>;
  /** Of actions that did not succeed. */
  readonly tries: ReadonlyMap<string, Tries>;
}

export interface Watched {
  readonly runbook: Runbook;
  readonly sites: readonly string[];
}

export interface Decision {
  readonly kind: 'close' | 'continue' | 'open';
  readonly runbook: Runbook;
  readonly site: string;
  /** What this rests on: acted upon only while the zone still says so. */
  readonly seen?: Incident;
  /** There is nobody else to serve. */
  readonly urgent: boolean;
}

export interface Decided {
  readonly memory: Memory;
  readonly decisions: readonly Decision[];
  /** Something may be decided by a few more looks. */
  readonly pending: boolean;
  /** Decisions about health were made, for which the provider's word counts. */
  readonly queriesProvider: boolean;
  /** What is not done, as provider and look do not agree: site → the provider's word. */
  readonly disagreed: ReadonlyMap<string, boolean>;
}

export const NO_MEMORY: Memory = { bad: new Map(), good: new Map(), rates: new Map(), tries: new Map() };

const RETRY_FIRST_MS = 10_000;
const RETRY_MAX_MS = 300_000;
/** Doubling further changes nothing: the longest `maxSeconds` is a day. */
const FLAPS_MAX = 20;

/** `gapMs`: a streak in which nothing was seen for longer begins again. */
export function decide(before: Memory, seen: Seen, watched: readonly Watched[], gapMs: number): Decided {
  const memory = {
    ...{ bad: new Map(before.bad), good: new Map(before.good), tries: new Map(before.tries) },
    rates: ratesAfter(before.rates, seen, { gapMs, keptMs: longestMs(watched) }),
  };
  const decisions: Decision[] = [];
  const disagreed = new Map<string, boolean>();
  let pending = false;
  let queriesProvider = false;
  for (const { runbook, sites } of watched) {
    for (const site of sites) {
      const key = incidentKey({ runbook: runbook.name, site });
      const found = windowOf(memory.rates.get(site) ?? [], seen.nowMs, runbook.trigger.forSeconds * 1_000);
      const verdict = verdictOn(runbook, seen, { site, found });
      const byWindow = over(found?.errorPercent, runbook.trigger.when.errorPercent) ? found : undefined;
      count(memory, key, { verdict, nowMs: seen.nowMs, gapMs, byWindow });
      const incident = seen.incidents.find((one) => incidentKey(one) === key);
      const kind = wanted({ runbook, site, key, memory, seen, incident });
      pending ||= memory.bad.has(key) && kind === undefined && !isOpen(incident);
      if (kind === undefined) continue;
      const byHealth = runbook.trigger.when.unhealthy === true && kind !== 'continue';
      queriesProvider ||= byHealth;
      const word = seen.provider.get(site);
      if (byHealth && word === (kind === 'open')) {
        disagreed.set(site, word);
        continue;
      }
      decisions.push({
        kind,
        runbook,
        site,
        urgent: isAlone(seen, site),
        ...(incident !== undefined && { seen: incident }),
      });
    }
  }
  return { memory, decisions, pending, queriesProvider, disagreed };
}

/** What the looks of the last `forSeconds` found together: five requests of one look say little of five percent. */
interface Found {
  readonly sinceMs: number;
  readonly looks: number;
  readonly errorPercent: number;
}

function longestMs(watched: readonly Watched[]): number {
  return Math.max(0, ...watched.map(({ runbook }) => runbook.trigger.forSeconds * 1_000));
}

/** Each look asks as often as the others. A clock that goes back, or a long silence, begins it again. */
function ratesAfter(
  before: Memory['rates'],
  { samples, nowMs }: Seen,
  { gapMs, keptMs }: { readonly gapMs: number; readonly keptMs: number },
): ReadonlyMap<string, readonly Rate[]> {
  const rates = new Map(before);
  for (const { site, errorPercent } of samples) {
    if (errorPercent === undefined) continue;
    const known = rates.get(site) ?? [];
    const lastMs = known.at(-1)?.atMs ?? nowMs;
    const follows = nowMs >= lastMs && nowMs - lastMs <= gapMs;
    // One that is older than the window says that the window is full.
    const first = known.findLastIndex(({ atMs }) => atMs <= nowMs - keptMs);
    const kept = follows ? known.slice(Math.max(0, first)) : [];
    rates.set(site, [...kept, { atMs: nowMs, errorPercent }]);
  }
  return rates;
}

/** Undefined while the looks do not reach back so far. */
function windowOf(rates: readonly Rate[], nowMs: number, windowMs: number): Found | undefined {
  const fromMs = nowMs - windowMs;
  const first = rates.findLastIndex(({ atMs }) => atMs <= fromMs);
  const inside = rates.slice(Math.max(0, first));
  const sinceMs = inside[0]?.atMs;
  // A look that gave no figure says nothing, whatever those before it found.
  if (first < 0 || sinceMs === undefined || rates.at(-1)?.atMs !== nowMs) return undefined;
  const sum = inside.reduce((total, { errorPercent }) => total + errorPercent, 0);
  return { sinceMs, looks: inside.length, errorPercent: sum / inside.length };
}

type Verdict = 'bad' | 'between' | 'good' | 'unknown';

function verdictOn(
  { trigger, clear }: Runbook,
  { samples }: Seen,
  { site, found }: { readonly site: string; readonly found: Found | undefined },
): Verdict {
  const sample = samples.find((one) => one.site === site);
  if (sample === undefined) return 'unknown';
  const { unhealthy, ...figures } = trigger.when;
  const names = Object.keys(figures) as (keyof Figures)[];
  const valueOf = (name: keyof Figures): number | undefined =>
    name === 'errorPercent' ? found?.errorPercent : sample[name];
  if (unhealthy === true && !sample.up) return 'bad';
  if (names.some((name) => over(valueOf(name), figures[name]))) return 'bad';
  if (names.some((name) => valueOf(name) === undefined)) return 'unknown';
  return names.some((name) => over(valueOf(name), clear.when?.[name] ?? figures[name])) ? 'between' : 'good';
}

function over(value: number | undefined, limit: number | undefined): boolean {
  return value !== undefined && limit !== undefined && value > limit;
}

interface Count {
  readonly verdict: Verdict;
  readonly nowMs: number;
  readonly gapMs: number;
  /** The window that is bad as a whole. */
  readonly byWindow: Found | undefined;
}

/** A look that is missing neither lengthens a streak nor ends it. */
function count(
  { bad, good }: { bad: Map<string, Streak>; good: Map<string, Streak> },
  key: string,
  { verdict, nowMs, gapMs, byWindow }: Count,
): void {
  if (verdict === 'unknown') return;
  if (verdict === 'bad') bad.set(key, since(longer(bad.get(key), nowMs, gapMs), byWindow));
  else bad.delete(key);
  if (verdict === 'good') good.set(key, longer(good.get(key), nowMs, gapMs));
  else good.delete(key);
}

/** A clock that goes back, or a long silence, begins it again. */
function longer(streak: Streak | undefined, nowMs: number, gapMs: number): Streak {
  if (streak === undefined || nowMs < streak.lastMs || nowMs - streak.lastMs > gapMs) {
    return { sinceMs: nowMs, lastMs: nowMs, samples: 1 };
  }
  return { ...streak, lastMs: nowMs, samples: streak.samples + 1 };
}

/** What a whole window says is as old as the window. */
function since(streak: Streak, found: Found | undefined): Streak {
  if (found === undefined) return streak;
  return {
    ...streak,
    sinceMs: Math.min(streak.sinceMs, found.sinceMs),
    samples: Math.max(streak.samples, found.looks),
  };
}

interface Case {
  readonly runbook: Runbook;
  readonly site: string;
  readonly key: string;
  readonly memory: Memory;
  readonly seen: Seen;
  readonly incident: Incident | undefined;
}

function wanted({ runbook, site, key, memory, seen, incident }: Case): Decision['kind'] | undefined {
  const { trigger } = runbook;
  const lasts = (streak: Streak | undefined, seconds: number): boolean =>
    streak !== undefined &&
    streak.samples >= trigger.samples &&
    seen.nowMs - streak.sinceMs >= seconds * 1000;
  const isBad = lasts(memory.bad.get(key), trigger.forSeconds);
  const tries = memory.tries.get(key);
  const waitMs = (tries?.nextMs ?? 0) - seen.nowMs;
  // A clock that went back does not make it wait for longer than it would otherwise.
  const isDue = waitMs <= 0 || waitMs > RETRY_MAX_MS;
  switch (incident?.phase) {
    case undefined:
    case 'closed':
      return isBad ? 'open' : undefined;
    case 'over':
      if (isBad) return 'open';
      return isDue ? 'continue' : undefined;
    case 'open': {
      const isLast = takenOut(runbook, incident) && isAlone(seen, site);
      const heldSeconds = isLast ? 0 : holdDownSeconds(runbook, incident);
      const stoodMs = seen.nowMs - incident.changedAtMs;
      const isOver = lasts(memory.good.get(key), heldSeconds);
      // The other monitor's clock may be ahead.
      if (isOver && (stoodMs < 0 || stoodMs >= heldSeconds * 1000)) return 'close';
      // What has become due since the last try does not wait for what failed in it.
      const left = leftToDo(runbook, incident, seen.nowMs);
      const isNew = tries !== undefined && left > leftToDo(runbook, incident, tries.lastMs);
      return (isDue || isNew) && left > 0 ? 'continue' : undefined;
    }
  }
}

/** No other site answers; of one that was not sampled nothing is known. */
function isAlone({ samples }: Seen, site: string): boolean {
  const others = samples.filter((sample) => sample.site !== site);
  return others.length > 0 && others.every(({ up }) => !up);
}

function isOpen(incident: Incident | undefined): boolean {
  return incident !== undefined && incident.phase !== 'closed';
}

/** A monitor has taken traffic away from the site, all of it or a part. */
export function takenOut({ actions }: Runbook, { did }: Incident): boolean {
  return actions.some(
    (action, index) =>
      (action.do === 'failover' || action.do === 'shift') && (did[index] === 'x' || did[index] === 'p'),
  );
}

/** So long a site has to be well before the way back, longer each time that it flapped. */
export function holdDownSeconds({ clear }: Runbook, { flaps }: Pick<Incident, 'flaps'>): number {
  return Math.min(clear.maxSeconds, clear.forSeconds * 2 ** flaps);
}

/** How many of the actions of its phase are to be done by now. */
export function leftToDo(runbook: Runbook, incident: Incident, nowMs: number): number {
  const [list, marks] =
    incident.phase === 'open' ? [runbook.actions, incident.did] : [runbook.over, incident.undid];
  return list.filter((action, index) => !isSettled(marks[index] ?? '-') && !isEarly(action, incident, nowMs))
    .length;
}

/** An escalation whose time has not come; of an acknowledged incident there is nothing to wait for. */
export function isEarly(action: Action, { openedAtMs, acknowledged }: Incident, nowMs: number): boolean {
  return (
    action.do === 'escalate' && acknowledged === undefined && nowMs < openedAtMs + action.afterSeconds * 1000
  );
}

/**
 * The incident with which to begin, given what the zone says under the lock; undefined when somebody else was faster,
 * and the next look decides anew.
 */
export function begun(decision: Decision, now: Incident | undefined, nowMs: number): Incident | undefined {
  const { kind, runbook, site, seen } = decision;
  if (now?.phase !== seen?.phase || now?.changedAtMs !== seen?.changedAtMs || now?.flaps !== seen?.flaps) {
    return undefined;
  }
  const atMs = Math.floor(nowMs / 1000) * 1000;
  switch (kind) {
    case 'open': {
      const flaps = flapsOf(runbook, now, nowMs);
      const fresh = {
        phase: 'open',
        openedAtMs: atMs,
        changedAtMs: atMs,
        flaps,
        did: [],
        undid: [],
      } as const;
      // What is not back yet is not taken for what there always was.
      return { runbook: runbook.name, site, ...fresh, ...(now?.raised && { raised: now.raised }) };
    }
    case 'close':
      return now && { ...now, phase: 'over', changedAtMs: atMs, undid: [] };
    case 'continue':
      return now;
  }
}

/** The way back was closed: it stands as it stood, and waits for longer. */
export function sentBack(incident: Incident, nowMs: number): Incident {
  const flaps = Math.min(FLAPS_MAX, incident.flaps + 1);
  return { ...incident, phase: 'open', changedAtMs: Math.floor(nowMs / 1000) * 1000, flaps, undid: [] };
}

function flapsOf({ clear }: Runbook, last: Incident | undefined, nowMs: number): number {
  if (last === undefined) return 0;
  const awayMs = Math.max(0, nowMs - last.changedAtMs);
  const stayedAway = last.phase === 'closed' && awayMs > clear.maxSeconds * 1000;
  return stayedAway ? 0 : Math.min(FLAPS_MAX, last.flaps + 1);
}

/** After an attempt: a failed one is repeated with growing pauses, and one that was sent back begins its wait anew. */
export function afterTry(
  memory: Memory,
  key: string,
  { result, nowMs }: { readonly result: 'done' | 'failed' | 'sent back'; readonly nowMs: number },
): Memory {
  const tries = new Map(memory.tries);
  const good = new Map(memory.good);
  const made = (tries.get(key)?.count ?? 0) + 1;
  if (result === 'failed') {
    tries.set(key, {
      count: made,
      lastMs: nowMs,
      nextMs: nowMs + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (made - 1)),
    });
  } else {
    tries.delete(key);
  }
  if (result === 'sent back') good.delete(key);
  return { ...memory, tries, good };
}
