/**
 * Recursive loop detection: Lambda ends a chain of invocations that triggers the same function again and again.
 *
 * The chain is counted in the trace header, under `Lineage`: for each function a hash and how often the chain has
 * invoked it again. The AWS SDK sends the header with every request that a function makes, SQS keeps it with the
 * message (`AWSTraceHeader`), and the event source mapping gives it to the next invocation with one more. When a
 * function has been invoked 16 times in one chain, its next invocation is refused: the mapping gets a
 * `RecursiveInvocationException`, the message is received again and refused again, and once it has been received
 * `maxReceiveCount` times it goes to the dead-letter queue.
 *
 * Of a batch whose messages have different lineages Lambda does not say which one counts: here the longest of each
 * function does. A schedule begins a chain. What HTTP functions send has no lineage here: none of them is in a loop.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes } from 'node:crypto';
import type { SQSEvent } from 'aws-lambda';

/** Invocations of one function in one chain; "approximately", says AWS, and those who counted found just this. */
export const CHAIN_INVOCATIONS_MAX = 16;

export type RecursiveLoop = 'Allow' | 'Terminate';

/** What Lambda answers instead of an invocation that is one too many. */
export class RecursiveInvocationException extends Error {
  override readonly name = 'RecursiveInvocationException';
}

const traces = new AsyncLocalStorage<string>();

/**
 * Makes the AWS SDKs of this process send the trace header of the invocation that they are used in, as they do inside
 * Lambda: they look for a store of the runtime's, and at the name of the function.
 * @see https://github.com/aws/aws-sdk-js-v3/blob/main/packages/middleware-recursion-detection/src/recursionDetectionMiddleware.ts
 */
export function provideTraces(): void {
  process.env['AWS_LAMBDA_FUNCTION_NAME'] ??= 'local';
  (globalThis as { awslambda?: object }).awslambda = {
    InvokeStore: { getXRayTraceId: () => traces.getStore(), getTraceparent: () => undefined },
  };
}

/** Runs an invocation under its trace header. */
export function withTrace<Result>(header: string, invoke: () => Result): Result {
  return traces.run(header, invoke);
}

/**
 * The trace header of the next invocation of a function.
 * @throws RecursiveInvocationException when the chain has invoked it too often.
 */
export function traceOf(functionArn: string, event: unknown, recursiveLoop: RecursiveLoop): string {
  const own = createHash('sha256').update(functionArn).digest('hex').slice(0, 8);
  const lineage = new Map<string, number>();
  for (const header of headersOf(event)) {
    for (const [hash, count] of lineageOf(header)) lineage.set(hash, Math.max(count, lineage.get(hash) ?? 0));
  }
  const again = (lineage.get(own) ?? -1) + 1;
  if (recursiveLoop === 'Terminate' && again >= CHAIN_INVOCATIONS_MAX) {
    throw new RecursiveInvocationException(
      'Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and stopped your function’s invocation.',
    );
  }
  lineage.set(own, again);
  const root = `1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;
  const chain = [...lineage].map(([hash, count]) => `${hash}:${count}`).join('|');
  return `Root=${root};Parent=${randomBytes(8).toString('hex')};Sampled=0;Lineage=${chain}`;
}

function headersOf(event: unknown): readonly string[] {
  const { Records = [] } = event as Partial<SQSEvent>;
  return Records.flatMap(({ attributes }) => attributes.AWSTraceHeader ?? []);
}

/** `Lineage=a87bd80c:1|68fd508a:5`, and as newer messages have it, after a version: `Lineage=1:a87bd80c:1`. */
function lineageOf(header: string): readonly (readonly [hash: string, count: number])[] {
  const text = /(?:^|;)Lineage=([^;]*)/.exec(header)?.[1] ?? '';
  return [...text.matchAll(/([0-9a-f]{8}):(\d+)(?:\||$)/g)].map(([, hash = '', count]) => [
    hash,
    Number(count),
  ]);
}
