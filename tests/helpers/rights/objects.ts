/** What roles allow, against the calls of the SDKs to S3 and to Blob Storage. A signed URL is whose signature it has. */
import type { AzureRights } from './azure.ts';
import type { RightsBook, RightsCall } from './calls.ts';
import { type ProxiedRequest, type RightsProxy, startProxy } from './proxy.ts';

/** A proxy for S3, by path; who calls is the id of the access key. */
export function proxyS3(target: string, book: RightsBook): Promise<RightsProxy> {
  return startProxy(target, (request) => {
    const { headers, path } = request;
    const signed = new URL(path, 'http://local').searchParams.get('X-Amz-Credential') ?? '';
    const who = /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? signed.split('/')[0] ?? '';
    const refused = book.refuse([{ who, ...callOfS3(request) }]);
    if (refused === undefined) return undefined;
    const message = `${refused.who} is not authorized to perform: ${refused.action} on resource: ${refused.resource}`;
    return {
      status: 403,
      headers: { 'content-type': 'application/xml' },
      body: `<Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`,
    };
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
function callOfS3({ method, path }: ProxiedRequest): Omit<RightsCall, 'who'> {
  const { pathname, searchParams: query } = new URL(path, 'http://local');
  const [, bucket = '', ...names] = pathname.split('/');
  const key = names.map(decodeURIComponent).join('/');
  const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`;
  const action = (name: string) => ({ action: `s3:${name}`, resource });
  if (key === '') return action(query.has('versions') ? 'ListBucketVersions' : 'ListBucket');
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (query.has('uploadId')) return action('ListMultipartUploadParts');
      return action(query.has('versionId') ? 'GetObjectVersion' : 'GetObject');
    case 'DELETE':
      if (query.has('uploadId')) return action('AbortMultipartUpload');
      return action(query.has('versionId') ? 'DeleteObjectVersion' : 'DeleteObject');
    default:
      return action('PutObject');
  }
}

const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
const DELEGATE = 'Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action';

/**
 * Data actions of the built-in roles, those that are of use here, by the id of the role.
 * @see https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage
 */
export const OF_STORAGE: Readonly<Record<string, readonly string[]>> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': [
    `${BLOBS}/read`,
    `${BLOBS}/write`,
    `${BLOBS}/delete`,
    `${BLOBS}/deleteBlobVersion/action`,
  ],
  '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1': [`${BLOBS}/read`],
  'db58b8e5-c6ad-4a2a-8342-4190687cbf4a': [DELEGATE],
};

/** A proxy for Blob Storage, whose calls are by the identity that `rights.caller` names. */
export function proxyBlob(target: string, rights: AzureRights): Promise<RightsProxy> {
  return startProxy(target, (request) => {
    const { caller: who } = rights;
    const query = new URL(request.path, 'http://local').searchParams;
    if (who === undefined || query.has('sig')) return undefined;
    const refused = rights.book.refuse([{ who, ...callOfBlob(request) }]);
    if (refused === undefined) return undefined;
    return {
      status: 403,
      headers: { 'x-ms-error-code': 'AuthorizationPermissionMismatch', 'content-type': 'application/xml' },
      body: '<Error><Code>AuthorizationPermissionMismatch</Code></Error>',
    };
  });
}

/** By path: `/<account>/<container>/<blob>`. */
function callOfBlob({ method, path }: ProxiedRequest): Omit<RightsCall, 'who'> {
  const { pathname, searchParams: query } = new URL(path, 'http://local');
  const [, , container = ''] = pathname.split('/');
  if (query.get('comp') === 'userdelegationkey') return { action: DELEGATE, resource: 'the account' };
  if (method === 'DELETE')
    return {
      action: `${BLOBS}/${query.has('versionid') ? 'deleteBlobVersion/action' : 'delete'}`,
      resource: container,
    };
  const isRead = method === 'GET' || method === 'HEAD';
  return { action: `${BLOBS}/${isRead ? 'read' : 'write'}`, resource: container };
}
