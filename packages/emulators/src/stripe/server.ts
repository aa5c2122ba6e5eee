/**
 * A local Stripe in test mode: the real `stripe` package talks to it.
 *
 * PaymentIntents, charges, refunds, disputes, payouts, balance transactions, events and webhooks, with keys of requests that
 * are remembered for a day. Not there: customers, saved payment methods, subscriptions, Connect, Radar, everything of API v2.
 * What happens at the customer's or the bank is ordered by the methods of the server: `authenticate`, `dispute`, `closeDispute`,
 * `failRefund`.
 *
 * Faults name the operation (`CreatePaymentIntent`, `ConfirmPaymentIntent`, `CreateRefund`, …) and the object's id; `deliver`
 * and the type of an event for webhooks (`core/webhook-sender.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ApiCall, type ApiReply, type ApiRoute, startApiServer } from '../core/api-server.ts';
import { Documents } from '../core/documents.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { UsageMeter } from '../core/usage.ts';
import { WebhookSender } from '../core/webhook-sender.ts';
import { Account, API_VERSION } from './account.ts';
import { closeDispute, openDispute } from './disputes.ts';
import { injectedError, invalid, StripeError, unauthorized } from './errors.ts';
import { once, replyOf } from './idempotency.ts';
import { expanded, SearchIndex } from './lists.ts';
import type { Charge, Dispute, PaymentIntent, Refund } from './model.ts';
import { Params } from './params.ts';
import { authenticate, settle } from './payment-intents.ts';
import { failRefund } from './refunds.ts';
import { isChallenge, type Operation, operationOf, redirect } from './routes.ts';
import { keepEndpoints, signatureOf } from './webhooks.ts';

/** Ours; the largest of these requests takes less. */
export const BODY_BYTES_MAX = 256 * 1024;
/** Under normal conditions data is searchable in less than a minute: https://docs.stripe.com/search#data-freshness */
const SEARCH_LAG_MS = 60_000;
const VERSION = /^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/;

export interface StripeOptions extends EmulatorOptions {
  /** The secret key of the account. Default `sk_test_local`. */
  readonly apiKey?: string | undefined;
  /** How old what search finds is. Default a minute. */
  readonly searchLagMs?: number | undefined;
  /** Addresses on this machine that get all events from the start, and the secret that those are signed with. */
  readonly webhooks?: readonly { readonly url: string; readonly secret: string }[] | undefined;
}

export interface StripeServer extends Emulator {
  readonly apiKey: string;
  /** The customer answers 3-D Secure. @throws StripeError when it was not asked for. */
  authenticate(intentId: string, outcome?: 'success' | 'failure'): PaymentIntent;
  /** The bank takes the money back. */
  dispute(chargeId: string): Dispute;
  closeDispute(disputeId: string, outcome: 'won' | 'lost'): Dispute;
  /** The bank of the customer sends a refund back. */
  failRefund(refundId: string): Refund;
  /** Sends the webhooks that are due by the clock; for a clock of one's own. @returns How many were taken. */
  deliver(): Promise<number>;
  readonly pendingWebhooks: number;
  /** Serves a connection that somebody else has accepted. */
  accept(socket: Socket): void;
}

