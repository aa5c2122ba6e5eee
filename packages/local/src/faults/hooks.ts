/**
 * The fault hooks of the emulators.
 *
 * Invariant: rules that are imposed stay until they are lifted, also when the emulator that they are set in is killed
 * and comes back without them.
 */
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import type { FaultRule } from '@tandem-clouds/emulators/core/faults';

const HOOK_WITHIN_MS = 2_000;
const SYNC_EVERY_MS = 250;

/** The service names of a site's emulators in `stack.json`. */
const SERVICE = {
  aws: { store: 'dynamodb', queue: 'sqs', objects: 's3' },
  azure: { store: 'cosmos', queue: 'serviceBus', objects: 'blob' },
} as const;
export type FaultyService = keyof (typeof SERVICE)['aws'];
const SERVICES = Object.keys(SERVICE.aws) as readonly FaultyService[];

/** What of a site the rules are given with. */
export type HookedSite = Pick<StackSite, 'site' | 'cloud' | 'emulatorsPid' | 'faults'>;

interface Imposed {
  readonly site: string;
  readonly service: FaultyService;
  readonly rules: readonly FaultRule[];
}

export class Hooks {
  readonly #sites: () => readonly HookedSite[];
  readonly #imposed = new Set<Imposed>();
  /** Address of a hook → the emulator's process and the rules that it has been given. */
  readonly #given = new Map<string, string>();
  #round: Promise<void> | undefined;
  #sync: NodeJS.Timeout | undefined;

  /** @param sites What runs right now. */
  constructor(sites: () => readonly HookedSite[]) {
    this.#sites = sites;
  }

  /** Turns rules on in a site's store, queues or objects; the result turns them off again. */
  impose(site: string, service: FaultyService, rules: readonly FaultRule[]): () => void {
    const imposed = { site, service, rules };
    this.#imposed.add(imposed);
    this.#sync ??= setInterval(() => {
      // An emulator that does not answer is not asked by several rounds at once.
      if (this.#round === undefined) void this.settle();
    }, SYNC_EVERY_MS).unref();
    return () => void this.#imposed.delete(imposed);
  }

  /** Resolves when the emulators that run, and answer, have what is imposed now. */
  async settle(): Promise<void> {
    // What is under way may have begun before the latest change.
    await this.#round;
    this.#round ??= this.#giveAll().finally(() => (this.#round = undefined));
    await this.#round;
  }

  /** Lifts everything. Resolves when the emulators that run have been told. */
  async clear(): Promise<void> {
    this.#imposed.clear();
    await this.settle();
  }

  close(): void {
    clearInterval(this.#sync);
  }

  async #giveAll(): Promise<void> {
    await Promise.all(this.#sites().flatMap((site) => SERVICES.map((service) => this.#give(site, service))));
  }

  async #give(site: HookedSite, service: FaultyService): Promise<void> {
    const url = site.faults[SERVICE[site.cloud][service]];
    if (url === undefined || site.emulatorsPid === null) return;
    const rules = [...this.#imposed]
      .filter((imposed) => imposed.site === site.site && imposed.service === service)
      .flatMap((imposed) => imposed.rules);
    const wanted = `${site.emulatorsPid} ${JSON.stringify(rules)}`;
    if (this.#given.get(url) === wanted || (rules.length === 0 && !this.#given.has(url))) return;
    try {
      const signal = AbortSignal.timeout(HOOK_WITHIN_MS);
      const response = await fetch(url, { method: 'PUT', body: JSON.stringify(rules), signal });
      if (response.ok) this.#given.set(url, wanted);
    } catch {
      // It is between two lives: the next round tries again.
    }
  }
}
