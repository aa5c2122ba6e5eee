/**
 * Signatures in URLs: of a user's delegated key (`skoid` is there) or of the account's key.
 *
 * Invariant: nothing that a signature limits can be changed or left out without breaking it: each field of it is signed,
 * and each is checked.
 * @see https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
 * @see https://learn.microsoft.com/rest/api/storageservices/create-service-sas
 */
import { BlockList } from 'node:net';
import { type Account, type DelegatedKey, delegatedKeyValue, hmac, isSame } from './account.ts';
import type { Call } from './call.ts';
import { BlobError } from './errors.ts';
import { isVersion } from './service-versions.ts';

/** The first version of each form of the text that is signed, as @azure/storage-blob writes them. */
const WITH_ENCRYPTION_SCOPE = '2020-12-06';
const WITH_DELEGATED_USER = '2025-07-05';
const WITH_REQUEST_FIELDS = '2026-04-06';

export const isSigned = ({ query }: Call): boolean => query.has('sig');

/** What the bearer of the URL may do: letters. @throws BlobError when the signature does not hold here and now. */
export function permissionsSigned(call: Call, account: Account, nowMs: number): string {
  const { query } = call;
  const get = (name: string): string => query.get(name) ?? '';
  const version = get('sv');
  if (!isVersion(version) || version < WITH_ENCRYPTION_SCOPE) throw refused('sv', version);
  const delegated = delegatedKeyIn(query);
  const key = delegated === undefined ? account.key : delegatedKeyValue(account, delegated);
  const text = stringToSign(call, account, delegated);
  if (!isSame(hmac(key, text), get('sig')))
    throw failed(`Signature did not match. String to sign used was ${text}`);
  checkTime({ start: get('st'), expiry: get('se') }, nowMs, 'Signature');
  if (delegated !== undefined) {
    checkTime(delegated, nowMs, 'Signed key');
    if (delegated.service !== 'b') throw failed('The key is of another service.');
    if (query.has('sduoid')) throw failed('A delegated user needs a token as well, which is not emulated.');
  }
  if (query.has('si')) throw failed('Stored access policies are not emulated.');
  // There is no TLS here. https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas#specify-the-http-protocol
  if (get('spr') === 'https') throw new BlobError('AuthorizationProtocolMismatch');
  if (query.has('sip') && !isWithin(call.address, get('sip')))
    throw new BlobError('AuthorizationSourceIPMismatch', { SourceIP: call.address });
  return get('sp');
}

function delegatedKeyIn(query: URLSearchParams): DelegatedKey | undefined {
  const objectId = query.get('skoid');
  if (objectId === null) return undefined;
  const get = (name: string): string => query.get(name) ?? '';
  return {
    objectId,
    tenantId: get('sktid'),
    start: get('skt'),
    expiry: get('ske'),
    service: get('sks'),
    version: get('skv'),
    delegatedTenantId: query.get('skdutid') ?? undefined,
  };
}

function stringToSign(call: Call, account: Account, delegated: DelegatedKey | undefined): string {
  const { query } = call;
  const get = (name: string): string => query.get(name) ?? '';
  const resource = get('sr');
  const version = get('sv');
  const restrictions = [get('sip'), get('spr'), version, resource, pinned(call), get('ses')];
  const answerHeaders = ['rscc', 'rscd', 'rsce', 'rscl', 'rsct'].map(get);
  const begin = [get('sp'), get('st'), get('se'), resourceName(call, account)];
  if (delegated === undefined) return [...begin, get('si'), ...restrictions, ...answerHeaders].join('\n');
  return [
    ...begin,
    ...['skoid', 'sktid', 'skt', 'ske', 'sks', 'skv', 'saoid'].map(get),
    // `suoid`, which only an account with a hierarchical namespace has.
    get('suoid'),
    get('scid'),
    ...(version >= WITH_DELEGATED_USER ? [get('skdutid'), get('sduoid')] : []),
    ...restrictions,
    ...(version >= WITH_REQUEST_FIELDS ? [signedHeaders(call), signedParameters(call)] : []),
    ...answerHeaders,
  ].join('\n');
}

/** @throws BlobError for another kind than of a container, a blob and a version. */
function resourceName({ query, container, blob }: Call, { name }: Account): string {
  const resource = query.get('sr') ?? '';
  if (resource === 'c') return `/blob/${name}/${container}`;
  if (resource === 'b' || resource === 'bv') return `/blob/${name}/${container}/${blob}`;
  throw refused('sr', resource);
}

/** The version that a signature is for; the request has to name it. */
function pinned({ query }: Call): string {
  return query.get('sr') === 'bv' ? (query.get('versionid') ?? '') : '';
}

function signedHeaders({ query, headers }: Call): string {
  return namesIn(query.get('srh'))
    .map((name) => `${name}:${headers[name.toLowerCase()] ?? ''}\n`)
    .join('');
}

function signedParameters({ query }: Call): string {
  return namesIn(query.get('srq'))
    .map((name) => `\n${name}:${query.get(name) ?? ''}`)
    .join('');
}

const namesIn = (list: string | null): string[] => (list ?? '').split(',').filter((name) => name !== '');

function checkTime(
  { start, expiry }: { readonly start: string; readonly expiry: string },
  nowMs: number,
  what: string,
): void {
  const [from, until] = [start === '' ? 0 : Date.parse(start), Date.parse(expiry)];
  if (nowMs >= from && nowMs < until) return;
  throw failed(
    `${what} not valid in the specified time frame: Start [${start}] - Expiry [${expiry}] - Current [${new Date(nowMs).toUTCString()}]`,
  );
}

/** @param range One address, or the first and the last. */
function isWithin(address: string, range: string): boolean {
  const [first = '', last = first] = range.split('-');
  try {
    const list = new BlockList();
    list.addRange(first, last);
    return list.check(address);
  } catch {
    return false;
  }
}

function failed(detail: string): BlobError {
  return new BlobError('AuthenticationFailed', { AuthenticationErrorDetail: detail });
}

function refused(parameter: string, value: string): BlobError {
  return failed(`${parameter} is not supported: '${value}'`);
}
