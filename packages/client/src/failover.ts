/**
 * The attempts of one call, and what is reported in the end; which site is asked is up to its route.
 *
 * Invariants: all attempts carry one key. An error other than `OutcomeUnknown` means that nothing took effect.
 */
import { type Answer, attempt, isTimeout, type Outcome, problemOf } from './attempt.ts';
import { attemptMsMin, attemptsMax } from './bounds.ts';
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
import { Route } from './route.ts';

export interface Call {
  readonly request: RequestName;
  readonly repeat: Repeat;
  /** The idempotency key that all attempts carry. */
  readonly key: string | undefined;
  /** The key was made for this call, so that nothing was sent under it before. */
  readonly isNewKey: boolean;
  readonly body: string | undefined;
  /** Of one attempt. @param isBound Whether the session's guarantee is asked for. */
  readonly headers: (isBound: boolean) => Promise<Headers>;
  /** How long a site may wait before it answers. */
  readonly waitMs: number;
  readonly totalMs: number;
  /** The only site that may be asked. */
  readonly site: string | undefined;
  /** Those that do it, as the contract says: they are asked first. */
  readonly sites: readonly string[] | undefined;
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

/**
 * A site refuses so before it looks whether it has done an earlier attempt: another token, another writer, a record that is
 * gone since. `gone` even says that it was done.
 */
const SAYS_NOTHING_OF_EARLIER: ReadonlySet<string> = new Set([
  'unauthorized',
  'forbidden',
  'not_found',
  'gone',
  'not_kept_here',
  'not_writer_here',
]);

export class Failover {
  readonly #options: FailoverOptions;
  readonly #circuits: Map<string, Circuit>;

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
  readonly #call: Call;
  readonly #deadlineMs: number;
  readonly #route: Route;
  readonly #asked: string[] = [];
  #behind = false;
  #stale = false;
  #cause: unknown;

