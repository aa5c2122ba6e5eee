/** Reports mails and SMS that come back to an HTTP address, as a provider's bridge would: again, until it is taken. */
import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS_MAX = 20;
const PAUSE_MS = 500;
const TIMEOUT_MS = 5_000;

/** A mail by its Message-ID, an SMS by the phone that does not get it. */
export type Bounce = { readonly kind: 'hard' | 'soft' } & (
  { readonly messageId: string } | { readonly phone: string }
);

export class BounceReporter {
  readonly #url: string | undefined;
  readonly #token: (() => Promise<string>) | undefined;
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<void>>();

  /** @param url Undefined: nobody is told. @param token What is presented there; undefined: nothing. */
  constructor(url: string | undefined, token?: () => Promise<string>) {
    this.#url = url;
    this.#token = token;
  }

  report(bounce: Bounce): void {
    if (this.#url === undefined) return;
    const run = this.#deliver(this.#url, bounce).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#running);
  }

  async #deliver(url: string, bounce: Bounce): Promise<void> {
    const { signal } = this.#ended;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX && !signal.aborted; attempt += 1) {
      if (await this.#isTaken(url, bounce)) return;
      await delay(PAUSE_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #isTaken(url: string, bounce: Bounce): Promise<boolean> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(this.#token !== undefined && { authorization: `Bearer ${await this.#token()}` }),
        },
        body: JSON.stringify(bounce),
        signal: AbortSignal.any([this.#ended.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }
}
