/**
 * The attempts of one call: which site is asked, what may be sent again and where, and what is reported in the end.
 *
 * Invariants: a request that must not count twice is sent to a second site only while it is certain that no earlier attempt
 * took effect. All attempts carry one key. An error other than `OutcomeUnknown` means that nothing took effect.
 */
import { type Answer, attempt, isTimeout, type Outcome, problemOf } from './attempt.ts';
import { attemptMsMin, attemptsMax, pauseMs } from './bounds.ts';
import { Circuit } from './circuit.ts';
import { type Clock, reasonOf } from './clock.ts';
import {
  CancelledError,
  ClientOptionsError,
  OutcomeUnknown,
  type Problem,
  ProblemError,
  type RequestName,
  type TandemError,
  UnavailableError,
} from './errors.ts';
import type { CheckedOptions, Endpoint } from './options.ts';
import { isRead, type Repeat } from './repeat.ts';

export interface Call {
  readonly request: RequestName;
  readonly repeat: Repeat;
  /** The idempotency key that all attempts carry. */
  readonly key: string | undefined;
  readonly body: string | undefined;
  /** Of one attempt. @param isBound Whether the session's guarantee is asked for. */
  readonly headers: (isBound: boolean) => Promise<Headers>;
  readonly totalMs: number;
  /** The only site that may be asked. */
  readonly site: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Answered {
  readonly answer: Answer;
  /** Answered without the guarantee of the session. */
  readonly stale: boolean;
  /** The record was gone when a deletion was repeated: the first attempt, or somebody, had deleted it. */
  readonly deletedBefore: boolean;
}

export interface FailoverOptions extends CheckedOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
}

export class Failover {
  readonly #options: FailoverOptions;
  readonly #circuits: ReadonlyMap<string, Circuit>;

  constructor(options: FailoverOptions) {
    this.#options = options;
    this.#circuits = new Map(options.endpoints.map(({ name }) => [name, new Circuit()]));
  }

  /** @throws ProblemError @throws UnavailableError @throws OutcomeUnknown @throws CancelledError */
  run(call: Call): Promise<Answered> {
    return new Run(this.#options, this.#circuits, call).play();
  }
}

class Run {
  readonly #options: FailoverOptions;
  readonly #circuits: ReadonlyMap<string, Circuit>;
  readonly #call: Call;
  readonly #deadlineMs: number;
  /** Where it may have taken effect. */
  readonly #unknownAt = new Set<string>();
  readonly #asked: string[] = [];
  readonly #triedThisRound = new Set<string>();
  /** Endpoint → when it may be asked for this again. */
  readonly #notBefore = new Map<string, number>();
  #rounds = 0;
  #behind = false;
  #stale = false;
  #cause: unknown;

  constructor(options: FailoverOptions, circuits: ReadonlyMap<string, Circuit>, call: Call) {
    this.#options = options;
    this.#circuits = circuits;
    this.#call = call;
    this.#deadlineMs = options.clock.now() + call.totalMs;
    if (call.site !== undefined && !circuits.has(call.site)) {
      throw new ClientOptionsError(
        `site must be one of ${[...circuits.keys()].join(', ')}, not ${call.site}`,
      );
    }
  }

