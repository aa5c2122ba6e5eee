/**
 * Asks every target of the zone whether it is well, again and again.
 *
 * Invariant: one check has one request under way at most; a check that the zone no longer has is not asked any more.
 */
import http from 'node:http';
import https from 'node:https';
import { own } from '@tandem-clouds/command-line/own';
import type { HealthCheck } from '@tandem-clouds/zone/model';
import { CHECK_TIMEOUT_MS_MAX } from './bounds.ts';
import { HealthState, type HealthView } from './health-state.ts';

/** Before a target was well for the first time, it is probably just starting. */
const FIRST_INTERVAL_MS_MAX = 1_000;

export interface HealthCheckerOptions {
  /** Called when a target became healthy or unhealthy. */
  readonly onChange: (key: string, healthy: boolean) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

interface Watched {
  readonly check: HealthCheck;
  readonly state: HealthState;
  /** Ends the request that is under way, and keeps the next one from being made. */
  stop: () => void;
  stopped: boolean;
  /** Why the last request failed; undefined when it did not. */
  failure: string | undefined;
}

/** One check, as the control interface shows it. */
export interface CheckReport extends HealthView {
  readonly check: HealthCheck;
  readonly failure?: string;
}

export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: HealthCheckerOptions) {
    this.#options = options;
  }

  /** Unknown checks count as healthy. */
  isHealthy(key: string): boolean {
    return this.#watched.get(key)?.state.healthy ?? true;
  }

  /**
   * Watches these and no others; what is known of those that stay is kept.
   * @param passing What was known before a restart.
   */
  watch(checks: ReadonlyMap<string, HealthCheck>, passing: Readonly<Record<string, boolean>> = {}): void {
    for (const [key, watched] of this.#watched) {
      if (checks.has(key)) continue;
      watched.stopped = true;
      watched.stop();
      this.#watched.delete(key);
    }
    for (const [key, check] of checks) {
      if (this.#watched.has(key)) continue;
      const state = new HealthState({
        threshold: check.failureThreshold,
        intervalMs: check.intervalSeconds * 1_000,
        passing: own(passing, key),
      });
      const stop = (): void => undefined;
      const watched: Watched = { check, state, stop, stopped: false, failure: undefined };
      this.#watched.set(key, watched);
      this.#query(key, watched);
    }
  }

  /** False while everything may just be starting. */
  anyEverPassed(): boolean {
    return [...this.#watched.values()].some(({ state }) => state.everPassed);
  }

  stop(): void {
    this.watch(new Map());
  }

  /** What the checks say, for the next start; those that have said nothing yet are left out. */
  passing(): Record<string, boolean> {
    return Object.fromEntries(
      [...this.#watched].flatMap(([key, { state }]) => {
        const { passing } = state.view();
        return passing === undefined ? [] : [[key, passing] as const];
      }),
    );
  }

  report(): Record<string, CheckReport> {
    return Object.fromEntries(
      [...this.#watched].map(([key, { check, state, failure }]) => [
        key,
        { check, ...state.view(), ...(failure !== undefined && { failure }) },
      ]),
    );
  }

  /** One request, and then the next one, an interval after this one began. */
  #query(key: string, watched: Watched): void {
    const { check, state } = watched;
    const intervalMs = check.intervalSeconds * 1_000;
    const startedAt = performance.now();
    const request = probe(check, Math.min(intervalMs, CHECK_TIMEOUT_MS_MAX), (failure) => {
      if (watched.stopped) return;
      watched.failure = failure;
      const changed = state.observe(failure === undefined, this.#options.now());
      if (changed) this.#options.onChange(key, state.healthy);
      const periodMs = state.everPassed ? intervalMs : Math.min(intervalMs, FIRST_INTERVAL_MS_MAX);
      const waitMs = Math.max(0, periodMs - (performance.now() - startedAt));
      const timer = setTimeout(() => this.#query(key, watched), waitMs);
      watched.stop = () => clearTimeout(timer);
    });
    watched.stop = () => void request.destroy();
  }
}

/**
 * Reports, once, why it failed, or undefined. A connection of its own each time: a kept one says nothing about whether
 * new ones are taken.
 */
function probe(
  check: HealthCheck,
  timeoutMs: number,
  report: (failure: string | undefined) => void,
): http.ClientRequest {
  const { protocol, host, port, path } = check;
  const get = protocol === 'https' ? https.get : http.get;
  const request = get({ host, port, path, agent: false });
  const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  let failure: string | undefined = 'no answer';
  request.once('response', (response) => {
    const { statusCode = 0 } = response;
    failure = statusCode >= 200 && statusCode < 400 ? undefined : `status ${statusCode}`;
    // The head has said all there is to know.
    response.destroy();
  });
  // An error after the head changes nothing.
  request.on('error', (error: NodeJS.ErrnoException) => {
    if (failure === 'no answer') failure = error.code ?? error.message;
  });
  request.once('close', () => {
    clearTimeout(timer);
    report(failure);
  });
  return request;
}
