/**
 * The faults of the stack that this process supervises: imposes them, keeps them on, and lifts them.
 *
 * Invariants: a fault is on until it is lifted, whatever dies and comes back meanwhile; what is stopped (SIGSTOP) goes on
 * when this process ends in any way; a stack begins without faults.
 */
import fs from 'node:fs';
import type { SiteName } from '../stack/sites.ts';
import type { KeptProcess } from '../stack/stack-file.ts';
import {
  FaultError,
  type FaultOrder,
  idOf,
  type ImposedFault,
  type LocalFaults,
  readFaultOrder,
} from './fault-order.ts';
import { Freezer } from './freezer.ts';
import { type HookedSite, Hooks } from './hooks.ts';
import { rulesOf } from './rules.ts';
import { sentenceOf } from './sentence.ts';
import type { StackLinks } from './stack-links.ts';

/** A process of a site: its functions with its bridge, or its emulators. */
export interface FaultyProcess extends KeptProcess {
  /** Kills the instance with all that it started. */
  killBecause(why: string): void;
}

export interface StackFaultsOptions {
  readonly sites: readonly SiteName[];
  /** What runs right now. */
  readonly describe: () => readonly (HookedSite & { readonly hold: string })[];
  readonly keepers: () => readonly FaultyProcess[];
  readonly links: StackLinks;
  readonly ephemeral: boolean;
  readonly onProblem: (message: string) => void;
}

/** A fault that is on. */
interface Entry {
  readonly order: FaultOrder;
  readonly since: Date;
  /** Brings about what it is, as far as that is not so. */
  readonly enforce: () => Promise<void>;
  readonly lift: () => Promise<void>;
  readonly timer: NodeJS.Timeout | undefined;
}

type Deed = Pick<Entry, 'enforce' | 'lift'>;

export class StackFaults implements LocalFaults {
  readonly #options: StackFaultsOptions;
  readonly #on = new Map<string, Entry>();
  readonly #hooks: Hooks;

  constructor(options: StackFaultsOptions) {
    this.#options = options;
    this.#hooks = new Hooks(options.describe);
  }

