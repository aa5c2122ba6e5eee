/**
 * The stack under test with everything that a nemesis can do to it: kill, cut, skew, and the fault hooks of the
 * stand-ins.
 *
 * Invariant: a fault that is on stays on until it is taken away, also when the stand-in that it is set in is killed
 * and comes back without it.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { FaultRule } from '../local/faults.ts';
import { startOwnStack, type OwnStack } from '../local/stack/own-stack.ts';
import { signalGroup } from '../local/stack/process-group.ts';
import type { DrillSettings } from '../local/stack/drill.ts';
import type { Stack, StackSite } from '../local/stack/stack-file.ts';
import { openSiteStore } from '../local/stack/site-store.ts';
import { Link } from './link.ts';
import type { Cut, Victim } from './plan.ts';
import type { Door } from './request.ts';
import type { Store } from '../../src/shared/ports/store.ts';

const HOOK_WITHIN_MS = 2_000;
const SYNC_EVERY_MS = 250;

/** The service names of a site's stand-ins in `stack.json`. */
const SERVICE = {
  aws: { store: 'dynamodb', queue: 'sqs' },
  azure: { store: 'cosmos', queue: 'serviceBus' },
} as const;

interface Imposed {
  readonly site: string;
  readonly service: 'store' | 'queue';
  readonly rules: readonly FaultRule[];
}

/** A moment in which a site's clock was moved. */
interface ClockMove {
  readonly atMs: number;
  readonly offsetMs: number;
}

export class Arena {
  /** Both sites: the first is the one that is destroyed in the end. */
  readonly sites: readonly [string, string];
  readonly stores: ReadonlyMap<string, Store>;
  readonly #stack: OwnStack;
  readonly #folder: string;
  readonly #links: ReadonlyMap<string, Link>;
  readonly #clocks: Readonly<Record<string, string>>;
  readonly #closeStores: readonly (() => void)[];
  readonly #imposed = new Set<Imposed>();
  /** What lasts on links and clocks: of several at one place the latest counts, and delays add up. */
  readonly #cuts = new Set<{ readonly link: string; readonly cut: Cut }>();
  readonly #delays = new Set<{ readonly link: string; readonly delayMs: number }>();
  readonly #skews = new Set<{ readonly site: string; readonly offsetMs: number }>();
  /** Fault hook → the stand-in's process and the rules that it has been given. */
  readonly #given = new Map<string, string>();
  readonly #clockMoves = new Map<string, ClockMove[]>();
  readonly #sync: NodeJS.Timeout;

  private constructor(parts: {
    stack: OwnStack;
    folder: string;
    links: ReadonlyMap<string, Link>;
    clocks: Readonly<Record<string, string>>;
  }) {
    this.#stack = parts.stack;
    this.#folder = parts.folder;
    this.#links = parts.links;
    this.#clocks = parts.clocks;
    const sites = parts.stack.describe().sites;
    const [first, second] = sites;
    if (first === undefined || second === undefined) throw new Error('the stack has fewer than two sites');
    this.sites = [first.site, second.site];
    const opened = sites.map((site) => [site.site, openSiteStore(site)] as const);
    this.stores = new Map(opened.map(([site, { store }]) => [site, store]));
    this.#closeStores = opened.map(([, { close }]) => close);
    for (const [name, link] of parts.links) link.targetPort = queuePort(this.site(name.split('/')[1] ?? ''));
    this.#sync = setInterval(() => void this.#giveRules(), SYNC_EVERY_MS);
  }

