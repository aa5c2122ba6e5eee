/**
 * Metrics as log lines with numeric members: the Functions host keeps what a worker writes as traces of Application
 * Insights, and a query makes a chart or an alert of them (docs/metrics.md). Custom metrics proper would need an SDK.
 * Nothing is measured before the first invocation: what is written then is lost on Flex Consumption.
 * @see https://github.com/Azure/azure-functions-host/issues/10222
 * @see https://learn.microsoft.com/azure/azure-functions/configure-monitoring
 */
import type { Metrics, OwnMetrics } from '../../ports/telemetry.ts';
import { metricLine, type MetricsOptions } from '../metric-line.ts';
import { ownMetrics } from '../own-metrics.ts';

export function openMetrics(options: MetricsOptions): Metrics {
  return {
    record: (values, peer) => options.write(`${JSON.stringify(metricLine(options, values, peer))}\n`),
  };
}

/** Of handlers and reactions. */
export function openOwnMetrics(options: MetricsOptions): OwnMetrics {
  return ownMetrics(options, (_measurement, line) => options.write(`${JSON.stringify(line)}\n`));
}
