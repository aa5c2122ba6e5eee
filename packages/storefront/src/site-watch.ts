/**
 * Which site answers and which one does not, learned from the requests that the client sends anyway. A site that is silent is
 * asked again by itself until it answers, so what the page says of it stays true while nobody clicks.
 */
import { signal } from '@preact/signals';
import type { ShopSite } from './config.ts';

/** Pauses between two questions to a silent site: doubles up to the longest. */
const PAUSE_MS = { first: 1_000, longest: 5_000 } as const;
const ASK_WITHIN_MS = 4_000;
/** What a gateway answers for a site that is gone. */
const GATEWAY = new Set([502, 503, 504]);
/** `Date` has whole seconds and has travelled: less says nothing about a clock. */
const CLOCK_SLACK_MS = 3_000;

export class SiteWatch {
  /** The site that answered last. */
  readonly answering = signal<string | undefined>(undefined);
  /** Those that did not answer when they were asked last. */
  readonly silent = signal<readonly string[]>([]);
  readonly #sites: readonly ShopSite[];
  readonly #customer: string;
  #clockAheadMs = 0;

  constructor(sites: readonly ShopSite[], customer: string) {
    this.#sites = sites;
    this.#customer = customer;
  }

  /** Epoch milliseconds as the sites see it: a key that is born in their future would be refused. */
  now(): number {
    return Date.now() - this.#clockAheadMs;
  }

  /** `fetch` for the client: watches, and says whose orders are meant. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const site = this.#sites.find((one) => url.startsWith(`${one.url}/`));
    const headers = new Headers(init.headers);
    if (/^\/orders(\/|\?|$)/.test(url.slice(site?.url.length ?? 0)))
      headers.set('x-tandem-owner', this.#customer);
    try {
      const response = await fetch(url, { ...init, headers });
      if (response.headers.has('x-tandem-site')) this.#spoke(site, response);
      else if (GATEWAY.has(response.status)) this.#fell(site);
      return response;
    } catch (error) {
      // Whoever has left the page did not want the answer any more: that says nothing about the site.
      if (!(error instanceof DOMException && error.name === 'AbortError')) this.#fell(site);
      throw error;
    }
  };

  /** Asks a site that something waits for: the client need not have come to it for long. */
  async check(name: string): Promise<void> {
    const site = this.#sites.find((one) => one.name === name);
    if (site !== undefined && !this.silent.value.includes(name) && !(await isThere(site))) this.#fell(site);
  }

  #spoke(site: ShopSite | undefined, { headers }: Response): void {
    this.answering.value = headers.get('x-tandem-site') ?? site?.name;
    const name = site?.name;
    if (name !== undefined && this.silent.value.includes(name))
      this.silent.value = this.silent.value.filter((one) => one !== name);
    const aheadMs = Date.now() - Date.parse(headers.get('date') ?? '');
    if (Number.isFinite(aheadMs)) this.#clockAheadMs = Math.abs(aheadMs) > CLOCK_SLACK_MS ? aheadMs : 0;
  }

  #fell(site: ShopSite | undefined): void {
    if (site === undefined || this.silent.value.includes(site.name)) return;
    // What was silent a while ago may be back: that nobody answers is not said before all of them were asked.
    const isLast = this.silent.value.length === this.#sites.length - 1;
    void (isLast ? this.#askSilent() : Promise.resolve()).then(() => {
      if (this.silent.value.includes(site.name)) return;
      this.silent.value = [...this.silent.value, site.name];
      this.#askLater(site, PAUSE_MS.first);
    });
  }

  async #askSilent(): Promise<void> {
    const silent = this.#sites.filter(({ name }) => this.silent.value.includes(name));
    await Promise.all(
      silent.map(async (site) => {
        if (await isThere(site)) this.silent.value = this.silent.value.filter((name) => name !== site.name);
      }),
    );
  }

  #askLater(site: ShopSite, pauseMs: number): void {
    setTimeout(() => {
      if (!this.silent.value.includes(site.name)) return;
      void isThere(site).then((isBack) => {
        if (isBack) this.silent.value = this.silent.value.filter((name) => name !== site.name);
        else this.#askLater(site, Math.min(2 * pauseMs, PAUSE_MS.longest));
      });
    }, pauseMs);
  }
}

async function isThere({ url }: ShopSite): Promise<boolean> {
  try {
    return (await fetch(`${url}/region`, { signal: AbortSignal.timeout(ASK_WITHIN_MS) })).ok;
  } catch {
    return false;
  }
}
