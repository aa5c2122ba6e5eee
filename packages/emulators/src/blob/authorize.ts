/**
 * Whether a request may do what it wants: by a token, by the account's key, or by a signature in its URL.
 *
 * Invariant: what is not allowed has no effect. Whether a blob may be overwritten is decided when it is written
 * (`Rights.mayOverwrite`), because it may come into being while the bytes arrive.
 */
import type { Account } from './account.ts';
import { type TokenCheck, unauthorized, type User } from './bearer.ts';
import { type Call, header, versionOf } from './call.ts';
import { badHeader, BlobError } from './errors.ts';
import { type Operation, permissionsFor } from './operations.ts';
import { DEFAULT_VERSION } from './service-versions.ts';
import { checkSharedKey } from './shared-key.ts';
import { isSigned, permissionsSigned } from './signature.ts';

export interface Rights {
  /** Of whoever has a token. */
  readonly user: User | undefined;
  /** False: only what is not there yet may be written. */
  readonly mayOverwrite: boolean;
  /** Tags are a right of their own. */
  readonly mayTag: boolean;
  /** Permission letters for who has a signature; undefined: everything. */
  readonly permissions: string | undefined;
  /** That the answer is in. */
  readonly version: string;
}

export interface AccessOptions {
  readonly account: Account;
  readonly checkToken: TokenCheck;
  readonly now: () => number;
}

/** @throws BlobError */
export async function authorize(
  call: Call,
  operation: Operation,
  { account, checkToken, now }: AccessOptions,
): Promise<Rights> {
  const version = versionOf(call);
  if (isSigned(call) && call.headers['authorization'] === undefined) {
    const permissions = permissionsSigned(call, account, now());
    return signedRights(call, operation, { permissions, version });
  }
  const authorization = header(call, 'authorization');
  if (authorization === undefined) throw unauthorized('NoAuthenticationInformation');
  if (version === undefined) throw badHeader('x-ms-version', undefined);
  const everything = { mayOverwrite: true, mayTag: true, permissions: undefined, version };
  const [, token] = /^Bearer (\S+)$/.exec(authorization) ?? [];
  if (token !== undefined) return { ...everything, user: await checkToken(token) };
  // Only a token gets a key. https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key#authorization
  if (operation === 'GetUserDelegationKey') {
    throw new BlobError('AuthenticationFailed', {
      AuthenticationErrorDetail: 'Only authentication scheme Bearer is supported',
    });
  }
  checkSharedKey(call, authorization, account, now());
  return { ...everything, user: undefined };
}

function signedRights(
  call: Call,
  operation: Operation,
  { permissions, version }: { readonly permissions: string; readonly version: string | undefined },
): Rights {
  const needed = permissionsFor(operation, call);
  const has = (letter: string): boolean => permissions.includes(letter);
  const isOfContainer = call.query.get('sr') === 'c';
  if (operation === 'ListBlobs' && !isOfContainer) throw new BlobError('AuthorizationResourceTypeMismatch');
  if (needed === undefined || !Array.from(needed).some(has))
    throw new BlobError('AuthorizationPermissionMismatch');
  if (header(call, 'x-ms-tags') !== undefined && !has('t'))
    throw new BlobError('AuthorizationPermissionMismatch');
  return {
    user: undefined,
    mayOverwrite: has('w'),
    mayTag: has('t'),
    permissions,
    version: version ?? call.query.get('sv') ?? DEFAULT_VERSION,
  };
}
