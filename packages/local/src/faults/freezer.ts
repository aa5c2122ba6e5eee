/** A process group that stands still until it is let go on, or until this process ends in any way. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { signalGroup } from '../stack/process-group.ts';

const MAIN = path.join(import.meta.dirname, 'freezer-main.ts');

export class Freezer {
  /** Resolves when the group stands still; rejects when that cannot be done. */
  readonly frozen: Promise<void>;
  readonly #leader: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<undefined>;
  #thawing = false;

  /**
   * @param leader Of the group.
   * @param onLost Called when what keeps the group is gone without having been asked to; the group goes on then.
   */
  constructor(leader: number, onLost: () => void) {
    this.#leader = leader;
    // A group of its own: Ctrl-C in the terminal reaches the supervisor only.
    this.#child = spawn(process.execPath, [MAIN, String(leader)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    // A broken pipe says what 'exit' says, too.
    this.#child.stdin.on('error', () => undefined);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#ended = promise;
    const end = (): void => {
      resolve(undefined);
      if (this.#thawing) return;
      signalGroup(leader, 'SIGCONT');
      onLost();
    };
    this.#child.once('exit', end).once('error', end);
    this.frozen = Promise.race([this.#firstWord(), this.#early()]);
    // Awaited by who wants to know.
    this.frozen.catch(() => undefined);
  }

  /** Lets the group go on; resolves when it does. */
  async thaw(): Promise<void> {
    this.#thawing = true;
    this.#child.stdin.end();
    await this.#ended;
    signalGroup(this.#leader, 'SIGCONT');
  }

  async #firstWord(): Promise<void> {
    await once(this.#child.stdout, 'data');
  }

  async #early(): Promise<void> {
    await this.#ended;
    if (!this.#thawing) throw new Error(`what was to freeze the group of ${this.#leader} has ended`);
  }
}
