/** One HTTP request to another site or service, injected. With retries and for handlers: `outbound-http.ts`. */

export interface HttpCall {
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** For the whole answer, its body included. */
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
  /** `error`, the default: a redirection is a failure. `manual`: it is an answer. It is never followed. */
  readonly redirect?: 'error' | 'manual';
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Never follows a redirection.
 * @throws UnavailableError when there is no whole answer within the bounds; its cause is a RangeError for a body that is too
 * large, an error named TimeoutError after the time, and else what the network has said.
 */
export type HttpClient = (call: HttpCall) => Promise<HttpResponse>;
