/** In which order the sites are tried: healthy ones in turn, so that each gets its share. */
import { type HealthOptions, type Origin, SiteHealth } from './health.ts';

export class Balancer {
  readonly sites: readonly SiteHealth[];
  #turn = 0;

  constructor(origins: readonly Origin[], options: HealthOptions = {}) {
    if (origins.length === 0) throw new RangeError('an edge has one origin at least');
    this.sites = origins.map((origin) => new SiteHealth(origin, options));
  }

  start(): void {
    for (const site of this.sites) site.start();
  }

  stop(): void {
    for (const site of this.sites) site.stop();
  }

  /**
   * The sites to try for one request, the first one first. When the healthy ones are used up, the others are asked
   * once more: what was known about them may be half a second old.
   */
  async *candidates(): AsyncGenerator<SiteHealth, void, void> {
    const tried = new Set<SiteHealth>();
    for (const site of this.#inTurn()) {
      if (!site.healthy) continue;
      tried.add(site);
      yield site;
    }
    const others = this.sites.filter((site) => !tried.has(site));
    const responses = await Promise.all(others.map((site) => site.probe()));
    yield* others.filter((_, index) => responses[index]);
  }

  /** All sites, beginning with the one whose turn it is among the healthy ones. */
  #inTurn(): readonly SiteHealth[] {
    const healthy = this.sites.filter((site) => site.healthy);
    const start = healthy.length === 0 ? 0 : this.#turn++ % healthy.length;
    return [...healthy.slice(start), ...healthy.slice(0, start)];
  }
}
