/**
 * Which site a call asks next.
 *
 * Invariant: a request that must not count twice is led to a second site only while it is certain that no earlier attempt
 * took effect. In a round every site is asked once; those that are known to fail, last.
 */
import type { MovedTo } from './attempt.ts';
import { pauseMs } from './bounds.ts';
import { Circuit } from './circuit.ts';
import type { Endpoint } from './options.ts';
import type { Repeat } from './repeat.ts';

export interface RouteOptions {
  readonly endpoints: readonly Endpoint[];
  readonly circuits: Map<string, Circuit>;
  readonly repeat: Repeat;
  /** The only one that may be asked. */
  readonly site: string | undefined;
  /** 0 to 1. */
  readonly random: () => number;
}

export class Route {
  /** Where the request may have taken effect. */
  readonly unknownAt = new Set<string>();
  readonly #options: RouteOptions;
  readonly #triedThisRound = new Set<string>();
  /** Endpoint → when it may be asked for this again. */
  readonly #notBefore = new Map<string, number>();
  #rounds = 0;
  /** The site that another one has named; it may be none of the endpoints. */
  #named: Endpoint | undefined;

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  /** Who may be asked at all, now; nobody: the call is over. */
  candidates(): readonly Endpoint[] {
    const { repeat, site } = this.#options;
    const named = this.#endpoints().filter(({ name }) => site === undefined || name === site);
    if (repeat === 'elsewhere') return named;
    const sites = named.filter(({ isEdge }) => !isEdge);
    if (this.unknownAt.size === 0) return sites.length > 0 ? sites : named;
    // Behind an edge the next attempt may meet another site.
    return repeat === 'never' ? [] : sites.filter(({ name }) => this.unknownAt.has(name));
  }

  /** The first that is not avoided, else the first that did not ask for a pause; undefined: none in this round. */
  choose(candidates: readonly Endpoint[], nowMs: number): Endpoint | undefined {
    const mayProbe = this.#options.repeat === 'elsewhere';
    const left = candidates.filter(
      ({ name }) => !this.#triedThisRound.has(name) && this.#notBeforeOf(name) <= nowMs,
    );
    return left.find(({ name }) => !this.circuit(name).isAvoided(nowMs, mayProbe)) ?? left[0];
  }

  /** The named site first, where there is one. */
  #endpoints(): readonly Endpoint[] {
    const { endpoints } = this.#options;
    const named = this.#named;
    return named === undefined ? endpoints : [named, ...endpoints.filter(({ name }) => name !== named.name)];
  }

  /** A site has named another one that is to be asked instead: it is the next. */
  moved({ name, url }: MovedTo): void {
    const { endpoints, circuits } = this.#options;
    const known = endpoints.find((one) => !one.isEdge && (one.name === name || one.url === url));
    this.#named = known ?? { name, url, isEdge: false };
    if (!circuits.has(this.#named.name)) circuits.set(this.#named.name, new Circuit());
  }

  tried(name: string): void {
    this.#triedThisRound.add(name);
  }

  /** The site asks not to be asked for this before so long; others may ask it. */
  pause(name: string, untilMs: number): void {
    this.#notBefore.set(name, untilMs);
  }

  /** A new round at once: the same sites are asked for something else. */
  beginAnew(): void {
    this.#triedThisRound.clear();
    this.#notBefore.clear();
  }

  /** A new round. @returns How long to wait before it, milliseconds. */
  nextRound(candidates: readonly Endpoint[], nowMs: number): number {
    this.#triedThisRound.clear();
    const longest = Math.min(pauseMs.first * 2 ** this.#rounds, pauseMs.longest);
    this.#rounds += 1;
    const earliest = Math.min(...candidates.map(({ name }) => this.#notBeforeOf(name)));
    return Math.max(longest * (0.5 + this.#options.random() / 2), earliest - nowMs);
  }

  circuit(name: string): Circuit {
    const circuit = this.#options.circuits.get(name);
    if (circuit === undefined) throw new TypeError(`${name} is no site of this client`);
    return circuit;
  }

  #notBeforeOf(name: string): number {
    return Math.max(this.circuit(name).notBeforeMs, this.#notBefore.get(name) ?? -Infinity);
  }
}
