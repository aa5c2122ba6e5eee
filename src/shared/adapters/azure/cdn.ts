/**
 * Front Door as the cache in front of a site: purged by paths through Resource Manager, a hundred in a request. It knows no tags;
 * a path stands for whatever query string it was asked with. It takes the request at once and carries it out within minutes,
 * twenty at the most, so what bounds staleness there is the age that answers have.
 * @see https://learn.microsoft.com/rest/api/frontdoor/azurefrontdoorstandardpremium/afd-endpoints/purge-content
 * @see https://learn.microsoft.com/azure/frontdoor/standard-premium/how-to-cache-purge
 * @see https://raw.githubusercontent.com/MicrosoftDocs/azure-docs/main/includes/front-door-limits.md
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { cdnAnswerBytesMax, cdnTimeoutMs } from '../../bounds.ts';
import type { Cdn, PurgeCall } from '../../ports/cdn.ts';
import type { HttpClient } from '../../ports/http-client.ts';
import { retryAfterMsOf } from '../cdn/retry-after.ts';
import { asError } from '../vendor-error.ts';

const API_VERSION = '2024-02-01';

export interface FrontDoorOptions {
  /** Origin of Resource Manager. */
  readonly endpoint: string;
  /** Resource id of the endpoint: `/subscriptions/…/profiles/…/afdEndpoints/…`. */
  readonly endpointId: string;
  readonly http: HttpClient;
  /** A token for Resource Manager. @throws what the identity has thrown */
  readonly token: () => Promise<string>;
}

export class FrontDoorCdn implements Cdn {
  readonly name = 'Front Door';
  readonly itemsMax = 100;
  readonly #options: FrontDoorOptions;

  constructor(options: FrontDoorOptions) {
    this.#options = options;
  }

  itemsOf({ paths }: PurgeCall): readonly string[] {
    return paths;
  }

  async purge(contentPaths: readonly string[]): Promise<void> {
    const { endpoint, endpointId, http, token } = this.#options;
    const bearer = await token().catch((cause: unknown) => {
      throw new UnavailableError('no token for Azure Resource Manager', { cause });
    });
    const { status, headers, body } = await http({
      method: 'POST',
      url: new URL(`${endpointId}/purge?api-version=${API_VERSION}`, endpoint),
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: JSON.stringify({ contentPaths }),
      timeoutMs: cdnTimeoutMs,
      bodyBytesMax: cdnAnswerBytesMax,
    });
    if (status === 429) {
      const retryAfterMs = retryAfterMsOf(headers);
      throw asError('throttled', 'Front Door: too many requests', { ...(retryAfterMs && { retryAfterMs }) });
    }
    if (status !== 200 && status !== 202)
      throw new UnavailableError(`Front Door: ${status}: ${body.slice(0, 300)}`);
  }
}
