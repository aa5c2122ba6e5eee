/** What a process says of itself to a collector. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import type { Attributes } from '../../ports/tracing.ts';
import { version } from '../../version.ts';
import { cloudNames } from './cloud-names.ts';

/** Alike in its traces and its metrics. */
const instanceId = randomBytes(8).toString('hex');

/** @see https://opentelemetry.io/docs/specs/semconv/resource/ */
export function resourceOf({ site, region }: Config, cloud: 'aws' | 'azure'): Attributes {
  const { provider, platform } = cloudNames[cloud];
  return {
    'service.name': 'tandem',
    'service.version': version,
    'service.instance.id': instanceId,
    'cloud.provider': provider,
    'cloud.platform': platform,
    'cloud.region': region,
    'tandem.site': site,
  };
}
