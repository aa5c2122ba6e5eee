/**
 * The fault menu. Every seed turns on a random subset, each with its own strength ("swarm testing", Groce et al.,
 * 2012): a run with everything on hides the defects that need one thing to go right.
 */
import type { Random } from '../random.ts';

/** Name → [how often a seed turns it on, least strength, greatest strength]. */
const MENU = {
  /** An invocation dies before, during or after an effect. Probability per effect. */
  crash: [0.6, 0.005, 0.06],
  /** A call is refused and has no effect. Probability per call, or per write or message of a batch. */
  throttle: [0.5, 0.01, 0.1],
  /** A call takes effect and its answer is lost. */
  ambiguous: [0.6, 0.01, 0.1],
  /** A call times out and takes effect up to 30 s later. */
  late: [0.5, 0.005, 0.05],
  /** An invocation stands still for up to five minutes after an effect. */
  pause: [0.5, 0.002, 0.02],
  /** A message is delivered twice. Probability per message. */
  duplicate: [0.7, 0.05, 0.4],
  /** A message becomes visible up to two minutes late. */
  reorder: [0.7, 0.05, 0.4],
  /** A message to the site's own queue is accepted and lost. */
  outboxLoss: [0.4, 0.02, 0.3],
  /** An own queue loses everything it holds, so many times. */
  outboxWipe: [0.2, 1, 4],
  /** Somebody moves all dead letters of a site back, so many times. */
  redrive: [0.5, 1, 5],
  /** Partitions, one-way or two-way, so many. */
  partition: [0.6, 1, 4],
  /** Whole sites out of service, so many times. */
  outage: [0.4, 1, 3],
  /** Clocks off by at most so many milliseconds. */
  skew: [0.6, 50, 2_000],
  /** One clock off by a minute back, half a minute or an hour ahead, for a while; so many times. */
  jump: [0.25, 1, 3],
  /** Clocks that tick once in so many milliseconds. */
  coarse: [0.3, 10, 1_000],
  /** The index of pending markers lags by at most so many milliseconds. */
  staleIndex: [0.4, 100, 60_000],
  /** Inbound queues refuse messages of more than so many characters. */
  oversized: [0.25, 700, 1_200],
  /** Sites that run a release with a newer minor version of the event. Probability per site. */
  newerMinor: [0.3, 0.3, 1],
  /** Sites that begin with the release before incarnations and are upgraded while clients write. Probability per site. */
  olderRelease: [0.3, 0.3, 1],
  /** Messages that are none, in any queue, so many. */
  poison: [0.3, 1, 6],
  /** Messages of somebody who can send to the queues and says more than a peer may, so many. */
  forge: [0.3, 1, 6],
  /** An inbound queue loses a message that it has accepted: only a comparison finds that. Probability per message. */
  inboxLoss: [0.1, 0.02, 0.2],
  /** At rest a site holds a record otherwise under the same name, as if merged by another rule; so many records. */
  drift: [0.15, 1, 4],
  /** Months in place of minutes: tombstones are removed, ids are created again, messages are days late. */
  months: [0.12, 1, 1],
  /** Comparisons with repair, so many. Off in most seeds: it hides what the ordinary path leaves undone. */
  compare: [0.3, 1, 4],
} as const;

/** The same, drawn from a stream of their own: what earlier seeds draw stays as it was. */
const LATER = {
  /** Keys that a site's store or inbound queue refuses for good until operators mend them, so many. */
  badKey: [0.25, 1, 4],
  /** A site throttles for a while, its functions or its store, so many times. */
  busy: [0.25, 1, 2],
} as const;

export type Fault = keyof typeof MENU | keyof typeof LATER;

/** Strength by fault; 0 is off. */
export type Faults = Readonly<Record<Fault, number>>;

export const FAULTS = [...Object.keys(MENU), ...Object.keys(LATER)] as readonly Fault[];

/** Draws a seed's faults; what `forced` names is set instead. Draws the same numbers either way. */
export function chooseFaults(random: Random, forced: Partial<Faults> = {}): Faults {
  const later = chooseFrom<keyof typeof LATER>(LATER, random.stream('later faults'), forced);
  const chosen = { ...chooseFrom<keyof typeof MENU>(MENU, random, forced), ...later };
  // What is found by comparing alone must be compared before it is forgotten: hourly in production, once in a schedule.
  // And an upgrade takes no months: what it leaves of ranks would be judged by writes that are forgotten.
  return chosen.months > 0 ? { ...chosen, inboxLoss: 0, drift: 0, olderRelease: 0 } : chosen;
}

/** A fault → how often a seed turns it on, least strength, greatest strength. */
export type Menu<Name extends string> = Readonly<Record<Name, readonly [number, number, number]>>;

/** Draws from any menu, as `chooseFaults` does from this one. */
export function chooseFrom<Name extends string>(
  menu: Menu<Name>,
  random: Random,
  forced: Partial<Readonly<Record<Name, number>>>,
): Readonly<Record<Name, number>> {
  const chosen = {} as Record<Name, number>;
  for (const fault of Object.keys(menu) as Name[]) {
    const [share, least, greatest] = menu[fault];
    const on = random.next() < share;
    const strength = random.between(least, greatest);
    chosen[fault] = forced[fault] ?? (on ? strength : 0);
  }
  return chosen;
}

/** Everything off. */
export const NO_FAULTS: Faults = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as unknown as Faults;

/**
 * What only a workload of records takes: its checkers judge it, and its operators mend it. To all others the dead letters of
 * a lost site would be poison, and bad keys would stay.
 */
export const RECORDS_ONLY = {
  poison: 0,
  forge: 0,
  inboxLoss: 0,
  drift: 0,
  months: 0,
  olderRelease: 0,
  badKey: 0,
} as const satisfies Partial<Faults>;

/** The faults that are on, for people: `crash 0.02, partition 2`. */
export function faultsText(faults: Readonly<Record<string, number>>): string {
  const on = Object.entries(faults).filter(([, strength]) => strength > 0);
  return on.map(([fault, strength]) => `${fault} ${Number(strength.toPrecision(2))}`).join(', ') || 'none';
}
