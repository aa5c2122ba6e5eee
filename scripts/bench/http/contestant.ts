/** A contender's process as the bench sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Shape } from './fixture.ts';
import { STACK_HEADERS_VARIABLE } from './stack-headers.ts';
import type { Command, PlatformResponse, Reply } from './worker.ts';

export class Contestant {
  readonly name: string;
  readonly #child: ChildProcess;

  constructor(options: {
    readonly name: string;
    readonly bundle: string;
    readonly shape: Shape;
    readonly headers: Readonly<Record<string, string>>;
    readonly execArgv?: readonly string[];
  }) {
    this.name = options.name;
    const worker = fileURLToPath(import.meta.resolve('./worker.ts'));
    this.#child = fork(worker, [options.bundle, options.shape], {
      execArgv: [...(options.execArgv ?? [])],
      env: { ...process.env, [STACK_HEADERS_VARIABLE]: JSON.stringify(options.headers) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  async response(valid: boolean): Promise<PlatformResponse> {
    const reply = await this.#query({ type: 'answer', valid });
    if (reply.type !== 'answer') throw new TypeError(`${this.name}: replied ${reply.type} to answer`);
    return reply.response;
  }

  /** Microseconds of processor time per request. */
  async round(segments: number, perSegment: number): Promise<number> {
    const reply = await this.#query({ type: 'round', segments, perSegment });
    if (reply.type !== 'round') throw new TypeError(`${this.name}: replied ${reply.type} to round`);
    return reply.cpuMicros;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  /** @throws Error when the worker has gone. */
  async #query(command: Command): Promise<Reply> {
    const gone = new AbortController();
    const onExit = (): void => gone.abort(new Error(`${this.name}: the process ended`));
    if (this.#child.exitCode !== null) onExit();
    this.#child.once('exit', onExit);
    this.#child.send(command);
    try {
      const [reply] = (await once(this.#child, 'message', { signal: gone.signal })) as [Reply];
      return reply;
    } finally {
      this.#child.removeListener('exit', onExit);
    }
  }
}
