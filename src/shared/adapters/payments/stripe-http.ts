/**
 * Carries the calls of Stripe's SDK by the port of all other calls, so that they end with the invocation that they belong to,
 * their answers are bounded, and a key that is refused is replaced at once.
 *
 * Invariant: one call of the SDK is sent once; again only after 401, which had no effect.
 */
import Stripe from 'stripe';
import { paymentAnswerBytesMax, paymentTimeoutMs } from '../../bounds.ts';
import type { HttpCall } from '../../ports/http-client.ts';
import type { OutboundHttp, OutboundResponse } from '../../ports/outbound-http.ts';

export interface StripeHttpOptions {
  readonly http: OutboundHttp;
  /** The secret key, asked for with every call, so that a new one is used without a restart. */
  readonly apiKey: () => Promise<string>;
  /** The one that replaces a key that Stripe has refused; the same where there is no newer one. */
  readonly refreshKey: (refused: string) => Promise<string>;
}

type Sent = Awaited<ReturnType<InstanceType<typeof Stripe.HttpClient>['makeRequest']>>;

/** For `httpClient` of the SDK; its requests need no key of the SDK. */
export class StripeHttp extends Stripe.HttpClient {
  readonly #options: StripeHttpOptions;

  constructor(options: StripeHttpOptions) {
    super();
    this.#options = options;
  }

  override getClientName(): string {
    return 'tandem';
  }

  override async makeRequest(
    host: string,
    port: string,
    path: string,
    method: string,
    headers: Readonly<Record<string, string | number | readonly string[]>>,
    requestData: string,
    protocol: string,
  ): Promise<Sent> {
    const url = new URL(`${protocol}://${host}${path}`);
    url.port = port;
    const call = {
      url,
      method: method as HttpCall['method'],
      headers: headersOf(headers),
      ...(method !== 'GET' && { body: requestData }),
    };
    const { apiKey, refreshKey } = this.#options;
    const key = await apiKey();
    const response = await this.#send(call, key);
    if (response.status !== 401) return answerOf(response);
    const newer = await refreshKey(key);
    return answerOf(newer === key ? response : await this.#send(call, newer));
  }

  async #send(
    { headers, ...call }: Pick<HttpCall, 'url' | 'method' | 'headers' | 'body'>,
    key: string,
  ): Promise<OutboundResponse> {
    const { body, ...rest } = call;
    return await this.#options.http.send({
      ...rest,
      ...(body !== undefined && { body }),
      headers: { ...headers, authorization: `Bearer ${key}` },
      // Whoever called decides whether to try again: another call may be better by then.
      attemptsMax: 1,
      attemptMs: paymentTimeoutMs,
      bodyBytesMax: paymentAnswerBytesMax,
    });
  }
}

/** Without the length, which `fetch` knows better. */
function headersOf(
  given: Readonly<Record<string, string | number | readonly string[]>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given)
      .filter(([name]) => name.toLowerCase() !== 'content-length')
      .map(([name, value]) => [name, String(value)]),
  );
}

function answerOf(response: OutboundResponse): Sent {
  return {
    getStatusCode: () => response.status,
    getHeaders: () => response.headers,
    getRawResponse: () => response,
    toStream: () => {
      throw new TypeError('no answer of Stripe is read as a stream');
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    toJSON: async () => JSON.parse(response.body) as unknown,
  };
}