  constructor(options: FailoverOptions, circuits: Map<string, Circuit>, call: Call) {
    this.#options = options;
    this.#call = call;
    this.#deadlineMs = options.clock.now() + call.totalMs;
    const { endpoints, clock } = options;
    this.#route = new Route({
      endpoints: firstOf(endpoints, call.sites),
      circuits,
      repeat: call.repeat,
      site: call.site,
      random: () => clock.random(),
    });
    if (call.site !== undefined && !circuits.has(call.site)) {
      throw new ClientOptionsError(
        `site must be one of ${[...circuits.keys()].join(', ')}, not ${call.site}`,
      );
    }
  }

  async play(): Promise<Answered> {
    while (this.#asked.length < attemptsMax) {
      if (this.#call.signal?.aborted === true) throw this.#cancelled();
      const candidates = this.#route.candidates();
      if (candidates.length === 0) break;
      const endpoint = this.#route.choose(candidates, this.#options.clock.now());
      if (endpoint === undefined) {
        if (!(await this.#nextRound(candidates))) break;
        continue;
      }
      if (this.#leftMs() < attemptMsMin) break;
      const outcome = await this.#attempt(endpoint);
      if (outcome.kind === 'answered') return this.#resultOf(endpoint, outcome.answer);
      if (outcome.kind !== 'moved') continue;
      // Whoever wants this very site has its answer.
      if (this.#call.site !== undefined) return this.#resultOf(endpoint, outcome.answer);
      this.#route.moved(outcome.to);
    }
    throw this.#failure(this.#cause);
  }

  /** Waits until somebody may be asked again; false when the time of the call is over before. */
  async #nextRound(candidates: readonly Endpoint[]): Promise<boolean> {
    const { clock, whenBehind } = this.#options;
    if (this.#behind && whenBehind === 'stale' && !this.#stale) {
      this.#stale = true;
      this.#route.beginAnew();
      return true;
    }
    const waitMs = this.#route.nextRound(candidates, clock.now());
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
    const { request, body, signal, headers, waitMs } = this.#call;
    const withinMs = Math.min(attemptMs + waitMs, this.#leftMs());
    const end = this.#route.circuit(name).begin();
    let isSent = false;
    try {
      const init = {
        method: request.method,
        headers: await this.#prepared(headers),
        ...(body !== undefined && { body }),
      };
      this.#route.tried(name);
      this.#asked.push(name);
      isSent = true;
      const outcome = await attempt({ fetch, clock, url: url + request.path, init, withinMs, signal });
      this.#note(name, outcome, withinMs);
      return outcome;
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      if (isSent) this.#route.unknownAt.add(name);
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
      if (this.#route.unknownAt.size > 0 && !isRead(this.#call.request.method)) throw this.#failure(error);
      throw error;
    }
  }

  /** Remembers what the attempt showed, of the site and of this call. */
  #note(name: string, outcome: Outcome, withinMs: number): void {
    const { clock, attemptMs } = this.#options;
    const circuit = this.#route.circuit(name);
    const nowMs = clock.now();
    if (outcome.kind === 'answered') {
      circuit.succeeded();
      return;
    }
    this.#cause = outcome.cause;
    if (outcome.kind === 'moved') {
      circuit.succeeded();
      return;
    }
    if (outcome.kind === 'behind') {
      this.#behind = true;
      this.#route.pause(name, nowMs + outcome.retryAfterMs);
      circuit.succeeded();
      return;
    }
    if (outcome.kind === 'lost') this.#route.unknownAt.add(name);
    if (outcome.retryAfterMs !== undefined) circuit.paused(nowMs, outcome.retryAfterMs);
    // That it did not answer in what was left of a call says little.
    const hadItsTime = !isTimeout(outcome.cause) || withinMs >= attemptMs;
    if (outcome.isDown && hadItsTime) circuit.failed(nowMs);
  }

  /** @throws ProblemError @throws OutcomeUnknown when an attempt elsewhere may stand that this refusal says nothing of. */
  #resultOf({ name, isEdge }: Endpoint, answer: Answer): Answered {
    const { request, isNewKey } = this.#call;
    const done = { answer, stale: this.#stale, deletedBefore: false };
    if (answer.status < 400) return done;
    const elsewhere = [...this.#route.unknownAt].filter((other) => other !== name || isEdge);
    const dateMs = Date.parse(answer.headers.get('date') ?? '');
    const refusal = new ProblemError(request, problemOf(answer.text) ?? bareProblem(answer), {
      site: answer.site,
      stale: this.#stale,
      dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
    });
    const isForgotten = refusal.code === 'request_forgotten';
    // The site does not know either whether it has done what an earlier call sent under this key.
    if (isForgotten && !isNewKey) this.#route.unknownAt.add(name);
    const isRepeated = this.#route.unknownAt.has(name);
    const isDeletedBefore = request.method === 'DELETE' && answer.status === 404 && isRepeated;
    if (isDeletedBefore && elsewhere.length === 0) return { ...done, deletedBefore: true };
    const saysNothing = isForgotten || SAYS_NOTHING_OF_EARLIER.has(refusal.code);
    if ((elsewhere.length > 0 || (saysNothing && isRepeated)) && !isRead(request.method))
      throw this.#failure(refusal);
    throw refusal;
  }

  #failure(cause: unknown): TandemError {
    const { request, key } = this.#call;
    const isOpen = this.#route.unknownAt.size > 0 && !isRead(request.method);
    if (isOpen) return new OutcomeUnknown(request, { key, sites: [...this.#route.unknownAt] }, cause);
    return new UnavailableError(request, this.#asked, cause);
  }

  #cancelled(): TandemError {
    const { request, signal } = this.#call;
    const reason = reasonOf(signal);
    const isOpen = this.#route.unknownAt.size > 0 && !isRead(request.method);
    return isOpen ? this.#failure(reason) : new CancelledError(request, 'cancelled by its caller', reason);
  }

  #leftMs(): number {
    return this.#deadlineMs - this.#options.clock.now();
  }
}

/** Others would only name them, but may know them better than the contract did. */
function firstOf(endpoints: readonly Endpoint[], sites: readonly string[] | undefined): readonly Endpoint[] {
  if (sites === undefined) return endpoints;
  const isFirst = ({ name }: Endpoint): boolean => sites.includes(name);
  return [...endpoints.filter(isFirst), ...endpoints.filter((one) => !isFirst(one))];
}

/** A refusal of a site that is no problem document. */
function bareProblem({ status }: Answer): Problem {
  return { type: 'about:blank', title: '', status, detail: '', instance: '', code: `http_${status}` };
}
