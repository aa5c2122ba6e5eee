/**
 * One execution environment of Lambda: the runtime interface emulator, and below it the runtime interface client with one
 * packaged function. It takes one event at a time, as the service's do.
 *
 * Invariant: a sandbox that is closed has left no process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { unzip } from '@tandem-clouds/local/zip';
import { freePort, stop, untilAnswering } from './peer.ts';

export interface LambdaPrograms {
  readonly client: string;
  readonly emulator: string;
}

export interface LambdaFunction {
  readonly name: string;
  /** Its package. */
  readonly zip: string;
  /** `src/handlers/items.handler` */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** All that it finds in its environment, beside what the runtime sets. */
  readonly env: Readonly<Record<string, string>>;
}

export class LambdaSandbox {
  readonly #child: ChildProcess;
  readonly #endpoint: string;
  readonly #folder: string;
  #output = '';

  private constructor(child: ChildProcess, { endpoint, folder }: { endpoint: string; folder: string }) {
    this.#child = child;
    this.#endpoint = endpoint;
    this.#folder = folder;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    }
  }

  /** Returns once it takes events; the function is loaded for the first of them. @throws Error when it does not start. */
  static async start(programs: LambdaPrograms, deployed: LambdaFunction): Promise<LambdaSandbox> {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-lambda-')));
    for (const [name, content] of unzip(deployed.zip)) {
      fs.mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), content);
    }
    const address = `127.0.0.1:${await freePort()}`;
    const emulator = [
      ...['--runtime-interface-emulator-address', address],
      ...['--runtime-api-address', `127.0.0.1:${await freePort()}`],
    ];
    const child = spawn(
      programs.emulator,
      [...emulator, process.execPath, programs.client, deployed.handler],
      {
        cwd: folder,
        env: { ...deployed.env, ...givenByLambda(deployed, folder) },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const sandbox = new LambdaSandbox(child, { endpoint: `http://${address}`, folder });
    try {
      await untilAnswering(sandbox.#endpoint, child, `the emulator of ${deployed.name}`);
    } catch (error) {
      await sandbox.close();
      throw error;
    }
    return sandbox;
  }

  /** What the emulator, the client and the function have printed so far. */
  get output(): string {
    return this.#output;
  }

  /** How often the function was loaded so far. */
  get coldStarts(): number {
    return this.#output.match(/INIT START/g)?.length ?? 0;
  }

  /** The function's answer, or `errorType` and `errorMessage`, as JSON; the time-out of the emulator is a plain text. */
  async invoke(event: unknown): Promise<unknown> {
    const url = `${this.#endpoint}/2015-03-31/functions/function/invocations`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(event) });
    const text = await response.text();
    try {
      return text === '' ? null : (JSON.parse(text) as unknown);
    } catch {
      return text;
    }
  }

  async close(): Promise<void> {
    await stop(this.#child);
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function givenByLambda(
  { name, handler, timeoutSeconds, memoryMb }: LambdaFunction,
  folder: string,
): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    LAMBDA_TASK_ROOT: folder,
    _HANDLER: handler,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    // Of the emulator: the service gives it to no function.
    AWS_LAMBDA_FUNCTION_TIMEOUT: String(timeoutSeconds),
  };
}
