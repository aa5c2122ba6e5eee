/** One simulated site: its store, its two queues, its clock, and whether it is in service. */
import type { DeclaredWriter, KeptAt } from '@tandem-clouds/replication/declared-places';
import type { PendingEntry } from '@tandem-clouds/replication/ports/store';
import type { Reactions } from '@tandem-clouds/replication/reactions/condition';
import type { RefusedKeys } from '@tandem-clouds/replication/sweep';
import type { Agenda } from './agenda.ts';
import type { Badness } from './badness.ts';
import type { Faults } from './faults.ts';
import { RECEIVES_MAX, SiteQueue } from './site-queue.ts';
import { SiteStore } from './site-store.ts';

/** Epoch milliseconds at the start of every schedule. */
export const START_MS = 1_800_000_000_000;

export class SimSite {
  readonly name: string;
  /** Operators take a site out that is lost for good. */
  peers: readonly string[];
  /** Lost for good, as operators have configured it. */
  retired: readonly string[] = [];
  /** What the workload declares. */
  reactions: Reactions | undefined;
  keptAt: KeptAt | undefined;
  declaredWriter: DeclaredWriter | undefined;
  /** Answers as DynamoDB and SQS do; otherwise as Cosmos DB and Service Bus do. */
  readonly likeAws: boolean;
  readonly store: SiteStore;
  readonly outbox: SiteQueue;
  readonly inbox: SiteQueue;
  /** Steps of comparisons. */
  readonly steps: SiteQueue;
  readonly newerMinor: boolean;
  /** Runs the release before incarnations: does not write them, and does not read them. */
  older: boolean;
  /** How far the clock is off for as long as the schedule runs, and for a while. */
  offsetMs: number;
  /** What sets it otherwise for a while, the latest last: that one counts. */
  readonly jumps = new Set<{ readonly byMs: number }>();
  /** Where the sweeper's last whole run stopped: what production leaves in the site's heartbeat. */
  sweptTo: PendingEntry | undefined;
  /** What the sweeper has found to be refused for good: the same. */
  refused: RefusedKeys = {};
  /** Key → how this site's store or inbound queue refuses it for good, until somebody mends it; healing does not. */
  readonly bad = new Map<string, Badness>();
  /** Out of service until somebody says otherwise; healing does not. */
  halted = false;
  /** Gone for good, with all that it holds. */
  lost = false;
  /** How many faults keep it out of service now. */
  outages = 0;
  /** How many faults keep its functions from being invoked by queues now, and its store from doing anything. */
  pollsRefused = 0;
  storeThrottled = 0;
  /** Inbound messages longer than this are refused; 0: none. */
  inboxCharactersMax: number;
  readonly #agenda: Agenda;
  #tickMs: number;
  #lagMaxMs: number;

  constructor(
    name: string,
    peers: readonly string[],
    { agenda, faults }: { agenda: Agenda; faults: Faults },
  ) {
    const { random } = agenda;
    this.name = name;
    this.peers = peers;
    this.likeAws = name.startsWith('aws');
    const receivesMax = RECEIVES_MAX[this.likeAws ? 'aws' : 'azure'];
    this.outbox = new SiteQueue('out', receivesMax);
    this.inbox = new SiteQueue('in', receivesMax);
    this.steps = new SiteQueue('verify', receivesMax);
    this.#agenda = agenda;
    this.newerMinor = random.chance(faults.newerMinor);
    this.older = random.chance(faults.olderRelease);
    this.offsetMs = Math.floor(random.between(-faults.skew, faults.skew));
    this.#tickMs = Math.max(1, Math.floor(faults.coarse));
    this.inboxCharactersMax = Math.floor(faults.oversized);
    this.#lagMaxMs = faults.staleIndex;
    this.store = new SiteStore({
      indexLagMs: () =>
        this.#lagMaxMs > 0 && agenda.random.chance(0.5) ? agenda.random.between(0, this.#lagMaxMs) : 0,
      later: (delayMs, act) => agenda.after(delayMs, act),
    });
  }

  /** Whether it is out of service, for a while or for good. */
  get down(): boolean {
    return this.outages > 0 || this.halted || this.lost;
  }

  /** Epoch milliseconds by this site's clock. */
  now(): number {
    const jumpMs = [...this.jumps].at(-1)?.byMs ?? 0;
    const ms = START_MS + this.#agenda.nowMs + this.offsetMs + jumpMs;
    return Math.floor(ms / this.#tickMs) * this.#tickMs;
  }

  /** Ends every fault that is a property of the site. */
  heal(): void {
    this.outages = 0;
    this.pollsRefused = 0;
    this.storeThrottled = 0;
    this.offsetMs = 0;
    this.jumps.clear();
    this.inboxCharactersMax = 0;
    this.#tickMs = 1;
    this.#lagMaxMs = 0;
  }
}
