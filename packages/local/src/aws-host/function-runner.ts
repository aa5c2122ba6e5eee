/**
 * Runs one bundled function in this process, as the Lambda runtime does: the handler gets the event as JSON and
 * a context, and an answer that is late or throws is a failed invocation.
 *
 * Unlike Lambda, invocations of one function share the process and a late one cannot be killed: it is only no
 * longer waited for.
 */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Context } from 'aws-lambda';
import type { PlannedFunction } from './plan.ts';
import { traceOf, withTrace } from './recursion.ts';

type Handler = (event: unknown, context: Context) => unknown;
type Exports = Readonly<Record<string, unknown>>;

const require = createRequire(import.meta.url);

export class FunctionRunner {
  readonly #planned: PlannedFunction;
  readonly #region: string;
  #handler: Handler | undefined;

  constructor(planned: PlannedFunction, region: string) {
    this.#planned = planned;
    this.#region = region;
  }

  /**
   * Takes the handler from the bundle as it was last evaluated, or is now for the first time.
   * @returns What makes it the one that is invoked.
   * @throws Error when it cannot be evaluated or exports no such function.
   */
  load(): () => void {
    const { bundle, source, exportName } = this.#planned;
    const exports = require(bundle) as Exports;
    const handler = source === undefined ? exports[exportName] : (exports[source] as Exports)[exportName];
    if (typeof handler !== 'function') throw new Error(`${bundle} exports no function ${exportName}`);
    return () => {
      this.#handler = handler as Handler;
    };
  }

  /**
   * @throws Error when no handler is loaded, whatever the handler throws, or an Error when it takes longer than the function's time-out, or a
   * `RecursiveInvocationException` when its chain of invocations is too long.
   */
  async invoke(event: unknown): Promise<unknown> {
    const { timeoutMs, name, recursiveLoop } = this.#planned;
    const trace = traceOf(this.#arn(), event, recursiveLoop);
    const handler = this.#handler;
    if (handler === undefined) throw new Error(`${name} is not loaded`);
    const deadlineMs = Date.now() + timeoutMs;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`${name} timed out after ${timeoutMs / 1000} seconds`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([
        withTrace(trace, () =>
          Promise.resolve(handler(JSON.parse(JSON.stringify(event)), this.#context(deadlineMs))),
        ),
        late,
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  #arn(): string {
    return `arn:aws:lambda:${this.#region}:000000000000:function:${this.#planned.name}`;
  }

  /** Without `done`, `fail` and `succeed`: Lambda has given up the callback style with Node.js 24. */
  #context(deadlineMs: number): Context {
    const { name, memoryMb } = this.#planned;
    return {
      callbackWaitsForEmptyEventLoop: true,
      functionName: name,
      functionVersion: '$LATEST',
      invokedFunctionArn: this.#arn(),
      memoryLimitInMB: String(memoryMb),
      awsRequestId: randomUUID(),
      logGroupName: `/aws/lambda/${name}`,
      logStreamName: 'local',
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    } satisfies Omit<Context, 'done' | 'fail' | 'succeed'> as Context;
  }
}
