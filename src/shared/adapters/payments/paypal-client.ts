/**
 * Calls of PayPal's REST API, with a token of its own.
 *
 * Invariant: an error says whether the call may have had an effect; a refusal keeps its issue.
 * @see https://developer.paypal.com/api/rest/authentication/
 */
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import { paymentTimeoutMs } from '../../bounds.ts';
import { OutboundError } from '../../errors.ts';
import type { OutboundHttp, OutboundResponse } from '../../ports/outbound-http.ts';
import { PaymentMismatchError } from '../../ports/payment-errors.ts';

/** A token is not used any more so long before its end. */
const TOKEN_MARGIN_MS = 60_000;

export interface PayPalCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A token, kept for whoever calls next, whichever client it was got by. */
export interface PayPalToken {
  current?: { readonly value: string; readonly untilMs: number } | undefined;
}

export interface PayPalAccess {
  /** Of the application; asked for when a token is needed. */
  readonly credentials: () => Promise<PayPalCredentials>;
  /** Those that replace what PayPal has refused; the same where there is nothing newer. */
  readonly refreshCredentials: (refused: PayPalCredentials) => Promise<PayPalCredentials>;
  /** Shared by the clients of a process; absent: of this client alone. */
  readonly token?: PayPalToken | undefined;
  /** Default `https://api-m.paypal.com`. */
  readonly endpoint?: string | undefined;
  readonly http: OutboundHttp;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface PayPalCall {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly json?: Json;
  /** Sent as it is, as JSON. */
  readonly body?: string;
  /** `PayPal-Request-Id`. */
  readonly key?: string;
}

/** The service refuses, by a rule that has a name. */
export class PayPalRefusal extends Error {
  override readonly name = 'PayPalRefusal';
  readonly status: number;
  readonly issue: string;

  constructor(status: number, issue: string) {
    super(`PayPal refuses the call (${status}, ${issue})`);
    this.status = status;
    this.issue = issue;
  }
}

export class PayPalClient {
  readonly #access: PayPalAccess;
  readonly #token: PayPalToken;

  constructor(access: PayPalAccess) {
    this.#access = access;
    this.#token = access.token ?? {};
  }

  /** The parsed body; undefined for none. @throws PayPalRefusal, UnavailableError, AmbiguousError, PaymentMismatchError */
  async send(call: PayPalCall): Promise<unknown> {
    let response = await this.#attempt(call);
    if (response.status === 401) {
      this.#token.current = undefined;
      response = await this.#attempt(call);
    }
    const { status, body } = response;
    if (response.ok) return body === '' ? undefined : parsed(response, call);
    if (status === 401 || status === 403 || status === 429 || status === 409)
      throw new UnavailableError(`PayPal refuses the call for now (${status})`);
    if (status >= 500) throw failed(call, `PayPal has failed (${status})`);
    throw new PayPalRefusal(status, issueIn(body));
  }

  async #attempt({ method, path, json, body, key }: PayPalCall): Promise<OutboundResponse> {
    const token = await this.#freshToken();
    return await this.#exchange(method, path, {
      ...(json !== undefined && { json }),
      ...(body !== undefined && { body }),
      headers: {
        authorization: `Bearer ${token}`,
        prefer: 'return=representation',
        ...(method !== 'GET' && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'paypal-request-id': key }),
      },
    });
  }

  async #exchange(
    method: PayPalCall['method'],
    path: string,
    request: {
      readonly json?: Json;
      readonly body?: string;
      readonly headers: Readonly<Record<string, string>>;
    },
  ): Promise<OutboundResponse> {
    const { endpoint = 'https://api-m.paypal.com', http } = this.#access;
    try {
      // Whoever called decides whether to try again: another call may be better by then.
      return await http.send({
        url: endpoint + path,
        method,
        ...request,
        attemptsMax: 1,
        attemptMs: paymentTimeoutMs,
      });
    } catch (cause) {
      if (!(cause instanceof OutboundError)) throw cause;
      throw cause.mayHaveTakenEffect
        ? new AmbiguousError('PayPal has not answered: the call may have taken effect', { cause })
        : new UnavailableError('PayPal has not answered', { cause });
    }
  }

  async #freshToken(): Promise<string> {
    const { credentials, refreshCredentials, now } = this.#access;
    const kept = this.#token.current;
    if (kept !== undefined && now() < kept.untilMs) return kept.value;
    const given = await credentials();
    let response = await this.#askForToken(given);
    if (response.status === 401) {
      const newer = await refreshCredentials(given);
      const isNewer = newer.clientId !== given.clientId || newer.clientSecret !== given.clientSecret;
      if (isNewer) response = await this.#askForToken(newer);
    }
    if (!response.ok) throw new UnavailableError(`PayPal gives no token (${response.status})`);
    const { access_token: value, expires_in: seconds } = parsed(response, { method: 'GET' }) as Record<
      string,
      unknown
    >;
    if (typeof value !== 'string' || typeof seconds !== 'number')
      throw new PaymentMismatchError('PayPal answers with what is no token');
    this.#token.current = { value, untilMs: now() + seconds * 1_000 - TOKEN_MARGIN_MS };
    return value;
  }

  async #askForToken({ clientId, clientSecret }: PayPalCredentials): Promise<OutboundResponse> {
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    try {
      return await this.#exchange('POST', '/v1/oauth2/token', {
        body: 'grant_type=client_credentials',
        headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      });
    } catch (cause) {
      // A token that nobody has received is no effect.
      if (cause instanceof AmbiguousError) throw new UnavailableError('PayPal gives no token', { cause });
      throw cause;
    }
  }
}

function parsed(response: OutboundResponse, call: Pick<PayPalCall, 'method'>): unknown {
  try {
    const body: unknown = JSON.parse(response.body);
    if (typeof body === 'object' && body !== null) return body;
  } catch {
    // Said below, without the body.
  }
  throw failed(call, 'PayPal answers with what is no JSON');
}

function failed({ method }: Pick<PayPalCall, 'method'>, text: string): Error {
  return method === 'GET'
    ? new UnavailableError(text)
    : new AmbiguousError(`${text}: the call may have taken effect`);
}

function issueIn(body: string): string {
  try {
    const { name, details } = JSON.parse(body) as {
      readonly name?: string;
      readonly details?: readonly { readonly issue?: string }[];
    };
    return details?.[0]?.issue ?? name ?? '';
  } catch {
    return '';
  }
}
