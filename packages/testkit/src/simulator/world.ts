/**
 * The simulated world: sites, links between them, and the record of what happened. Everything random comes from
 * one seed, everything timed from one agenda.
 */
import type { Subjects } from '@tandem-clouds/replication/anti-entropy/erase';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { stampSite } from '@tandem-clouds/replication/stamp';
import type { Vector } from '@tandem-clouds/replication/vector';
import { checkExposure } from '../checkers/exposure.ts';
import { checkNotByThrottles } from '../checkers/messages.ts';
import {
  type Acknowledged,
  type AppliedPut,
  type CommittedWrite,
  type Finding,
  isForgottenWrite,
  type MessageFact,
  overrules,
  type Snapshot,
} from '../history/facts.ts';
import type { Random } from '../random.ts';
import { Agenda } from './agenda.ts';
import type { Course } from './course.ts';
import { type Fault, type Faults, NO_FAULTS } from './faults.ts';
import { Overlaps } from './overlaps.ts';
import { SimSite } from './sim-site.ts';
import type { QueuedMessage, SiteQueue } from './site-queue.ts';
import type { Band, TimelineEntry } from './timeline.ts';
import { TraceHash } from './trace-hash.ts';

const SITE_NAMES = ['aws-1', 'azure-1', 'aws-2', 'azure-2'] as const;
/** After this many findings a schedule has said enough. */
const FINDINGS_MAX = 20;

/** A record that a repair has marked for a peer. */
interface Repair {
  readonly key: string;
  readonly from: SimSite;
  readonly peer: SimSite;
  readonly vector: Vector;
  /** What the peer's queue has lost of it since. */
  lost: Vector | undefined;
}

export interface Watcher {
  committed(write: CommittedWrite): void;
  applied(put: AppliedPut): void;
}

/** Takes what is visible in a queue to the functions of its site. */
export type Trigger = (world: World, site: SimSite, queue: SiteQueue) => void;

/** How an entry of the timeline is drawn. */
type Mark = Partial<Pick<TimelineEntry, 'tone' | 'crossing'>>;

const FAULT_TEXTS: Partial<Record<Fault, string>> = {
  crash: 'the function dies',
  throttle: 'the call is refused',
  ambiguous: 'the answer is lost',
  late: 'the call lands late',
  pause: 'the function stands still',
  duplicate: 'the message is doubled',
  reorder: 'the message is held back',
  outboxLoss: 'the own queue loses the message',
};

export interface WorldOptions {
  readonly random: Random;
  readonly faults: Faults;
  readonly sites: number;
  readonly trigger: Trigger;
  readonly watchedKey?: string | undefined;
  /** The only faults that may strike: names from `World.struck`. All when absent. */
  readonly strikes?: ReadonlySet<string> | undefined;
  /** Looks on; the run is the same with and without it. */
  readonly course?: Course | undefined;
}

