/**
 * Endpoints for events, and the signature of what is sent to them.
 * @see https://docs.stripe.com/api/webhook_endpoints
 * @see https://docs.stripe.com/webhooks#verify-manually
 */
import { createHmac } from 'node:crypto';
import { isLoopback } from '../core/this-machine.ts';
import type { Delivery } from '../core/webhook-sender.ts';
import { type Account, newId } from './account.ts';
import { invalid } from './errors.ts';
import type { WebhookEndpoint } from './model.ts';
import type { Params } from './params.ts';

const ENDPOINTS_MAX = 16;

export function createEndpoint(account: Account, params: Params): () => WebhookEndpoint {
  const url = params.needed('url');
  const events = params.list('enabled_events');
  if (events.length === 0)
    throw invalid('Missing required param: enabled_events.', {
      code: 'parameter_missing',
      param: 'enabled_events',
    });
  if (!URL.canParse(url))
    throw invalid('Invalid URL: An explicit scheme (such as https) must be provided.', {
      code: 'url_invalid',
      param: 'url',
    });
  if (!isLoopback(url))
    throw invalid('Invalid URL: this emulator sends to this machine only', { param: 'url' });
  if (account.all('webhook_endpoint').length >= ENDPOINTS_MAX)
    throw invalid(`You have reached the maximum of ${ENDPOINTS_MAX} test webhook endpoints.`);
  return () =>
    account.put<WebhookEndpoint>({
      id: newId('we'),
      object: 'webhook_endpoint',
      created: account.seconds,
      enabled_events: events,
      livemode: false,
      secret: newId('whsec'),
      status: 'enabled',
      url,
    });
}

/** Endpoints with ids of their own: those of an earlier start are moved to where they are now. */
export function keepEndpoints(
  account: Account,
  endpoints: readonly { readonly url: string; readonly secret: string }[],
): void {
  endpoints.forEach(({ url, secret }, at) => {
    account.put<WebhookEndpoint>({
      ...{ id: `we_local${at + 1}`, object: 'webhook_endpoint', created: account.seconds },
      ...{ enabled_events: ['*'], livemode: false, secret, status: 'enabled', url },
    });
  });
  account.documents.commit();
}

export function signatureOf(
  account: Account,
  { endpointId, body }: Delivery,
  sentAtMs: number,
): Readonly<Record<string, string>> | undefined {
  const endpoint = account.find<WebhookEndpoint>('webhook_endpoint', endpointId);
  if (endpoint === undefined) return undefined;
  const seconds = Math.floor(sentAtMs / 1_000);
  const digest = createHmac('sha256', endpoint.secret).update(`${seconds}.${body}`).digest('hex');
  return {
    'stripe-signature': `t=${seconds},v1=${digest}`,
    'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
  };
}
