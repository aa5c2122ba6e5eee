/** The examples of docs/handlers.md, which has each region to the letter; tests/both/services.test.ts runs them. */
import type { OwnSettings } from '../../src/shared/config/own-setting.ts';
import type { Route } from '../../src/shared/http/route.ts';
import { invocationOf, openServices } from '../../src/shared/open-services.ts';
import type { OutboundResponse } from '../../src/shared/ports/outbound-http.ts';
import type { Services } from '../../src/shared/ports/services.ts';
import { openRuntime, serve } from '../../src/shared/runtime.ts';

// #region route
export function openQuotes(provider: string): unknown {
  const runtime = openRuntime();
  const services = openServices(runtime);
  const quote: Route = {
    method: 'GET',
    path: '/quotes/{currency}',
    async handle(request) {
      const { http, log } = services.within(invocationOf(request));
      const { currency } = request.params;
      const body = await http.json({ url: `${provider}/rates/${currency}`, totalMs: 2_000 });
      log.log('info', 'quoted', { currency });
      return { status: 200, body };
    },
  };
  return serve(runtime, [quote]);
}
// #endregion

// #region secret
export async function charge(
  url: string,
  order: { readonly id: string; readonly amountMinor: number },
  { secrets, http }: Services,
): Promise<OutboundResponse> {
  const call = (key: string): Promise<OutboundResponse> =>
    http.send({
      url: `${url}/charges`,
      headers: { authorization: `Bearer ${key}` },
      json: { amount: order.amountMinor },
      idempotencyKey: order.id,
    });
  const key = await secrets.get('stripe-key');
  const response = await call(key);
  // The key was replaced since it was read here: the vault is asked at once.
  return response.status === 401 ? await call(await secrets.refresh('stripe-key', key)) : response;
}
// #endregion

// #region settings
export const mySettings = {
  mailFrom: {
    env: 'MAIL_FROM',
    description: 'Sender of every mail',
    type: 'string',
    minLength: 3,
    maxLength: 200,
    default: 'shop@example.com',
  },
  mailsAtOnce: {
    env: 'MAILS_AT_ONCE',
    description: 'How many mails are under way at the same time',
    type: 'integer',
    minimum: 1,
    maximum: 100,
  },
} as const satisfies OwnSettings;
// #endregion

// #region metrics
export async function sendMail(
  url: string,
  mail: { readonly to: string; readonly text: string },
  effectId: string,
  { http, log, metrics }: Services,
): Promise<void> {
  const begunAtMs = performance.now();
  await http.json({ url, json: mail, idempotencyKey: effectId });
  metrics.record('MailsSent');
  metrics.record('ProviderMs', performance.now() - begunAtMs, { provider: 'mail' });
  log.log('info', 'mail sent', { effectId });
}
// #endregion
