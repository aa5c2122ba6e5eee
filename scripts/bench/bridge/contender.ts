/** A measured process as the bench sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ContenderName, RoundCommand, RoundResult, WorkerSettings } from './worker.ts';

export class Contender {
  readonly name: ContenderName;
  readonly #child: ChildProcess;

  constructor(settings: WorkerSettings, execArgv: readonly string[] = []) {
    this.name = settings.contender;
    this.#child = fork(fileURLToPath(import.meta.resolve('./worker.ts')), [JSON.stringify(settings)], {
      execArgv: [...execArgv],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** @throws Error when the process has ended. */
  async round(command: RoundCommand): Promise<RoundResult> {
    const gone = new AbortController();
    const onExit = (): void => gone.abort(new Error(`${this.name}: the process ended`));
    this.#child.once('exit', onExit);
    this.#child.send(command);
    try {
      const [result] = (await once(this.#child, 'message', { signal: gone.signal })) as [RoundResult];
      return result;
    } finally {
      this.#child.removeListener('exit', onExit);
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}
