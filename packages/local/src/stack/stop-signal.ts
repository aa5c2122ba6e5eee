/** The request of a person, or of whatever started the process, to end. */
const PARENT_POLL_MS = 250;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Waits for the first signal that asks for an end; further ones change nothing, the end is under way.
 *
 * npm passes a signal on to the shell that it runs a script in, and that shell dies without telling its child. So
 * under npm the loss of the parent counts as a signal.
 */
export class StopSignal {
  readonly #received = Promise.withResolvers<undefined>();
  received = false;

  readonly #onSignal = (): void => {
    this.received = true;
    this.#received.resolve(undefined);
  };

  readonly #parent = process.ppid;
  readonly #watch: NodeJS.Timeout | undefined;

  constructor() {
    for (const signal of STOP_SIGNALS) process.on(signal, this.#onSignal);
    if (process.env['npm_lifecycle_event'] === undefined) return;
    this.#watch = setInterval(() => {
      if (process.ppid !== this.#parent) this.#onSignal();
    }, PARENT_POLL_MS);
  }

  wait(): Promise<void> {
    return this.#received.promise;
  }

  dispose(): void {
    clearInterval(this.#watch);
    for (const signal of STOP_SIGNALS) process.off(signal, this.#onSignal);
  }
}
