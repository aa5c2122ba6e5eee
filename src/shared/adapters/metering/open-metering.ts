/** The metering of a site: what each port is wrapped in. */
import type { Answered, Metering } from '../../ports/metering.ts';
import type { MetricName } from '../../ports/telemetry.ts';
import type { Attributes } from '../../ports/tracing.ts';
import { sendingBeside } from '../tracing/sending-beside.ts';
import { ownInstrument, requestDuration, siteInstruments } from './instruments.ts';
import type { Meter } from './meter.ts';
import type { MetricsSender } from './metrics-sender.ts';

export function openMetering(meter: Meter, sender: Pick<MetricsSender, 'flush'>): Metering {
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
    tracing: (tracing) => sendingBeside(tracing, (withinMs) => sender.flush(withinMs)),
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
