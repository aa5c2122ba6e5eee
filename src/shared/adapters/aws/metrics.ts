/**
 * Metrics as log lines in CloudWatch's embedded metric format: CloudWatch makes metrics of them, no call and no
 * permission needed.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import type { Metrics, OwnMetrics } from '../../ports/telemetry.ts';
import { metricLine, type MetricsOptions } from '../metric-line.ts';
import { ownMetrics } from '../own-metrics.ts';

const NAMESPACE = 'Tandem';
/** So that nobody's metric is taken for one that an alarm goes by. */
const OWN_NAMESPACE = 'Tandem/Own';

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

/** Of handlers and reactions. */
export function openOwnMetrics(options: MetricsOptions): OwnMetrics {
  return ownMetrics(options, ({ name, dimensions }, line) => {
    const directive = {
      Namespace: OWN_NAMESPACE,
      Dimensions: [['site', ...Object.keys(dimensions)]],
      Metrics: [{ Name: name, Unit: unitOf(name) }],
    };
    const _aws = { Timestamp: options.now(), CloudWatchMetrics: [directive] };
    options.write(`${JSON.stringify({ _aws, ...line })}\n`);
  });
}

const UNITS = { Ms: 'Milliseconds', Bytes: 'Bytes', Percent: 'Percent' } as const;

/** A unit is part of a name. */
function unitOf(name: string): (typeof UNITS)[keyof typeof UNITS] | 'Count' {
  const end = (Object.keys(UNITS) as (keyof typeof UNITS)[]).find((unit) => name.endsWith(unit));
  return end === undefined ? 'Count' : UNITS[end];
}
