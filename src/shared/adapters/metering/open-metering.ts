/** The metering of a site: what each port is wrapped in. */
import { otlpBounds } from '../../bounds.ts';
import type { InvocationContext } from '../../ports/cloud.ts';
import type { Answered, Metering } from '../../ports/metering.ts';
import type { MetricName } from '../../ports/telemetry.ts';
import type { Attributes } from '../../ports/tracing.ts';
import { ownInstrument, requestDuration, siteInstruments } from './instruments.ts';
import type { Meter } from './meter.ts';
import type { MetricsSender } from './metrics-sender.ts';

export function openMetering(meter: Meter, sender: Pick<MetricsSender, 'flush'>): Metering {
  /** What is done and what is sent when it has been: side by side with the spans, which are sent around it. */
  const sending = async <Result>(
    run: (ended: () => void) => Promise<Result>,
    remainingMs?: () => number,
  ): Promise<Result> => {
    let sent: Promise<void> | undefined;
    try {
      // Half of what is left: the answer needs some of it.
      return await run(() => {
        sent ??= sender.flush(Math.min(otlpBounds.waitMs, (remainingMs?.() ?? Infinity) / 2));
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
    metrics: (metrics) => ({
      record(values, peer) {
        metrics.record(values, peer);
        for (const [name, value] of Object.entries(values) as [MetricName, number][])
          meter.record(siteInstruments[name], { peer }, value);
      },
    }),
    own: (metrics) => ({
      record(name, value = 1, dimensions = {}) {
        // It refuses what is not well formed.
        metrics.record(name, value, dimensions);
        meter.record(ownInstrument(name), dimensions, value);
      },
    }),
    tracing: (tracing) => ({
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
      timer: (name, handler) => () =>
        sending((ended) => tracing.timer(name, () => after(handler(), ended))()),
    }),
    answered: (answered) => meter.record(requestDuration, requestAttributes(answered), answered.ms),
  };
}

/** RFC 9110, section 9, and RFC 5789. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

function requestAttributes({ method, route, status }: Answered): Attributes {
  return {
    // Anybody may make one up.
    'http.request.method': METHODS.has(method) ? method : '_OTHER',
    'http.route': route,
    'http.response.status_code': status,
    'url.scheme': 'https',
    'error.type': status >= 500 ? String(status) : undefined,
  };
}

/** Some tests call without a context. */
function remainingOf(context: InvocationContext | undefined): (() => number) | undefined {
  return context?.getRemainingTimeInMillis?.bind(context);
}