export async function startStripe(options: StripeOptions = {}): Promise<StripeServer> {
  const { port = 0, now = Date.now, apiKey = 'sk_test_local', searchLagMs = SEARCH_LAG_MS } = options;
  const documents = new Documents(options.dataDir);
  const faults = new Faults();
  const usage = new UsageMeter();
  const sender: WebhookSender = new WebhookSender({
    documents,
    faults,
    now,
    byTimer: options.now === undefined,
    headersOf: (delivery, sentAtMs) => signatureOf(account, delivery, sentAtMs),
  });
  const account = new Account(documents, now, sender);
  keepEndpoints(account, options.webhooks ?? []);
  const index = new SearchIndex(searchLagMs, now);
  index.update(account);
  /** One change of the account, from whatever side. */
  const change = <Result>(run: () => Result): Result => {
    try {
      settle(account);
      return run();
    } finally {
      index.update(account);
      documents.commit();
    }
  };

  const route = (call: ApiCall): ApiRoute => {
    if (isChallenge(call)) return challenge(call);
    checkKey(call, apiKey);
    const operation = operationOf(call);
    const params = paramsOf(call);
    const run = (injected: string | undefined): ApiReply =>
      change(() => serve({ account, index }, { call, operation, params, injected }));
    return { operation: operation.operation, resource: operation.id, run };
  };

  const challenge = ({ segments: [, , id = ''], query }: ApiCall): ApiRoute => ({
    operation: 'Authenticate',
    resource: id,
    run: () =>
      change(() => {
        const action = account.get<PaymentIntent>('payment_intent', id).next_action;
        const url = action?.type === 'redirect_to_url' ? action.redirect_to_url.return_url : undefined;
        const failed = query.get('outcome') === 'failure';
        const { status } = authenticate(account, id, failed ? 'failure' : 'success');
        return redirect(url ?? null, id, status === 'requires_payment_method' ? 'failed' : 'succeeded');
      }),
  });

  const server = await startApiServer(port, {
    bodyBytesMax: BODY_BYTES_MAX,
    faults,
    usage,
    route,
    refusal: (error) => (error instanceof StripeError ? withIds(replyOf(error)) : undefined),
    tooLarge: () => withIds(replyOf(invalid('The request is too large.'))),
  }).catch((error: unknown) => {
    documents.close();
    throw error;
  });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await sender.close();
    await server.close();
    documents.close();
  };
  return {
    endpoint: server.endpoint,
    port: server.port,
    faults,
    apiKey,
    authenticate: (id, outcome = 'success') => change(() => authenticate(account, id, outcome)),
    dispute: (id) => change(() => openDispute(account, account.get<Charge>('charge', id))),
    closeDispute: (id, outcome) => change(() => closeDispute(account, id, outcome)),
    failRefund: (id) => change(() => failRefund(account, id)),
    deliver: () => {
      change(() => undefined);
      return sender.deliver();
    },
    get pendingWebhooks() {
      return sender.pending.length;
    },
    accept: server.accept,
    close: () => (closed ??= close()),
  };
}

interface Request {
  readonly call: ApiCall;
  readonly operation: Operation;
  readonly params: URLSearchParams;
  readonly injected: string | undefined;
}

function serve(
  context: { readonly account: Account; readonly index: SearchIndex },
  { call, operation, params: given, injected }: Request,
): ApiReply {
  const { account } = context;
  const isPost = call.method === 'POST';
  const header = call.headers['idempotency-key'];
  const key = isPost && typeof header === 'string' ? header : undefined;
  account.idempotencyKey = key ?? null;
  account.apiVersion = versionOf(call);
  account.base = call.base;
  const path = call.segments.join('/');
  const reply = once(account, { key, path, params: given }, () => {
    const params = new Params(given);
    const paths = params.list('expand');
    const run = operation.prepare(context, params, operation.id);
    params.done();
    const isAfter = injected === 'api_error_after';
    if (injected !== undefined && !isAfter) throw injectedError(injected);
    const body = expanded(account, run(), paths);
    if (isAfter) throw injectedError(injected);
    return { status: 200, body };
  });
  return withIds(reply, {
    'stripe-version': account.apiVersion,
    ...(key !== undefined && { 'idempotency-key': key }),
  });
}

function withIds(reply: ApiReply, more: Readonly<Record<string, string>> = {}): ApiReply {
  return {
    ...reply,
    headers: { 'request-id': `req_${randomUUID().slice(0, 14)}`, ...more, ...reply.headers },
  };
}

/** @see https://docs.stripe.com/api/authentication */
function checkKey({ headers: { authorization = '' } }: ApiCall, apiKey: string): void {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) (\S+)$/i.exec(authorization) ?? [];
  const given =
    scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString().split(':')[0] : value;
  if (given === undefined || given === '')
    throw unauthorized(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    );
  if (given !== apiKey)
    throw unauthorized(`Invalid API Key provided: ${given.slice(0, 8)}****${given.slice(-4)}`);
}

function versionOf({ headers }: ApiCall): string {
  const version = headers['stripe-version'] ?? API_VERSION;
  if (typeof version === 'string' && VERSION.test(version)) return version;
  throw invalid(`Invalid Stripe API version: ${String(version)}`);
}

function paramsOf({ method, headers, query, body }: ApiCall): URLSearchParams {
  if (method !== 'POST' || body === '') return query;
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true)
    throw invalid(
      'Invalid request: the body of a POST is form-encoded (application/x-www-form-urlencoded), see https://docs.stripe.com/api/request-bodies',
    );
  return new URLSearchParams(body);
}
