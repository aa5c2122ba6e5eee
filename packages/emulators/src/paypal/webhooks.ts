/**
 * Webhooks, and the signature of what is sent to them.
 * @see https://developer.paypal.com/api/rest/webhooks/rest/
 * @see https://developer.paypal.com/docs/api/webhooks/v1/
 */
import { createPublicKey, createSign, createVerify, generateKeyPairSync, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ApiCall } from '../core/api-server.ts';
import type { Documents } from '../core/documents.ts';
import { isLoopback } from '../core/this-machine.ts';
import type { Delivery } from '../core/webhook-sender.ts';
import { type Account, newId } from './account.ts';
import { badRequest } from './errors.ts';
import { bodyOf, needed } from './json.ts';
import type { Webhook } from './model.ts';
import { iso } from './time.ts';

const URL_CHARS_MAX = 2_048;
const KEY_BITS = 2_048;

export function createWebhook(account: Account, call: ApiCall): Webhook {
  const body = bodyOf(call);
  const url = needed(body, 'url', { max: URL_CHARS_MAX });
  const types = body['event_types'];
  if (!Array.isArray(types) || types.length === 0)
    throw badRequest('MISSING_REQUIRED_PARAMETER', '/event_types');
  // The service wants https; this one sends to this machine only.
  if (!URL.canParse(url) || !isLoopback(url)) throw badRequest('INVALID_PARAMETER_VALUE', '/url');
  const names = types.map((one: { readonly name?: unknown }) => String(one.name));
  return account.put('webhooks', { id: newId(), url, types: names });
}

/** A key pair of its own for each sandbox, kept with its data. */
export function signingKey(documents: Documents): string {
  const kept = documents.get<string>('signing', 'key');
  if (kept !== undefined) return kept;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: KEY_BITS });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  documents.put('signing', 'key', pem);
  documents.commit();
  return pem;
}

export function signatureOf(
  account: Account,
  pem: string,
  { endpointId, body }: Delivery,
  sentAtMs: number,
): Readonly<Record<string, string>> | undefined {
  if (account.documents.get('webhooks', endpointId) === undefined) return undefined;
  const [id, time] = [randomUUID(), iso(sentAtMs)];
  const sign = createSign('RSA-SHA256').update(signed({ id, time, webhookId: endpointId, body }));
  return {
    'paypal-transmission-id': id,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': sign.sign(pem, 'base64'),
    'paypal-cert-url': `${account.base}/v1/notifications/certs/CERT-local`,
    'paypal-auth-algo': 'SHA256withRSA',
    'user-agent': 'PayPal/AUHR-214.0-55417034',
  };
}

/** @see https://developer.paypal.com/api/webhooks/v1/verify-webhook-signature-post */
export function verify(account: Account, pem: string, call: ApiCall): unknown {
  const body = bodyOf(call);
  const [algorithm, , id, signature, time, webhookId] = (
    [
      ['auth_algo', 100],
      ['cert_url', 500],
      ['transmission_id', 50],
      ['transmission_sig', 500],
      ['transmission_time', 100],
      ['webhook_id', 50],
    ] as const
  ).map(([name, max]) => needed(body, name, { max }));
  const event = body['webhook_event'];
  if (typeof event !== 'object' || event === null)
    throw badRequest('MISSING_REQUIRED_PARAMETER', '/webhook_event');
  const content = signed({
    id: id ?? '',
    time: time ?? '',
    webhookId: webhookId ?? '',
    body: JSON.stringify(event),
  });
  const isGood =
    algorithm === 'SHA256withRSA' &&
    account.documents.get('webhooks', webhookId ?? '') !== undefined &&
    createVerify('RSA-SHA256')
      .update(content)
      .verify(createPublicKey(pem), signature ?? '', 'base64');
  return { verification_status: isGood ? 'SUCCESS' : 'FAILURE' };
}

function signed({
  id,
  time,
  webhookId,
  body,
}: {
  id: string;
  time: string;
  webhookId: string;
  body: string;
}): string {
  return `${id}|${time}|${webhookId}|${crc32(body)}`;
}
