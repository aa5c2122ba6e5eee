/** `#cdn` on AWS: opens CloudFront. A module of its own, so that a bundle that purges nothing has nothing of its SDK. */
import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import type { Config } from '../../config/config.ts';
import type { Cdn } from '../../ports/cdn.ts';
import { CloudFrontCdn } from './cdn.ts';

/** Undefined: this site has no distribution in front of it. */
export function openCdn({ cdn }: Config): Cdn | undefined {
  if (cdn?.distribution === undefined) return undefined;
  const client = new CloudFrontClient({
    // Of a service that is everywhere: requests are signed for this region, wherever they are from.
    region: 'us-east-1',
    // A reaction tries again.
    maxAttempts: 1,
    requestHandler: { throwOnRequestTimeout: true, connectionTimeout: 1_000 },
  });
  return new CloudFrontCdn(client, cdn.distribution);
}
