/**
 * The stack under test with everything that a nemesis can do to it: kill, cut, slow, skew, impose faults, destroy, and
 * take a whole site away for a while.
 *
 * Invariant: a fault that is on goes on until it is taken away, or until `heal` takes all of them away.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Stack, StackSite } from '@tandem-clouds/command-line/running-stack';
import { Hooks } from '@tandem-clouds/local/faults/hooks';
import { type Cut, Link } from '@tandem-clouds/local/faults/link';
import type { DrillSettings } from '@tandem-clouds/local/stack/drill-file';
import { type OwnStack, startStackOf } from '@tandem-clouds/local/stack/own-stack';
import { signalGroup } from '@tandem-clouds/local/stack/process-group';
import { openSiteStore } from '@tandem-clouds/local/stack/site-store';
import type { Store } from '@tandem-clouds/replication/ports/store';
import { Clocks } from './clocks.ts';
import { localDeploy } from './deploy-local.ts';
import { ROOT } from './project-copy.ts';
import type { Endpoint } from './request.ts';
import type { Victim } from './victims.ts';

export interface OpenOptions {
  readonly project?: string;
  readonly artefacts?: Readonly<Record<string, string>>;
}

export class TestCluster {
  /** Both sites: the first is the one that is destroyed in the end. */
  readonly sites: readonly [string, string];
  readonly hooks: Hooks;
  readonly clocks: Clocks;
  readonly #stores: ReadonlyMap<string, Store>;
  readonly #stack: OwnStack;
  readonly #folder: string;
  readonly #links: ReadonlyMap<string, Link>;
  readonly #closeStores: readonly (() => void)[];
  readonly #variables: Readonly<Record<string, string>>;
  /** What lasts on links: of several cuts of one the latest counts, and delays add up. */
  readonly #cuts = new Set<{ readonly link: string; readonly cut: Cut }>();
  readonly #delays = new Set<{ readonly link: string; readonly delayMs: number }>();

  private constructor(parts: {
    stack: OwnStack;
    folder: string;
    links: ReadonlyMap<string, Link>;
    clocks: DrillSettings['clocks'];
    variables: Readonly<Record<string, string>>;
  }) {
    this.#stack = parts.stack;
    this.#folder = parts.folder;
    this.#links = parts.links;
    this.#variables = parts.variables;
    this.clocks = new Clocks(parts.clocks);
    this.hooks = new Hooks(() => this.describe().sites);
    const sites = parts.stack.describe().sites;
    const [first, second] = sites;
    if (first === undefined || second === undefined) throw new Error('the stack has fewer than two sites');
    this.sites = [first.site, second.site];
    const opened = sites.map((site) => [site.site, openSiteStore(site)] as const);
    this.#stores = new Map(opened.map(([site, { store }]) => [site, store]));
    this.#closeStores = opened.map(([, { close }]) => close);
    for (const [name, link] of parts.links) {
      const [, to = '', what] = name.split('/');
      link.targetPort = what === 'objects' ? objectsPort(this.site(to)) : queuePort(this.site(to));
    }
  }

  /**
   * Starts a stack of its own, with data on disk, links in the drill's hand and clocks that can be moved.
   * @param options.project Whose code it runs: a copy with other declarations (project-copy.ts).
   * @param options.artefacts Site → folder of the packages that it begins with. A site that was first on the sources would
   * have gone back from them: what its release of then understood is known to its peers.
   */
  static async open(
    sites: readonly [string, string],
    { project = ROOT, artefacts = {} }: OpenOptions = {},
  ): Promise<TestCluster> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-chaos-'));
    const [a, b] = sites;
    const ways = [`${a}/${b}`, `${b}/${a}`];
    const links = new Map([...ways, ...ways.map(objectsOf)].map((name) => [name, new Link()]));
    const ports = await Promise.all(
      [...links].map(async ([name, link]) => [name, await link.listen()] as const),
    );
    const files = (kind: string): Readonly<Record<string, string>> =>
      Object.fromEntries(sites.map((site) => [site, path.join(folder, `${site}.${kind}`)]));
    const [clocks, variables] = [files('clock'), files('variables')];
    const settings: DrillSettings = { links: Object.fromEntries(ports), clocks, variables, artefacts };
    const file = path.join(folder, 'drill.json');
    fs.writeFileSync(file, JSON.stringify(settings));
    try {
      const options = ['--drill', file, '--sites', sites.join(','), '--log-level', 'warn', '--types', 'off'];
      const stack = await startStackOf(project, ...options);
      return new TestCluster({ stack, folder, links, clocks, variables });
    } catch (error) {
      await Promise.all([...links.values()].map((link) => link.close()));
      throw error;
    }
  }

  /** Puts today's code onto a site: its functions end and start anew. */
  async upgrade(site: string): Promise<void> {
    await localDeploy(this.dir)(site, undefined);
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
    const store = this.#stores.get(site);
    if (store === undefined) throw new Error(`no site ${site}`);
    return store;
  }

  /** Both sites and the edge. */
  endpoints(): readonly Endpoint[] {
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

  /** Where a site reaches the storage of the other one: the address of the link between them. */
  objectsUrl(site: string, of: string): string {
    const link = this.#links.get(objectsOf(`${site}/${of}`));
    if (link === undefined) throw new Error(`no way from ${site} to the storage of ${of}`);
    return `http://127.0.0.1:${link.port}`;
  }

  /** Bytes that a site has read from the storage of the other one. */
  fetchedBy(site: string): number {
    return [...this.#links].reduce(
      (sum, [name, { received }]) => sum + (isObjects(name) && name.startsWith(`${site}/`) ? received : 0),
      0,
    );
  }

  /** Cuts links, that to the storage with that to the queue; the result mends them again, unless something else still cuts them. */
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

  /** Ends every fault that lasts. Resolves when the emulators have been told. */
  async heal(): Promise<void> {
    this.#cuts.clear();
    this.#delays.clear();
    this.#setLinks();
    this.clocks.clear();
    await this.hooks.clear();
  }

  /**
   * Destroys a site: SIGKILL to all its processes at once, and its data is gone. Whatever the supervisor starts again
   * in its place reaches nobody, and finds nothing.
   */
  async destroy(site: string): Promise<void> {
    const { emulatorsPid } = this.site(site);
    this.#killAll(site);
    this.cut(
      [...this.#links.keys()].filter((link) => link.split('/').includes(site)),
      'refused',
    );
    const data = path.join(this.dir, 'data', site);
    // The new emulators may have opened it already: they are killed, too, and begin with an empty folder.
    await fs.promises.rm(data, { recursive: true, force: true });
    const again = this.site(site).emulatorsPid;
    if (again !== null && again !== emulatorsPid) signalGroup(again, 'SIGKILL');
    await fs.promises.rm(data, { recursive: true, force: true });
  }

  /** SIGKILL to all processes of a site at once, and none is started again until the result is called. Its data stays. */
  takeAway(site: string): () => void {
    const { hold } = this.site(site);
    fs.writeFileSync(hold, '');
    this.#killAll(site);
    return () => fs.rmSync(hold, { force: true });
  }

  /** Destroys a site, and nothing is started in its place. */
  async lose(site: string): Promise<void> {
    this.takeAway(site);
    await this.destroy(site);
  }

  /** Deploys to the survivor of a loss what its operators would: no peer, and the lost site among the retired ones. */
  async fence(survivor: string, lost: string): Promise<void> {
    const file = this.#variables[survivor] ?? '';
    fs.writeFileSync(`${file}.next`, JSON.stringify({ TANDEM_PEERS: '[]', TANDEM_RETIRED_SITES: lost }));
    fs.renameSync(`${file}.next`, file);
    await this.upgrade(survivor);
  }

  async close(): Promise<void> {
    this.hooks.close();
    for (const close of this.#closeStores) close();
    await this.#stack.stop();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  #killAll(site: string): void {
    const { pid, emulatorsPid } = this.site(site);
    for (const leader of [pid, emulatorsPid]) if (leader !== null) signalGroup(leader, 'SIGKILL');
    this.kill('bridge', site);
  }

  #setLinks(): void {
    for (const [name, link] of this.#links) {
      const isIts = (entry: { readonly link: string }): boolean =>
        entry.link === name || objectsOf(entry.link) === name;
      link.mode = [...this.#cuts].findLast(isIts)?.cut ?? 'open';
      link.delayMs = [...this.#delays].filter(isIts).reduce((sum, entry) => sum + entry.delayMs, 0);
    }
  }
}

function pidOf({ pid, bridgePid, emulatorsPid }: StackSite, victim: Exclude<Victim, 'edge'>): number | null {
  switch (victim) {
    case 'host':
      return pid;
    case 'bridge':
      return bridgePid;
    case 'stores':
      return emulatorsPid;
  }
}

/** The link to the storage of the site that a link leads to. */
function objectsOf(link: string): string {
  return `${link}/objects`;
}

function isObjects(link: string): boolean {
  return link.endsWith('/objects');
}

/** Where the storage of objects of a site listens. */
function objectsPort({ site, endpoints }: StackSite): number {
  const { port } = new URL(endpoints['s3'] ?? endpoints['blob'] ?? 'none:');
  if (port === '') throw new Error(`stack.json does not say where the objects of ${site} are`);
  return Number(port);
}

/** Where the inbound queue of a site listens. */
function queuePort({ site, endpoints }: StackSite): number {
  const url = endpoints['sqs'] ?? /Endpoint=sb(:[^;]+)/.exec(endpoints['serviceBus'] ?? '')?.[1];
  const port = Number(/:(\d+)\/?$/.exec(url ?? '')?.[1]);
  if (!(port > 0)) throw new Error(`stack.json does not say where the queues of ${site} are`);
  return port;
}
