/** Sends what an invocation has made (measurements, lines of its log) beside its spans, before its result is given. */
import { otlpBounds } from '../../bounds.ts';
import type { InvocationContext } from '../../ports/cloud.ts';
import type { Tracing } from '../../ports/tracing.ts';

/**
 * The same tracing, whose invocations also send this: from the moment that the handler has ended, in the time that spans have.
 * @param flush Waits no longer than it is given, in milliseconds, and never rejects.
 */
export function sendingBeside(tracing: Tracing, flush: (withinMs: number) => Promise<void>): Tracing {
  const sending = async <Result>(
    run: (ended: () => void) => Promise<Result>,
    remainingMs?: () => number,
  ): Promise<Result> => {
    let sent: Promise<void> | undefined;
    try {
      // Half of what is left: the answer needs some of it.
      return await run(() => {
        sent ??= flush(Math.min(otlpBounds.waitMs, (remainingMs?.() ?? Infinity) / 2));
      });
    } finally {
      await sent;
    }
  };
  const after = async <Result>(act: Promise<Result>, ended: () => void): Promise<Result> => {
    try {
      return await act;
    } finally {
      ended();
    }
  };
  return {
    ...tracing,
    http: (handler) => (event, context) =>
      sending(
        (ended) => tracing.http((...given) => after(handler(...given), ended))(event, context),
        remainingOf(context),
      ),
    batch: (name, queue, handler) => (messages, limit) =>
      sending((ended) =>
        tracing.batch(name, queue, (...given) => after(handler(...given), ended))(messages, limit),
      ),
    timer: (name, handler) => () => sending((ended) => tracing.timer(name, () => after(handler(), ended))()),
  };
}

/** Some tests call without a context. */
export function remainingOf(context: InvocationContext | undefined): (() => number) | undefined {
  return context?.getRemainingTimeInMillis?.bind(context);
}
