/**
 * Requests that are signed with the account's key.
 * @see https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */
import { type Account, hmac, isSame } from './account.ts';
import type { Call } from './call.ts';
import { BlobError } from './errors.ts';

/** Of the standard headers that are signed, in their order. */
const SIGNED = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
];
const SKEW_MS = 15 * 60_000;

/** @param authorization `SharedKey <account>:<signature>`. @throws BlobError */
export function checkSharedKey(call: Call, authorization: string, account: Account, nowMs: number): void {
  const [, name, signature = ''] = /^SharedKey ([^:]+):(\S+)$/.exec(authorization) ?? [];
  const date = call.headers['x-ms-date'] ?? call.headers['date'] ?? '';
  const atMs = Date.parse(date);
  if (Number.isNaN(atMs) || Math.abs(atMs - nowMs) > SKEW_MS)
    throw refused(`Request date header too old: '${date}'`);
  const text = stringToSign(call);
  if (name !== account.name || !isSame(hmac(account.key, text), signature)) {
    throw refused(
      `The MAC signature found in the HTTP request '${signature}' is not the same as any computed signature. Server used following string to sign: '${text}'.`,
    );
  }
}

function stringToSign(call: Call): string {
  const { method, headers } = call;
  const values = SIGNED.map((name) => {
    const value = headers[name] ?? '';
    if (name === 'content-length' && value === '0') return '';
    return name === 'date' && 'x-ms-date' in headers ? '' : value;
  });
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
    .map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/\s+/g, ' ')}`);
  return [method, ...values, ...own, resource(call)].join('\n');
}

/**
 * The service sorts headers as text of en-US: dashes do not count, and an underscore comes before digits and letters.
 * https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/storage/storage-common/src/utils/SharedKeyComparator.ts
 */
const sortKey = (name: string): string => name.replaceAll('-', '').replaceAll('_', ' ');

function resource({ account, path, query }: Call): string {
  const names = [...new Set([...query.keys()].map((name) => name.toLowerCase()))].sort();
  const parameters = names.map((name) => {
    const values = [...query].filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
    return `${name}:${values.sort().join(',')}`;
  });
  return [`/${account}${path}`, ...parameters].join('\n');
}

function refused(detail: string): BlobError {
  return new BlobError('AuthenticationFailed', { AuthenticationErrorDetail: detail });
}
