/**
 * The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header): a client that got no answer sends the
 * request again, at any site, and it takes effect once.
 *
 * Invariant: the id of what is created derives from the key and its caller alone, so two sites that have not heard of
 * each other create the same record, and merging makes it one; and nobody meets what another caller's key has made.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import { MalformedError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import { uuidOf } from '../digest.ts';
import { madeMsOf } from '../domain/birth.ts';
import type { KeyedRequest } from '../domain/request-memory.ts';
import { askerOf, type HttpRequest } from './route.ts';

/** 1 to 255 visible ASCII characters, bare or as the string of RFC 8941 that the draft asks for (no escapes). */
const KEY = /^(?:"([!#-[\]-~]{1,255})"|([!#-~][!-~]{0,254}))$/;

/**
 * The request's key and body as digests; undefined without a key.
 * @param action The action that is asked for: the same key with another one is another request, whatever the bodies are.
 * @param actedFor For whom it is made, where that is not its caller alone (`domain/scope.ts`).
 * @throws MalformedError when it is no key.
 */
export function keyedRequest(
  entity: string,
  { headers, body, caller }: HttpRequest,
  {
    action,
    actedFor = [],
  }: { readonly action?: string | undefined; readonly actedFor?: readonly string[] } = {},
): KeyedRequest | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  const [, quoted, bare] = KEY.exec(header.trim()) ?? [];
  const key = quoted ?? bare;
  if (key === undefined) {
    throw new MalformedError('Idempotency-Key must have 1 to 255 visible ASCII characters');
  }
  // Where nobody is asked who they are there is no caller to tell apart: an id is the same whether a release knows one or not.
  const asker = askerOf({ caller });
  const callers = asker === undefined ? [] : [asker.identity];
  // A key holds no line break, nor does JSON.
  const named = digest([entity, key, ...callers, ...actedFor.map(oneLine)].join('\n'));
  return {
    id: uuidOf(named),
    key: named.toString('base64url'),
    // No JSON text begins with the name of an action.
    body: digest(`${action ?? ''}${canonicalJson(body as Json)}`).toString('base64url'),
    ...madeAt(key),
  };
}

/** The header that tells a repeated answer from a first one. */
export function replayedHeader(replayed: boolean): Record<string, string> {
  return replayed ? { 'idempotency-replayed': 'true' } : {};
}

/** When the key was made, where it says so. */
function madeAt(key: string): Pick<KeyedRequest, 'madeAtMs'> {
  const madeAtMs = madeMsOf(key);
  return madeAtMs === undefined ? {} : { madeAtMs };
}

function oneLine(text: string): string {
  return JSON.stringify(text);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