  /** Starts a stack of its own, with data on disk, links in the drill's hand and clocks that can be moved. */
  static async open(sites: readonly [string, string]): Promise<Arena> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-chaos-'));
    const [a, b] = sites;
    const links = new Map([`${a}/${b}`, `${b}/${a}`].map((name) => [name, new Link()]));
    const ports = await Promise.all(
      [...links].map(async ([name, link]) => [name, await link.listen()] as const),
    );
    const clocks = Object.fromEntries(sites.map((site) => [site, path.join(folder, `${site}.clock`)]));
    const settings: DrillSettings = { links: Object.fromEntries(ports), clocks };
    const file = path.join(folder, 'drill.json');
    fs.writeFileSync(file, JSON.stringify(settings));
    try {
      const stack = await startOwnStack('--drill', file, '--sites', sites.join(','), '--log-level', 'warn');
      return new Arena({ stack, folder, links, clocks });
    } catch (error) {
      await Promise.all([...links.values()].map((link) => link.close()));
      throw error;
    }
  }

  /** Where the stack keeps its data and logs. */
  get dir(): string {
    return this.#stack.dir;
  }

  describe(): Stack {
    return this.#stack.describe();
  }

  site(name: string): StackSite {
    const site = this.describe().sites.find((candidate) => candidate.site === name);
    if (site === undefined) throw new Error(`no site ${name}`);
    return site;
  }

  store(site: string): Store {
    const store = this.stores.get(site);
    if (store === undefined) throw new Error(`no site ${site}`);
    return store;
  }

  /** Both sites and the edge. */
  doors(): readonly Door[] {
    const { sites, edge } = this.describe();
    return [...sites.map(({ site, url }) => ({ name: site, url })), { name: 'edge', url: edge.url }];
  }

  /** True when everything serves. */
  isUp(): boolean {
    const { sites, edge } = this.describe();
    return edge.pid !== null && sites.every(({ ready, bridgePid }) => ready && bridgePid !== null);
  }

  /** Kills a process with SIGKILL; false when it is not running just now. */
  kill(victim: Victim, site: string): boolean {
    const pid = victim === 'edge' ? this.describe().edge.pid : pidOf(this.site(site), victim);
    if (pid === null) return false;
    try {
      return process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }

  /** Cuts links; the result mends them again, unless something else still cuts them. */
  cut(links: readonly string[], cut: Cut): () => void {
    const added = links.map((link) => ({ link, cut }));
    for (const entry of added) this.#cuts.add(entry);
    this.#setLinks();
    return () => {
      for (const entry of added) this.#cuts.delete(entry);
      this.#setLinks();
    };
  }

  /** Makes links slower by so many milliseconds each way; the result takes that away again. */
  slow(links: readonly string[], delayMs: number): () => void {
    const added = links.map((link) => ({ link, delayMs }));
    for (const entry of added) this.#delays.add(entry);
    this.#setLinks();
    return () => {
      for (const entry of added) this.#delays.delete(entry);
      this.#setLinks();
    };
  }

  /** Turns rules on in a site's store or queues; the result turns them off again. */
  impose(site: string, service: 'store' | 'queue', rules: readonly FaultRule[]): () => void {
    const imposed = { site, service, rules };
    this.#imposed.add(imposed);
    void this.#giveRules();
    return () => {
      this.#imposed.delete(imposed);
      void this.#giveRules();
    };
  }

  /** Moves the clock of a site's functions and bridge to so many milliseconds ahead of the machine's, and back. */
  skew(site: string, offsetMs: number): () => void {
    const added = { site, offsetMs };
    this.#skews.add(added);
    this.#setClock(site);
    return () => {
      this.#skews.delete(added);
      this.#setClock(site);
    };
  }

  /** A site's offset throughout a time, or undefined when it was moved in it, or near it. */
  offsetDuring(site: string, fromMs: number, untilMs: number): number | undefined {
    const marginMs = 3_000;
    const moves = this.#clockMoves.get(site) ?? [];
    if (moves.some(({ atMs }) => atMs > fromMs - marginMs && atMs < untilMs + marginMs)) return undefined;
    return moves.findLast(({ atMs }) => atMs <= fromMs)?.offsetMs ?? 0;
  }

  /** Ends every fault that lasts. Resolves when the stand-ins have been told. */
  async heal(): Promise<void> {
    for (const lasting of [this.#imposed, this.#cuts, this.#delays, this.#skews]) lasting.clear();
    this.#setLinks();
    for (const site of this.sites) this.#setClock(site);
    await this.#giveRules();
  }

  /**
   * Destroys a site: SIGKILL to all its processes at once, and its data is gone. Whatever the supervisor starts again
   * in its place reaches nobody, and finds nothing.
   */
  async destroy(site: string): Promise<void> {
    const { pid, bridgePid, standInsPid } = this.site(site);
    for (const leader of [pid, standInsPid]) if (leader !== null) signalGroup(leader, 'SIGKILL');
    if (bridgePid !== null) this.kill('bridge', site);
    this.cut(
      [...this.#links.keys()].filter((link) => link.split('/').includes(site)),
      'refused',
    );
    const data = path.join(this.dir, 'data', site);
    // The new stand-ins may have opened it already: they are killed, too, and begin with an empty folder.
    await fs.promises.rm(data, { recursive: true, force: true });
    const again = this.site(site).standInsPid;
    if (again !== null && again !== standInsPid) signalGroup(again, 'SIGKILL');
    await fs.promises.rm(data, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    clearInterval(this.#sync);
    for (const close of this.#closeStores) close();
    await this.#stack.stop();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  #setLinks(): void {
    for (const [name, link] of this.#links) {
      link.mode = [...this.#cuts].findLast((entry) => entry.link === name)?.cut ?? 'open';
      link.delayMs = [...this.#delays].reduce(
        (sum, entry) => sum + (entry.link === name ? entry.delayMs : 0),
        0,
      );
    }
  }

  #setClock(site: string): void {
    const file = this.#clocks[site];
    if (file === undefined) throw new Error(`no clock of ${site}`);
    const offsetMs = [...this.#skews].findLast((entry) => entry.site === site)?.offsetMs ?? 0;
    fs.writeFileSync(`${file}.next`, String(offsetMs));
    fs.renameSync(`${file}.next`, file);
    const moves = this.#clockMoves.get(site) ?? [];
    this.#clockMoves.set(site, [...moves, { atMs: Date.now(), offsetMs }]);
  }

  async #giveRules(): Promise<void> {
    await Promise.all(
      this.describe().sites.flatMap((site) => [this.#give(site, 'store'), this.#give(site, 'queue')]),
    );
  }

  async #give(site: StackSite, service: 'store' | 'queue'): Promise<void> {
    const url = site.faults[SERVICE[site.cloud][service]];
    if (url === undefined || site.standInsPid === null) return;
    const rules = [...this.#imposed]
      .filter((imposed) => imposed.site === site.site && imposed.service === service)
      .flatMap((imposed) => imposed.rules);
    const wanted = `${site.standInsPid} ${JSON.stringify(rules)}`;
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

function pidOf({ pid, bridgePid, standInsPid }: StackSite, victim: Exclude<Victim, 'edge'>): number | null {
  switch (victim) {
    case 'host':
      return pid;
    case 'bridge':
      return bridgePid;
    case 'stores':
      return standInsPid;
  }
}

/** Where the inbound queue of a site listens. */
function queuePort({ site, endpoints }: StackSite): number {
  const url = endpoints['sqs'] ?? /Endpoint=sb(:[^;]+)/.exec(endpoints['serviceBus'] ?? '')?.[1];
  const port = Number(/:(\d+)\/?$/.exec(url ?? '')?.[1]);
  if (!(port > 0)) throw new Error(`stack.json does not say where the queues of ${site} are`);
  return port;
}
