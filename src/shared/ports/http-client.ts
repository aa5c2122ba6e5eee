/** Asking another site over HTTP, injected. */

export interface HttpCall {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole answer, its body included. */
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Never follows a redirection. @throws UnavailableError when there is no whole answer within the bounds. */
export type HttpClient = (call: HttpCall) => Promise<HttpResponse>;
