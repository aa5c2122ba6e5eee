/**
 * Cloudflare as the cache in front of a site, at either cloud: purged by the tags of `Cache-Tag`, which every plan takes, a
 * hundred in a request. An account has so many requests a time: five a minute without a plan, five a second with the first one.
 * @see https://developers.cloudflare.com/cache/how-to/purge-cache/
 * @see https://developers.cloudflare.com/api/resources/cache/methods/purge/
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { cdnAnswerBytesMax, cdnTimeoutMs } from '../../bounds.ts';
import type { Cdn, PurgeCall } from '../../ports/cdn.ts';
import type { HttpClient } from '../../ports/http-client.ts';
import { asError } from '../vendor-error.ts';
import { retryAfterMsOf } from './retry-after.ts';

/** The secret that holds a token with the permission to purge this zone's cache, and no other. */
export const CLOUDFLARE_TOKEN = 'cloudflare-purge-token';
const API = 'https://api.cloudflare.com';

export interface CloudflareOptions {
  readonly zone: string;
  readonly url?: string | undefined;
  readonly http: HttpClient;
  readonly token: () => Promise<string>;
}

export class CloudflareCdn implements Cdn {
  readonly name = 'Cloudflare';
  readonly itemsMax = 100;
  readonly #options: CloudflareOptions;

  constructor(options: CloudflareOptions) {
    this.#options = options;
  }

  itemsOf({ keys }: PurgeCall): readonly string[] {
    return keys;
  }

  async purge(tags: readonly string[]): Promise<void> {
    const { zone, url = API, http, token } = this.#options;
    const { status, headers, body } = await http({
      method: 'POST',
      url: new URL(`/client/v4/zones/${zone}/purge_cache`, url),
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ tags }),
      timeoutMs: cdnTimeoutMs,
      bodyBytesMax: cdnAnswerBytesMax,
    });
    if (status === 429) {
      const retryAfterMs = retryAfterMsOf(headers);
      throw asError('throttled', 'Cloudflare: too many purges', { ...(retryAfterMs && { retryAfterMs }) });
    }
    if (status !== 200 || !isSuccess(body))
      throw new UnavailableError(`Cloudflare: ${status}: ${body.slice(0, 300)}`);
  }
}

function isSuccess(body: string): boolean {
  try {
    return (JSON.parse(body) as { success?: unknown }).success === true;
  } catch {
    return false;
  }
}
