/** The tracing that a site is configured with. */
import { randomBytes } from 'node:crypto';
import { traceBounds } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { Logger } from '../../ports/telemetry.ts';
import { noTracing, type Tracing } from '../../ports/tracing.ts';
import { version } from '../../version.ts';
import { fetchClient } from '../fetch-client.ts';
import { cloudNames } from './cloud-names.ts';
import { openTracing } from './open-tracing.ts';
import { otlpBody } from './otlp.ts';
import { OtlpSender } from './otlp-sender.ts';
import { resourceOf } from './resource.ts';
import type { Span } from './span.ts';
import { Tracer } from './tracer.ts';

export function siteTracing(config: Config, cloud: 'aws' | 'azure', logger: Logger): Tracing {
  const { traces } = config;
  if (traces === undefined) return noTracing;
  const names = cloudNames[cloud];
  const resource = resourceOf(config, cloud);
  const elapsed = (): number => performance.now();
  const sender = new OtlpSender({
    signal: 'traces',
    url: traces.url,
    headers: traces.headers,
    bufferedMax: traceBounds.bufferedMax,
    sendMax: traceBounds.sendMax,
    encode: (spans: readonly Span[]) => otlpBody(resource, { name: 'tandem', version }, spans),
    client: fetchClient,
    logger,
    elapsed,
  });
  const clouds = new Map(config.peers.map((peer) => [peer.site, peer.cloud]));
  return openTracing({
    names,
    queuesOf: (peer) => cloudNames[clouds.get(peer) ?? cloud].queues,
    tracer: new Tracer({
      ratio: traces.ratio,
      sender,
      now: Date.now,
      elapsed,
      randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    }),
  });
}
