/** A bundled function in a thread of its own, with the environment that its role or identity has. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const MAIN = fileURLToPath(new URL('./function-worker-main.cjs', import.meta.url));

interface Response {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A request of Functions reads its body and its headers by methods: the thread makes them again. */
async function withoutMethods(input: unknown): Promise<unknown> {
  const { arrayBuffer, headers, ...request } = input as Partial<Pick<Request, 'arrayBuffer' | 'headers'>>;
  if (arrayBuffer === undefined) return input;
  const bodyBase64 = Buffer.from(await arrayBuffer()).toString('base64');
  return { ...request, headers: [...(headers ?? [])], bodyBase64 };
}

export class FunctionWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', ({ id, result, error }: Response) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    worker.on('error', (error) => {
      for (const waiting of this.#waiting.values()) waiting.reject(error);
    });
  }

  /** @throws What the bundle throws while it is loaded. */
  static async start(bundle: string, env: Readonly<Record<string, string>>): Promise<FunctionWorker> {
    const worker = new Worker(MAIN, { env: { ...env }, workerData: bundle, stdout: true });
    // Its log is of no interest here.
    worker.stdout.resume();
    await once(worker, 'message');
    return new FunctionWorker(worker);
  }

  /** The function, as its platform would call it: plain data in, plain data out. */
  readonly handler = async (first: unknown, ...rest: unknown[]): Promise<unknown> => {
    const args = [await withoutMethods(first), ...rest];
    const id = (this.#last += 1);
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    // What cannot travel (methods of a context) the thread adds itself.
    this.#worker.postMessage({ id, args: JSON.parse(JSON.stringify(args)) as unknown[] });
    return waiting.promise;
  };

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
