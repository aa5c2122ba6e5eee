/** Answers of a child process to requests to load its code again, which it gives in turn. */
export class Reloads {
  readonly #waiting: ((problem: string | undefined) => void)[] = [];

  /** Resolves with what was wrong, or undefined. */
  begin(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#waiting.push(resolve);
    return promise;
  }

  /** The first that waits has been answered. */
  end(problem?: string): void {
    this.#waiting.shift()?.(problem);
  }

  /** The process has begun anew, with what is there now, or ends. */
  endAll(): void {
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }
}
