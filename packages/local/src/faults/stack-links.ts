/**
 * The ways between the sites of one stack, each over a link that can be cut. Who sends is known by the port that it sends to,
 * so a way is cut for one site and stays open for the others.
 *
 * Invariant: a link that is cut twice is open when both have been taken away.
 */
import type { Ports } from '../ports.ts';
import type { DrillSettings } from '../stack/drill-file.ts';
import type { SiteName } from '../stack/sites.ts';
import { objectsLink } from '../stack/topology.ts';
import { Link } from './link.ts';

/** Of the service that others send to, and of that which they read from. */
const SERVICE = {
  aws: { queue: 'sqs', objects: 's3' },
  azure: { queue: 'service-bus', objects: 'blob' },
} as const;

export class StackLinks {
  /** Where each listens. */
  readonly ports: DrillSettings['links'];
  readonly #links: ReadonlyMap<string, Link>;
  readonly #cuts = new Set<{ readonly way: string }>();

  private constructor(links: ReadonlyMap<string, Link>) {
    this.#links = links;
    this.ports = Object.fromEntries([...links].map(([name, { port }]) => [name, port]));
  }

  /**
   * Listens for every way, on free ports.
   * @param held Ways that a drill has links of its own for.
   */
  static async open(sites: readonly SiteName[], held: DrillSettings['links'] = {}): Promise<StackLinks> {
    const links = new Map<string, Link>();
    for (const { site: from } of sites) {
      for (const { site: to } of sites) {
        const way = `${from}/${to}`;
        if (from === to || held[way] !== undefined) continue;
        for (const name of [way, objectsLink(way)]) links.set(name, new Link());
      }
    }
    await Promise.all([...links.values()].map((link) => link.listen()));
    return new StackLinks(links);
  }

  /** Nobody gets through before it is called. */
  leadTo(sites: readonly SiteName[], ports: Ports): void {
    for (const { site, cloud } of sites) {
      const { queue, objects } = SERVICE[cloud];
      for (const { site: from } of sites) {
        const way = `${from}/${site}`;
        this.#lead(way, ports.get(`${site}.${queue}`));
        this.#lead(objectsLink(way), ports.get(`${site}.${objects}`));
      }
    }
  }

  /** Whether the way is in our hand. */
  has(from: string, to: string): boolean {
    return this.#links.has(`${from}/${to}`);
  }

  /** Breaks connections from one site to another and refuses new ones; the result lets them through again. */
  cut(from: string, to: string): () => void {
    const way = `${from}/${to}`;
    const cut = { way };
    this.#cuts.add(cut);
    this.#setMode(way);
    return () => {
      this.#cuts.delete(cut);
      this.#setMode(way);
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #lead(name: string, port: number | undefined): void {
    const link = this.#links.get(name);
    if (link !== undefined) link.targetPort = port;
  }

  #setMode(way: string): void {
    const mode = [...this.#cuts].some((cut) => cut.way === way) ? 'refused' : 'open';
    for (const name of [way, objectsLink(way)]) {
      const link = this.#links.get(name);
      if (link !== undefined) link.mode = mode;
    }
  }
}
