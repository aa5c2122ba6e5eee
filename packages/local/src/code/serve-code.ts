/**
 * A site's side: takes the code that the supervisor sends, one after the other, and reports what became of it.
 *
 * Invariant: of several that come while one is being taken only the last is taken.
 */
import { type Code, type CodeTaken, isCodeMessage } from './messages.ts';

export interface LiveSite {
  /** Serves this code from now on. @throws Error; what was served before goes on. */
  take(code: Code): Promise<void>;
  stop(): Promise<void>;
}

/** Runs a site until it is asked to end. */
export function serveCode(site: LiveSite): void {
  let taking = Promise.resolve();
  let newest = 0;
  let isServing = false;

  const take = async (code: Code): Promise<void> => {
    if (code.generation < newest) return;
    let problem: string | undefined;
    try {
      await site.take(code);
      isServing = true;
    } catch (error) {
      problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      // There is nothing that it could go on with: the supervisor starts another one, which may have better code.
      if (!isServing) {
        process.stderr.write(`${problem}\n`);
        process.exit(1);
      }
    }
    const taken: CodeTaken = {
      type: 'code-taken',
      generation: code.generation,
      ...(problem !== undefined && { problem }),
    };
    if (process.connected) process.send?.(taken);
  };
  process.on('message', (message: unknown) => {
    if (!isCodeMessage(message)) return;
    newest = message.code.generation;
    taking = taking.then(() => take(message.code));
  });
  // Nothing else may hold the process until the code is there.
  process.channel?.ref();
  const stop = (): void => {
    void site
      .stop()
      .catch(() => undefined)
      .then(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
