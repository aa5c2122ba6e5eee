/**
 * Work that always has to catch up with the newest state, such as a build of sources that a person is changing.
 *
 * Invariant: a run that is waited for began after it was asked for. At most one runs, and at most one waits for it: who
 * asks while one runs shares the next one.
 */
export function newestRun(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const run = work().finally(() => {
      // The next one begins a moment later: who asks until then shares it.
      if (next === undefined) running = undefined;
    });
    running = run;
    return run;
  };
  const startNext = (): Promise<void> => {
    next = undefined;
    return start();
  };
  return () => {
    if (running === undefined) return start();
    next ??= running.then(startNext, startNext);
    return next;
  };
}
