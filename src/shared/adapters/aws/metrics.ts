/**
 * Metrics as log lines in CloudWatch's embedded metric format: CloudWatch makes metrics of them, no call and no
 * permission needed.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import type { Metrics } from '../../ports/telemetry.ts';
import { metricLine, type MetricsOptions } from '../metric-line.ts';

const NAMESPACE = 'Tandem';

export function openMetrics(options: MetricsOptions): Metrics {
  return {
    record(values, peer) {
      const directive = {
        Namespace: NAMESPACE,
        Dimensions: [peer === undefined ? ['site'] : ['site', 'peer']],
        Metrics: Object.keys(values).map((Name) => ({ Name, Unit: unitOf(Name) })),
      };
      const _aws = { Timestamp: options.now(), CloudWatchMetrics: [directive] };
      options.write(`${JSON.stringify({ _aws, ...metricLine(options, values, peer) })}\n`);
    },
  };
}

/** A unit is part of a name. */
function unitOf(name: string): 'Milliseconds' | 'Count' {
  return name.endsWith('Ms') ? 'Milliseconds' : 'Count';
}