  async play(): Promise<Answered> {
    while (this.#asked.length < attemptsMax) {
      if (this.#call.signal?.aborted === true) throw this.#cancelled();
      const candidates = this.#candidates();
      if (candidates.length === 0) break;
      const endpoint = this.#choose(candidates);
      if (endpoint === undefined) {
        if (!(await this.#nextRound(candidates))) break;
        continue;
      }
      if (this.#leftMs() < attemptMsMin) break;
      const outcome = await this.#attempt(endpoint);
      if (outcome.kind === 'answered') return this.#resultOf(endpoint, outcome.answer);
    }
    throw this.#failure(this.#cause);
  }

  /** Who may be asked at all, now. */
  #candidates(): readonly Endpoint[] {
    const { repeat, site } = this.#call;
    const named = this.#options.endpoints.filter(({ name }) => site === undefined || name === site);
    if (repeat === 'elsewhere') return named;
    const sites = named.filter(({ isEdge }) => !isEdge);
    if (this.#unknownAt.size === 0) return sites.length > 0 ? sites : named;
    // Behind an edge the next attempt may meet another site.
    return repeat === 'never' ? [] : sites.filter(({ name }) => this.#unknownAt.has(name));
  }

  /** The first that is not avoided, else the first that did not ask for a pause; undefined: none in this round. */
  #choose(candidates: readonly Endpoint[]): Endpoint | undefined {
    const nowMs = this.#options.clock.now();
    const left = candidates.filter(
      ({ name }) => !this.#triedThisRound.has(name) && this.#notBeforeOf(name) <= nowMs,
    );
    const mayProbe = this.#call.repeat === 'elsewhere';
    return left.find(({ name }) => !this.#circuit(name).isAvoided(nowMs, mayProbe)) ?? left[0];
  }

  /** Waits until somebody may be asked again; false when the time of the call is over before. */
  async #nextRound(candidates: readonly Endpoint[]): Promise<boolean> {
    const { clock, whenBehind } = this.#options;
    this.#triedThisRound.clear();
    if (this.#behind && whenBehind === 'stale' && !this.#stale) {
      this.#stale = true;
      this.#notBefore.clear();
      return true;
    }
    const longest = Math.min(pauseMs.first * 2 ** this.#rounds, pauseMs.longest);
    this.#rounds += 1;
    const earliest = Math.min(...candidates.map(({ name }) => this.#notBeforeOf(name)));
    const waitMs = Math.max(longest * (0.5 + clock.random() / 2), earliest - clock.now());
    if (this.#leftMs() - waitMs < attemptMsMin) return false;
    try {
      await clock.sleep(waitMs, this.#call.signal);
    } catch {
      throw this.#cancelled();
    }
    return true;
  }

  async #attempt({ name, url }: Endpoint): Promise<Outcome> {
    const { clock, fetch, attemptMs } = this.#options;
    const { request, body, signal, headers } = this.#call;
    const withinMs = Math.min(attemptMs, this.#leftMs());
    const end = this.#circuit(name).begin();
    try {
      const init = {
        method: request.method,
        headers: await this.#prepared(headers),
        ...(body !== undefined && { body }),
      };
      this.#triedThisRound.add(name);
      this.#asked.push(name);
      const outcome = await attempt({ fetch, clock, url: url + request.path, init, withinMs, signal });
      this.#note(name, outcome, withinMs);
      return outcome;
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      if (this.#asked.length > 0) this.#unknownAt.add(name);
      throw this.#cancelled();
    } finally {
      end();
    }
  }

  async #prepared(headers: Call['headers']): Promise<Headers> {
    try {
      return await headers(!this.#stale);
    } catch (error) {
      // Of the caller's own function: an earlier attempt may stand all the same.
      if (this.#unknownAt.size > 0 && !isRead(this.#call.request.method)) throw this.#failure(error);
      throw error;
    }
  }

  /** Remembers what the attempt showed, of the site and of this call. */
  #note(name: string, outcome: Outcome, withinMs: number): void {
    const { clock, attemptMs } = this.#options;
    const circuit = this.#circuit(name);
    const nowMs = clock.now();
    if (outcome.kind === 'answered') return circuit.succeeded();
    this.#cause = outcome.cause;
    if (outcome.kind === 'behind') {
      this.#behind = true;
      this.#notBefore.set(name, nowMs + outcome.retryAfterMs);
      return circuit.succeeded();
    }
    if (outcome.kind === 'lost') this.#unknownAt.add(name);
    if (outcome.retryAfterMs !== undefined) circuit.paused(nowMs, outcome.retryAfterMs);
    // That it did not answer in what was left of a call says little.
    const hadItsTime = !isTimeout(outcome.cause) || withinMs >= attemptMs;
    if (outcome.isDown && hadItsTime) circuit.failed(nowMs);
  }

  /** @throws ProblemError @throws OutcomeUnknown when an attempt elsewhere may stand that this refusal says nothing of. */
  #resultOf({ name, isEdge }: Endpoint, answer: Answer): Answered {
    const { request } = this.#call;
    const done = { answer, stale: this.#stale, deletedBefore: false };
    if (answer.status < 400) return done;
    const elsewhere = [...this.#unknownAt].filter((other) => other !== name || isEdge);
    const refusal = new ProblemError(request, problemOf(answer.text) ?? bareProblem(answer), {
      site: answer.site,
      stale: this.#stale,
    });
    if (elsewhere.length > 0 && !isRead(request.method)) throw this.#failure(refusal);
    const isRepeated = this.#unknownAt.has(name);
    if (request.method === 'DELETE' && answer.status === 404 && isRepeated)
      return { ...done, deletedBefore: true };
    throw refusal;
  }

  #failure(cause: unknown): TandemError {
    const { request, key } = this.#call;
    const isOpen = this.#unknownAt.size > 0 && !isRead(request.method);
    if (isOpen) return new OutcomeUnknown(request, { key, sites: [...this.#unknownAt] }, cause);
    return new UnavailableError(request, this.#asked, cause);
  }

  #cancelled(): TandemError {
    const { request, signal } = this.#call;
    const reason = reasonOf(signal);
    const isOpen = this.#unknownAt.size > 0 && !isRead(request.method);
    return isOpen ? this.#failure(reason) : new CancelledError(request, 'cancelled by its caller', reason);
  }

  #circuit(name: string): Circuit {
    const circuit = this.#circuits.get(name);
    if (circuit === undefined) throw new TypeError(`${name} is no site of this client`);
    return circuit;
  }

  #notBeforeOf(name: string): number {
    return Math.max(this.#circuit(name).notBeforeMs, this.#notBefore.get(name) ?? -Infinity);
  }

  #leftMs(): number {
    return this.#deadlineMs - this.#options.clock.now();
  }
}

/** A refusal of a site that is no problem document. */
function bareProblem({ status }: Answer): Problem {
  return { type: 'about:blank', title: '', status, detail: '', instance: '', code: `http_${status}` };
}
