/**
 * Which operation a request is, by method, `restype`, `comp` and level, under the name that the documentation and the logs
 * of the service have: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
import { type Call, header } from './call.ts';
import { BlobError } from './errors.ts';

/**
 * Permissions of a signature, of which one is needed. What is written in blocks cannot be limited to what is new.
 * @see https://learn.microsoft.com/rest/api/storageservices/create-account-sas#account-sas-permissions-by-operation
 */
type Permissions = string;

/** Undefined: no signature of a container or a blob allows it. */
const OPERATIONS = {
  GetBlobServiceProperties: undefined,
  SetBlobServiceProperties: undefined,
  GetUserDelegationKey: undefined,
  GetAccountInformation: undefined,
  ListContainers: undefined,
  CreateContainer: undefined,
  GetContainerProperties: undefined,
  SetContainerMetadata: undefined,
  DeleteContainer: undefined,
  ListBlobs: 'l',
  PutBlob: 'wc',
  PutBlobFromURL: 'wc',
  CopyBlob: 'wc',
  CopyBlobFromURL: 'wc',
  PutBlock: 'w',
  PutBlockFromURL: 'w',
  PutBlockList: 'w',
  GetBlockList: 'r',
  GetBlob: 'r',
  GetBlobProperties: 'r',
  GetBlobMetadata: 'r',
  GetBlobTags: 't',
  SetBlobTags: 't',
  SetBlobMetadata: 'w',
  SetBlobProperties: 'w',
  SetBlobTier: 'w',
  SetImmutabilityPolicy: 'i',
  DeleteImmutabilityPolicy: 'i',
  SetLegalHold: 'i',
  LeaseBlob: 'wd',
  UndeleteBlob: 'w',
  DeleteBlob: 'd',
} as const satisfies Readonly<Record<string, Permissions | undefined>>;

export type Operation = keyof typeof OPERATIONS;

export function permissionsFor(operation: Operation, call: Call): Permissions | undefined {
  return operation === 'DeleteBlob' && call.query.has('versionid') ? 'x' : OPERATIONS[operation];
}

const OF_ACCOUNT: Readonly<Record<string, Operation>> = {
  'GET service properties': 'GetBlobServiceProperties',
  'PUT service properties': 'SetBlobServiceProperties',
  'POST service userdelegationkey': 'GetUserDelegationKey',
  'GET account properties': 'GetAccountInformation',
  'HEAD account properties': 'GetAccountInformation',
  'GET  list': 'ListContainers',
};

const OF_CONTAINER: Readonly<Record<string, Operation>> = {
  'PUT container ': 'CreateContainer',
  'GET container ': 'GetContainerProperties',
  'HEAD container ': 'GetContainerProperties',
  'GET container metadata': 'GetContainerProperties',
  'HEAD container metadata': 'GetContainerProperties',
  'PUT container metadata': 'SetContainerMetadata',
  'DELETE container ': 'DeleteContainer',
  'GET container list': 'ListBlobs',
};

const OF_BLOB: Readonly<Record<string, Operation>> = {
  'PUT ': 'PutBlob',
  'PUT block': 'PutBlock',
  'PUT blocklist': 'PutBlockList',
  'GET blocklist': 'GetBlockList',
  'GET ': 'GetBlob',
  'HEAD ': 'GetBlobProperties',
  'GET metadata': 'GetBlobMetadata',
  'HEAD metadata': 'GetBlobMetadata',
  'PUT metadata': 'SetBlobMetadata',
  'PUT properties': 'SetBlobProperties',
  'GET tags': 'GetBlobTags',
  'PUT tags': 'SetBlobTags',
  'PUT tier': 'SetBlobTier',
  'PUT immutabilityPolicies': 'SetImmutabilityPolicy',
  'DELETE immutabilityPolicies': 'DeleteImmutabilityPolicy',
  'PUT legalhold': 'SetLegalHold',
  'PUT lease': 'LeaseBlob',
  'PUT undelete': 'UndeleteBlob',
  'DELETE ': 'DeleteBlob',
};

/** @throws BlobError for what the service, or this emulator, does not have. */
export function operationOf(call: Call): Operation {
  const { method, container, blob, query } = call;
  const comp = query.get('comp') ?? '';
  const restype = query.get('restype') ?? '';
  const found =
    blob !== ''
      ? OF_BLOB[`${method} ${comp}`]
      : (container === '' ? OF_ACCOUNT : OF_CONTAINER)[`${method} ${restype} ${comp}`];
  if (found === undefined) {
    throw comp === ''
      ? new BlobError('UnsupportedHttpVerb')
      : new BlobError('UnsupportedQueryParameter', {
          QueryParameterName: 'comp',
          QueryParameterValue: comp,
        });
  }
  return header(call, 'x-ms-copy-source') === undefined ? found : copying(found, call);
}

/** What takes its content from elsewhere. */
function copying(operation: Operation, call: Call): Operation {
  if (operation === 'PutBlock') return 'PutBlockFromURL';
  if (operation !== 'PutBlob') return operation;
  if (header(call, 'x-ms-blob-type') !== undefined) return 'PutBlobFromURL';
  return header(call, 'x-ms-requires-sync') === 'true' ? 'CopyBlobFromURL' : 'CopyBlob';
}
