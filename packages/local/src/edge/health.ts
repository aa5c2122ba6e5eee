/**
 * Whether one site answers: asked every half second, and told at once by whoever could not connect to it.
 *
 * A refused connection is proof. A slow or wrong answer is not: a busy machine gives one too, so it takes two in a
 * row.
 */
import http from 'node:http';

export interface Origin {
  readonly site: string;
  /** Base URL of the site's API. */
  readonly url: URL;
}

export interface HealthOptions {
  /** Milliseconds between two probes. Default 500. */
  readonly intervalMs?: number;
  /** How long a probe may take. Default 1,500: above the site's own bound for what it asks. */
  readonly timeoutMs?: number;
  readonly onChange?: (site: string, healthy: boolean) => void;
}

const INTERVAL_MS = 500;
/** Before a site has answered for the first time: everything is just starting. */
const FIRST_INTERVAL_MS = 200;
const TIMEOUT_MS = 1_500;
const FAILURES_MAX = 2;
/** Deep: a site whose store is gone must not get writes. Such a site answers 503; for a silent peer it does not. */
const PATH = '/health/deep';

type Probe = 'ok' | 'failed' | 'refused';

export class SiteHealth {
  readonly origin: Origin;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #onChange: (site: string, healthy: boolean) => void;
  #healthy = false;
  #seen = false;
  #failures = 0;
  #down = new AbortController();
  #probing: Promise<boolean> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(origin: Origin, options: HealthOptions = {}) {
    this.origin = origin;
    this.#intervalMs = options.intervalMs ?? INTERVAL_MS;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#onChange = options.onChange ?? (() => undefined);
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  /** Aborted when the site, healthy until then, is found not to be. */
  get down(): AbortSignal {
    return this.#down.signal;
  }

  /** Probes now and then regularly. */
  start(): void {
    void this.probe().finally(() => {
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.start(), this.#seen ? this.#intervalMs : FIRST_INTERVAL_MS);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Asks now; several callers share one question. */
  async probe(): Promise<boolean> {
    this.#probing ??= this.#query().finally(() => {
      this.#probing = undefined;
    });
    return await this.#probing;
  }

  /** A connection was refused: no further proof is needed. */
  refused(): void {
    this.#set(false);
  }

  async #query(): Promise<boolean> {
    const result = await probe(new URL(PATH, this.origin.url), this.#timeoutMs);
    this.#failures = result === 'ok' ? 0 : this.#failures + 1;
    if (result === 'ok') this.#set(true);
    else if (result === 'refused' || this.#failures >= FAILURES_MAX) this.#set(false);
    return result === 'ok';
  }

  #set(healthy: boolean): void {
    this.#seen ||= healthy;
    if (this.#healthy === healthy) return;
    this.#healthy = healthy;
    if (healthy) this.#down = new AbortController();
    else this.#down.abort();
    this.#onChange(this.origin.site, healthy);
  }
}

/** A connection of its own each time: a kept one says nothing about whether new ones are taken. */
function probe(url: URL, timeoutMs: number): Promise<Probe> {
  return new Promise((resolve) => {
    const request = http.get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200 ? 'ok' : 'failed'));
      response.once('error', () => resolve('failed'));
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'failed');
    });
  });
}
