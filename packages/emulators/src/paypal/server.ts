/**
 * A local PayPal sandbox: Orders v2, Payments v2, webhooks, the search for transactions.
 *
 * One purchase unit an order, paid by a buyer who approves it (`approve`). Not there: cards and wallets as a payment source,
 * vaults, shipping, payees and platform fees, reauthorization, subscriptions, payouts; orders do not expire. What the buyer
 * and their bank do is ordered by the methods of the server: `approve`, `dispute`, `closeDispute`.
 *
 * Faults name the operation (`CreateOrder`, `AuthorizeOrder`, `CaptureAuthorization`, `RefundCapture`, …) and the object's id;
 * `deliver` and the type of an event for webhooks (`core/webhook-sender.ts`).
 */
import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ApiCall, type ApiReply, type ApiRoute, startApiServer } from '../core/api-server.ts';
import { Documents } from '../core/documents.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { UsageMeter } from '../core/usage.ts';
import { WebhookSender } from '../core/webhook-sender.ts';
import { Account } from './account.ts';
import { injectedError, PayPalError } from './errors.ts';
import { ORDER_KEYS_KEPT_MS } from './keys.ts';
import type { Dispute, Order } from './model.ts';
import { approve } from './orders.ts';
import { closeDispute, openDispute } from './payments.ts';
import { approval, type Context, isApproval, operationOf } from './routes.ts';
import { REPORT_LAG_MS } from './transactions.ts';
import { signatureOf, signingKey } from './webhooks.ts';

/** Ours; the largest of these requests takes less. */
export const BODY_BYTES_MAX = 256 * 1024;
/** As the service says in `expires_in`. @see https://developer.paypal.com/api/rest/authentication/ */
const TOKEN_SECONDS = 32_400;

export interface PayPalOptions extends EmulatorOptions {
  /** Of the application. Default `local`. */
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** How long `PayPal-Request-Id` of an order is remembered; 6 hours, and up to 72 for who has asked for it. */
  readonly orderKeysKeptMs?: number | undefined;
  /** How far the search for transactions is behind. Default 3 hours. */
  readonly reportLagMs?: number | undefined;
  /** Whether the account pays an invoice id once. Default true. */
  readonly uniqueInvoices?: boolean | undefined;
  /** Addresses on this machine that get all events from the start, by an id that is known. */
  readonly webhooks?: readonly { readonly url: string; readonly id: string }[] | undefined;
}

export interface PayPalServer extends Emulator {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of the application, as `POST /v1/oauth2/token` gives one. */
  token(): string;
  /** The buyer agrees. @param refusal The issue that their bank will answer with, such as `PAYER_CANNOT_PAY`. */
  approve(orderId: string, refusal?: string): Order;
  dispute(captureId: string): Dispute;
  closeDispute(disputeId: string, outcome: 'won' | 'lost'): Dispute;
  /** Sends the webhooks that are due by the clock; for a clock of one's own. @returns How many were taken. */
  deliver(): Promise<number>;
  readonly pendingWebhooks: number;
  /** Serves a connection that somebody else has accepted. */
  accept(socket: Socket): void;
}

