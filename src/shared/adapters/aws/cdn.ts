/**
 * CloudFront as the cache in front of a site: invalidated by the tags of `Cache-Tag` (`CacheTagConfig` of the distribution), each
 * of which counts as one path. Paths would have to spell every query string that a list was asked with, and of wildcards fifteen
 * are taken at a time.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
 */
import { randomUUID } from 'node:crypto';
import { type CloudFrontClient, CreateInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { cdnTimeoutMs } from '../../bounds.ts';
import type { Cdn, PurgeCall } from '../../ports/cdn.ts';
import { asError } from '../vendor-error.ts';

export class CloudFrontCdn implements Cdn {
  readonly name = 'CloudFront';
  /** 3,000 may be in progress at a time: one request leaves room for others. */
  readonly itemsMax = 300;
  readonly #client: CloudFrontClient;
  readonly #distribution: string;

  constructor(client: CloudFrontClient, distribution: string) {
    this.#client = client;
    this.#distribution = distribution;
  }

  itemsOf({ keys }: PurgeCall): readonly string[] {
    return keys.map((key) => `#${key}`);
  }

  async purge(items: readonly string[]): Promise<void> {
    const invalidation = new CreateInvalidationCommand({
      DistributionId: this.#distribution,
      InvalidationBatch: {
        CallerReference: randomUUID(),
        Paths: { Quantity: items.length, Items: [...items] },
      },
    });
    try {
      await this.#client.send(invalidation, { abortSignal: AbortSignal.timeout(cdnTimeoutMs) });
    } catch (error) {
      const { name = 'Error', message = '' } = error as { name?: string; message?: string };
      const isBusy = name === 'TooManyInvalidationsInProgress' || name.startsWith('Throttling');
      throw asError(isBusy ? 'throttled' : 'passes', `CloudFront: ${name}: ${message}`, { cause: error });
    }
  }
}
