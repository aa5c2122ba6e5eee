/** The metering that a site is configured with. */
import type { Config } from '../../config/config.ts';
import { type Metering, noMetering } from '../../ports/metering.ts';
import type { Logger } from '../../ports/telemetry.ts';
import { version } from '../../version.ts';
import { fetchClient } from '../fetch-client.ts';
import { resourceOf } from '../tracing/resource.ts';
import { Meter } from './meter.ts';
import { MetricsSender } from './metrics-sender.ts';
import { openMetering } from './open-metering.ts';
import { otlpMetricsBody } from './otlp-metrics.ts';

/** @param now Epoch milliseconds. */
export function siteMetering(
  config: Config,
  cloud: 'aws' | 'azure',
  logger: Logger,
  now: () => number = Date.now,
): Metering {
  const { site, metrics } = config;
  if (metrics === undefined) return noMetering;
  const meter = new Meter(now);
  const from = {
    resource: resourceOf(config, cloud),
    scope: { name: 'tandem', version },
    attributes: { site },
  };
  const sender = new MetricsSender({
    ...metrics,
    meter,
    encode: (measured) => otlpMetricsBody(from, measured),
    client: fetchClient,
    logger,
    elapsed: () => performance.now(),
    now,
  });
  return openMetering(meter, sender);
}