export class World {
  readonly agenda: Agenda;
  readonly sites: readonly SimSite[];
  readonly hash = new TraceHash();
  readonly findings: Finding[] = [];
  readonly committed: CommittedWrite[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly messages: MessageFact[] = [];
  /** Operations that begin a life of their key. */
  readonly creates = new Set<string>();
  /** Every inbound message that a protocol sent, by site: for the replay. */
  readonly captured = new Map<string, string[]>();
  readonly timeline: TimelineEntry[] = [];
  readonly bands: Band[] = [];
  /** The site that is doing something now, for the timeline. */
  current = '';
  readonly counts = {
    operations: 0,
    effects: 0,
    published: 0,
    sent: 0,
    forwarded: 0,
    sweptKeys: 0,
    notes: 0,
  };
  /** `a>b`: what a sends does not reach b. */
  readonly cuts = new Overlaps();
  /** Every fault that struck, by name. */
  readonly struck: string[] = [];
  /** As the seed drew them; `faults` is what is still on. */
  readonly drawnFaults: Faults;
  faults: Faults;
  /** A workload's own checkers, told of every put that took effect. */
  readonly watchers: Watcher[] = [];
  /** A message to whoever reacts has arrived at a site; a workload without reactions has nobody there. */
  onWake: (site: SimSite, key: string) => void = () => undefined;
  /** Whose records they are; a workload without erasures has no subjects. */
  subjects: Subjects | undefined;
  /** A queue has accepted a message. */
  onQueued: (site: SimSite, kind: string, body: string) => void = () => undefined;
  /** How long an invocation stands still at most; and after which the platform ends it, whatever it was about to do. */
  pauseMaxMs = 300_000;
  lifeMaxMs = Infinity;
  readonly #strikes: ReadonlySet<string> | undefined;
  readonly #trigger: Trigger;
  readonly #course: Course | undefined;
  readonly #byName = new Map<string, SimSite>();
  /** Records that have drifted apart. */
  readonly drifted = new Set<string>();
  /** Key → what sites have removed of it. */
  readonly forgotten = new Map<string, Vector[]>();
  /** What an inbound queue has lost, by key, sender and site: up to this stamp of the sender. */
  readonly #lostInbound = new Map<string, string>();
  readonly #repairs: Repair[] = [];
  readonly #newest = new Map<string, string>();
  readonly #carried = new Map<string, Carried>();
  /** The key whose timeline is kept. */
  watchedKey: string | undefined;

  constructor({ random, faults, sites, trigger, watchedKey, strikes, course }: WorldOptions) {
    this.agenda = new Agenda(random);
    this.#strikes = strikes;
    this.#trigger = trigger;
    this.#course = course;
    if (course !== undefined) this.agenda.onStep = () => course.step(this);
    this.faults = faults;
    this.drawnFaults = faults;
    this.watchedKey = watchedKey;
    const names = SITE_NAMES.slice(0, sites);
    this.sites = names.map((name) => {
      const peers = names.filter((peer) => peer !== name);
      return new SimSite(name, peers, { agenda: this.agenda, faults });
    });
    for (const site of this.sites) {
      this.#byName.set(site.name, site);
      this.captured.set(site.name, []);
      for (const queue of [site.outbox, site.inbox, site.steps])
        queue.onDead = (fact, reason) => this.find(checkNotByThrottles(fact, reason));
    }
  }

  /** @throws RangeError for a site that does not exist. */
  site(name: string): SimSite {
    const site = this.#byName.get(name);
    if (site === undefined) throw new RangeError(`no site ${name}`);
    return site;
  }

  /** The stream of chances of what is happening now. */
  get random(): Random {
    return this.agenda.random;
  }

  /** Whether a fault that is a probability strikes now. */
  strikes(fault: Fault): boolean {
    const { random } = this;
    if (!random.chance(this.faults[fault])) return false;
    const name = `${fault} ${random.name} ${random.drawn}`;
    if (this.#strikes?.has(name) === false) return false;
    this.struck.push(name);
    this.note(this.watchedKey, this.current, () => FAULT_TEXTS[fault] ?? fault, { tone: 'fault' });
    return true;
  }

  reaches(from: SimSite, to: SimSite): boolean {
    return !from.down && !to.down && !this.cuts.has(`${from.name}>${to.name}`);
  }

  /** Ends every fault. */
  heal(): void {
    this.#course?.mark('all faults end', this);
    this.faults = NO_FAULTS;
    this.cuts.clear();
    for (const band of this.bands) band.untilMs = Math.min(band.untilMs, this.agenda.nowMs);
    for (const site of this.sites) site.heal();
  }

  find(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (this.findings.length >= FINDINGS_MAX) return;
      this.findings.push(finding);
      this.note(
        finding.key,
        this.current === '' ? (this.sites[0]?.name ?? '') : this.current,
        () => `!! ${finding.invariant}: ${finding.detail}`,
        { tone: 'finding' },
      );
    }
  }

  /** Adds to the trace, and to the timeline when the key is being watched. */
  trace(what: string, site: SimSite, key: string): void {
    this.hash.add(`${Math.round(this.agenda.nowMs * 1000)} ${what} ${site.name} ${key};`);
  }

  note(key: string | undefined, site: string, text: () => string, mark: Mark = {}): void {
    if (this.watchedKey === undefined || key !== this.watchedKey) return;
    this.timeline.push({ atMs: this.agenda.nowMs, site, text: text(), tone: 'store', ...mark });
  }

  /** A fault that lasts begins. Returns what ends it. */
  begin(text: string, sites: readonly string[]): () => void {
    const band: Band = { text, sites, fromMs: this.agenda.nowMs, untilMs: Infinity };
    this.bands.push(band);
    return () => {
      band.untilMs = Math.min(band.untilMs, this.agenda.nowMs);
    };
  }

  snapshot(): Snapshot {
    return new Map(this.sites.map(({ name, store }) => [name, new Map(store.records)]));
  }

  /** A local write took effect. */
  land(write: CommittedWrite): void {
    this.committed.push(write);
    const name = `${write.key} ${write.site}`;
    if ((this.#newest.get(name) ?? '') < write.stamp) this.#newest.set(name, write.stamp);
    for (const watcher of this.watchers) watcher.committed(write);
  }

  /** An inbound queue has accepted a message, and loses it. */
  loseInbound(site: SimSite, message: QueuedMessage): void {
    const { source } = JSON.parse(message.body) as { source: string };
    const name = `${message.fact.key} ${source} ${site.name}`;
    const stamp = message.vector?.[source] ?? '';
    if ((this.#lostInbound.get(name) ?? '') < stamp) this.#lostInbound.set(name, stamp);
    site.inbox.lose(message);
    message.fact.excused = true;
    const { key, vector = {} } =
      message.fact.key === undefined ? { key: '' } : { key: message.fact.key, ...message };
    for (const repair of this.#repairs)
      if (repair.key === key && repair.peer === site && source === repair.from.name)
        repair.lost = { ...vector };
  }

  /** Removes a record for good. */
  remove(site: SimSite, key: string, expected: string): boolean {
    const held = site.store.records.get(key);
    if (!site.store.remove(key, expected)) return false;
    this.note(key, site.name, () => 'removed');
    if (held !== undefined) this.forget(key, held);
    return true;
  }

  /** What a site held is gone for good: it was removed, or counts as absent beside what began later. */
  forget(key: string, { state }: StoredRecord): void {
    this.forgotten.set(key, [...(this.forgotten.get(key) ?? []), state.vector]);
  }

  /** A repair has marked a record for a peer: from now on the peer has it, or will, or the marker stands. */
  watchRepair(repair: Omit<Repair, 'lost'>): void {
    this.#repairs.push({ ...repair, lost: undefined });
  }

  #checkRepairs(key: string): void {
    for (const repair of [...this.#repairs]) {
      if (repair.key !== key) continue;
      const { from, peer, vector, lost } = repair;
      const has = (held: Vector | undefined): boolean =>
        Object.entries(vector).every(([site, stamp]) => (held?.[site] ?? '') >= stamp);
      const record = from.store.records.get(key);
      const arrived =
        has(peer.store.records.get(key)?.state.vector) ||
        peer.inbox.carries(key, vector) ||
        peer.steps.carries(key, vector) ||
        (lost !== undefined && has(lost));
      const isGone = record === undefined || this.forgotten.has(key);
      const over = arrived || from.lost || peer.lost || isGone || !this.#isKept(key, from, peer);
      if (over) this.#repairs.splice(this.#repairs.indexOf(repair), 1);
      else if (record.pending[peer.name] === undefined) {
        const detail = `${from.name} repaired it for ${peer.name}, which lacks it, and no marker is left`;
        this.find([{ invariant: '11 exposure', key, detail }]);
        this.#repairs.splice(this.#repairs.indexOf(repair), 1);
      }
    }
  }

  /** Looks at everything that could be exposed after something changed for a key at a site. */
  watchExposure(key: string, changed: SimSite, where: 'store' | 'inbox'): void {
    this.#checkRepairs(key);
    for (const other of this.sites) {
      if (other === changed) continue;
      this.#watchPair(key, other, changed);
      if (where === 'store') this.#watchPair(key, changed, other);
    }
  }

  #watchPair(key: string, origin: SimSite, peer: SimSite): void {
    if (origin.lost || peer.lost || !this.#isKept(key, origin, peer)) return;
    const newest = this.#newest.get(`${key} ${origin.name}`);
    if (newest === undefined) return;
    if ((this.#lostInbound.get(`${key} ${origin.name} ${peer.name}`) ?? '') >= newest) return;
    if (isForgottenWrite(this.forgotten, key, origin.name, newest)) return;
    const atPeer: StoredRecord | undefined = peer.store.records.get(key);
    if ((atPeer?.state.vector[origin.name] ?? '') >= newest) return;
    const atOrigin = origin.store.records.get(key);
    // The peer has taken it for what it is: forgotten beside what it holds.
    if (atPeer !== undefined && atOrigin !== undefined && overrules(atPeer.state, atOrigin.state)) return;
    this.find(
      checkExposure({
        key,
        origin: origin.name,
        peer: peer.name,
        newest,
        atOrigin,
        atPeer,
        queued: [peer.inbox, peer.steps].some((queue) => queue.carries(key, { [stampSite(newest)]: newest })),
      }),
    );
  }

  /** Whether both sites know the peer for one that keeps the record. */
  #isKept(key: string, origin: SimSite, { name, keptAt }: SimSite): boolean {
    const state = origin.store.records.get(key)?.state;
    return [origin.keptAt, keptAt].every((of) => of?.(key, state)?.includes(name) !== false);
  }

  /** The same text is queued many times: at its site, at every peer, and again. */
  #carriedBy(body: string): Carried {
    let carried = this.#carried.get(body);
    if (carried === undefined) {
      carried = readCarried(body);
      this.#carried.set(body, carried);
    }
    return carried;
  }

  /** Has a queue's trigger look for visible messages after a delay. */
  wake(site: SimSite, queue: SiteQueue, delayMs: number): void {
    this.agenda.after(delayMs + this.random.between(1, 20), () => this.#trigger(this, site, queue));
  }

  /** Puts a message into a queue; the caller wakes the trigger. */
  enqueue(
    site: SimSite,
    queue: SiteQueue,
    body: string,
    options: { poison: boolean; delayMs: number },
  ): QueuedMessage {
    this.onQueued(site, queue.kind, body);
    const { key, vector, pack } = options.poison ? NOTHING_CARRIED : this.#carriedBy(body);
    const fact: MessageFact = {
      site: site.name,
      kind: queue.kind,
      key,
      poison: options.poison,
      reasons: [],
      end: 'open',
    };
    const visibleAtMs = this.agenda.nowMs + options.delayMs;
    const message: QueuedMessage = {
      number: this.messages.length,
      body,
      fact,
      vector,
      pack,
      receives: 0,
      receivesBefore: 0,
      attributes: {},
      failures: { throttled: 0, others: 0 },
      visibleAtMs,
    };
    this.messages.push(fact);
    queue.messages.add(message);
    return message;
  }
}

type Carried = Pick<QueuedMessage, 'vector' | 'pack'> & { readonly key: string | undefined };

const NOTHING_CARRIED: Carried = { key: undefined, vector: undefined, pack: [] };

interface Event {
  readonly key?: string;
  readonly state?: { readonly vector?: Record<string, string> };
}

/** What a message is about, read without the product's code. */
function readCarried(body: string): Carried {
  try {
    const event = JSON.parse(body) as Event & { kind?: string; events?: Event[] };
    const pack = (event.kind === 'pack' ? (event.events ?? []) : []).map(({ key = '', state }) => ({
      key,
      vector: state?.vector ?? {},
    }));
    return { key: event.key, vector: event.state?.vector, pack };
  } catch {
    return NOTHING_CARRIED;
  }
}