  list(): Promise<readonly ImposedFault[]> {
    return Promise.resolve([...this.#on].map(([id, entry]) => this.#view(id, entry)));
  }

  /** @param value An order; it is checked, because it may have come over the wire. */
  async impose(value: FaultOrder): Promise<ImposedFault> {
    const order = readFaultOrder(
      value,
      this.#options.sites.map(({ site }) => site),
    );
    const id = idOf(order);
    const present = this.#on.get(id);
    if (present !== undefined)
      throw new FaultError('already_on', `${id} is on since ${present.since.toISOString()}; lift it first`);
    const deed = this.#deedOf(order);
    const timer =
      order.forMs === undefined ? undefined : setTimeout(() => void this.#liftLate(id), order.forMs).unref();
    const entry: Entry = { order, since: new Date(), ...deed, timer };
    this.#on.set(id, entry);
    try {
      await entry.enforce();
    } catch (error) {
      await this.#end(id, entry);
      throw error;
    }
    return this.#view(id, entry);
  }

  async lift(id: string): Promise<void> {
    const entry = this.#on.get(id);
    if (entry === undefined) {
      const ids = [...this.#on.keys()].join(', ');
      throw new FaultError('not_on', `${id} is not on; ${ids === '' ? 'nothing is' : `on: ${ids}`}`);
    }
    await this.#end(id, entry);
  }

  async liftAll(): Promise<void> {
    await Promise.all([...this.#on].map(([id, entry]) => this.#end(id, entry)));
  }

  /** A process has started, has become ready or has died. */
  changed(): void {
    for (const [id, { enforce }] of this.#on)
      enforce().catch((error: unknown) => this.#options.onProblem(`${id}: ${String(error)}`));
  }

  /** Lets go on what is stopped, so that the processes can end; what is held back stays so. */
  async close(): Promise<void> {
    this.#hooks.close();
    const entries = [...this.#on.values()];
    this.#on.clear();
    for (const { timer } of entries) clearTimeout(timer);
    await Promise.all(entries.filter(({ order }) => order.kind === 'freeze').map(({ lift }) => lift()));
  }

  async #end(id: string, { lift, timer }: Entry): Promise<void> {
    clearTimeout(timer);
    this.#on.delete(id);
    await lift();
  }

  async #liftLate(id: string): Promise<void> {
    const entry = this.#on.get(id);
    if (entry !== undefined) await this.#end(id, entry);
  }

  #deedOf(order: FaultOrder): Deed {
    switch (order.kind) {
      case 'stop':
        return this.#stop(order.site);
      case 'freeze':
        return this.#freeze(order);
      case 'partition':
        return this.#cut(order);
      case 'slow':
      case 'errors':
      case 'throttle':
        return this.#hook(order);
    }
  }

  #stop(site: string): Deed {
    const { hold } = this.#siteOf(site);
    return {
      enforce: () => {
        if (!fs.existsSync(hold)) fs.writeFileSync(hold, '');
        for (const keeper of this.#processesOf(site))
          if (keeper.pid !== undefined) keeper.killBecause('stopped by a fault');
        return Promise.resolve();
      },
      lift: () => {
        fs.rmSync(hold, { force: true });
        return Promise.resolve();
      },
    };
  }

  #freeze(order: FaultOrder): Deed {
    if (process.platform === 'win32')
      throw new FaultError('invalid', 'kind: freeze needs signals that Windows does not have; stop works');
    const id = idOf(order);
    const freezers = new Map<number, Freezer>();
    const thaw = async (leaders: readonly number[]): Promise<void> => {
      const ended = leaders.flatMap((leader) => freezers.get(leader) ?? []);
      for (const leader of leaders) freezers.delete(leader);
      await Promise.all(ended.map((freezer) => freezer.thaw()));
    };
    const lost = (): void => {
      if (!this.#on.has(id)) return;
      this.#options.onProblem(`${id}: what kept it is gone; it is lifted`);
      void this.#liftLate(id);
    };
    return {
      enforce: async () => {
        const leaders = this.#processesOf(order.site).flatMap(({ pid }) => pid ?? []);
        for (const leader of leaders)
          if (!freezers.has(leader)) freezers.set(leader, new Freezer(leader, lost));
        await thaw([...freezers.keys()].filter((leader) => !leaders.includes(leader)));
        await Promise.all([...freezers.values()].map(({ frozen }) => frozen));
      },
      lift: () => thaw([...freezers.keys()]),
    };
  }

  #cut(order: FaultOrder & { readonly kind: 'partition' }): Deed {
    const { site, peer, both } = order;
    const ways: [string, string][] =
      both === true
        ? [
            [site, peer],
            [peer, site],
          ]
        : [[site, peer]];
    const { links } = this.#options;
    for (const [from, to] of ways) {
      if (!links.has(from, to))
        throw new FaultError('invalid', `peer: the way from ${from} to ${to} is in the hand of a drill`);
    }
    const mends = ways.map(([from, to]) => links.cut(from, to));
    return {
      enforce: () => Promise.resolve(),
      lift: () => {
        for (const mend of mends) mend();
        return Promise.resolve();
      },
    };
  }

  #hook(order: FaultOrder): Deed {
    const { site, cloud } = this.#siteOf(order.site);
    const rules = rulesOf(order, cloud);
    if (rules === undefined) throw new Error(`${order.kind} is no fault of emulators`);
    const ends = (['store', 'queue'] as const).map((service) =>
      this.#hooks.impose(site, service, rules[service]),
    );
    return {
      // By itself it comes to emulators that come back.
      enforce: () => this.#hooks.settle(),
      lift: async () => {
        for (const end of ends) end();
        await this.#hooks.settle();
      },
    };
  }

  #siteOf(name: string): HookedSite & { readonly hold: string } {
    const site = this.#options.describe().find((one) => one.site === name);
    if (site === undefined) throw new Error(`no site ${name}`);
    return site;
  }

  #processesOf(site: string): FaultyProcess[] {
    const names = new Set([site, `${site}.emulators`]);
    return this.#options.keepers().filter(({ plan }) => names.has(plan.name));
  }

  #view(id: string, { order, since }: Entry): ImposedFault {
    const { forMs, ...rest } = order;
    const gone = new Set(
      [...this.#on.values()].flatMap(({ order: { kind, site } }) =>
        kind === 'stop' || kind === 'freeze' ? [site] : [],
      ),
    );
    const othersLive = this.#options.sites.some(({ site }) => site !== order.site && !gone.has(site));
    return {
      id,
      ...rest,
      since: since.toISOString(),
      ...(forMs !== undefined && { until: new Date(since.getTime() + forMs).toISOString() }),
      sentence: sentenceOf(order, { ephemeral: this.#options.ephemeral, othersLive }),
    };
  }
}