export async function startPayPal(options: PayPalOptions = {}): Promise<PayPalServer> {
  const {
    port = 0,
    now = Date.now,
    clientId = 'local',
    clientSecret = 'local',
    uniqueInvoices = true,
  } = options;
  const documents = new Documents(options.dataDir);
  const pem = signingKey(documents);
  const faults = new Faults();
  const usage = new UsageMeter();
  const sender: WebhookSender = new WebhookSender({
    documents,
    faults,
    now,
    byTimer: options.now === undefined,
    headersOf: (delivery, sentAtMs) => signatureOf(account, pem, delivery, sentAtMs),
  });
  const account = new Account(documents, now, { sender, uniqueInvoices });
  for (const { url, id } of options.webhooks ?? []) account.put('webhooks', { id, url, types: ['*'] });
  documents.commit();
  const tokens = new Map<string, number>();
  const context: Context = {
    account,
    pem,
    orderKeysKeptMs: options.orderKeysKeptMs ?? ORDER_KEYS_KEPT_MS,
    reportLagMs: options.reportLagMs ?? REPORT_LAG_MS,
  };
  const change = <Result>(run: () => Result): Result => {
    try {
      return run();
    } finally {
      documents.commit();
    }
  };

  const route = (call: ApiCall): ApiRoute => {
    account.base = call.base;
    if (isApproval(call))
      return {
        operation: 'Approve',
        resource: call.segments[2] ?? '',
        run: () => change(() => approval(account, call)),
      };
    if (call.segments.join('/') === 'v1/oauth2/token')
      return { operation: 'Token', resource: '', run: (injected) => token(call, injected) };
    checkToken(call, tokens, now());
    const { operation, id, run } = operationOf(call);
    return {
      operation,
      resource: id,
      run: (injected) => {
        if (injected !== undefined) throw injectedError(injected);
        return withIds(change(() => run(context, call, id)));
      },
    };
  };

  const newToken = (): string => {
    const value = `A21AA${randomBytes(24).toString('hex')}`;
    for (const [known, untilMs] of tokens) if (untilMs <= now()) tokens.delete(known);
    tokens.set(value, now() + TOKEN_SECONDS * 1_000);
    return value;
  };

  const token = (call: ApiCall, injected: string | undefined): ApiReply => {
    if (injected !== undefined) throw injectedError(injected);
    if (!isClient(call, `${clientId}:${clientSecret}`))
      return withIds({
        status: 401,
        body: { error: 'invalid_client', error_description: 'Client Authentication failed' },
      });
    if (new URLSearchParams(call.body).get('grant_type') !== 'client_credentials')
      return withIds({
        status: 400,
        body: { error: 'unsupported_grant_type', error_description: 'Grant Type is NULL or unsupported' },
      });
    return withIds({
      status: 200,
      body: {
        scope: 'https://uri.paypal.com/services/payments/payment',
        access_token: newToken(),
        token_type: 'Bearer',
        app_id: 'APP-80W284485P519543T',
        expires_in: TOKEN_SECONDS,
        nonce: randomUUID(),
      },
    });
  };

  const server = await startApiServer(port, {
    bodyBytesMax: BODY_BYTES_MAX,
    faults,
    usage,
    route,
    refusal: (error) =>
      error instanceof PayPalError ? withIds({ status: error.status, body: error.body }) : undefined,
    tooLarge: () => withIds({ status: 413, body: new PayPalError(413).body }),
  }).catch((error: unknown) => {
    documents.close();
    throw error;
  });
  account.base = server.endpoint;
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
    clientId,
    clientSecret,
    token: newToken,
    approve: (id, refusal) => change(() => approve(account, id, refusal)),
    dispute: (id) => change(() => openDispute(account, id)),
    closeDispute: (id, outcome) => change(() => closeDispute(account, id, outcome)),
    deliver: () => sender.deliver(),
    get pendingWebhooks() {
      return sender.pending.length;
    },
    accept: server.accept,
    close: () => (closed ??= close()),
  };
}

function withIds(reply: ApiReply): ApiReply {
  return { ...reply, headers: { 'paypal-debug-id': randomBytes(7).toString('hex'), ...reply.headers } };
}

function isClient({ headers: { authorization = '' } }: ApiCall, expected: string): boolean {
  const given = Buffer.from(/^Basic (\S+)$/i.exec(authorization)?.[1] ?? '', 'base64');
  const wanted = Buffer.from(expected);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** @throws PayPalError */
function checkToken(
  { headers: { authorization = '' } }: ApiCall,
  tokens: ReadonlyMap<string, number>,
  nowMs: number,
): void {
  const value = /^Bearer (\S+)$/i.exec(authorization)?.[1] ?? '';
  if ((tokens.get(value) ?? 0) <= nowMs) throw new PayPalError(401);
}
