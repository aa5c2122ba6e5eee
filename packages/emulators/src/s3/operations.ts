/**
 * Which operation a request is, by its method, its place and its subresource.
 *
 * Invariant: a subresource that is not served is refused with NotImplemented: it is never taken for a plain read or write.
 */
import { bucketLocation, createBucket, deleteBucket, headBucket } from './buckets.ts';
import type { Call, Reply } from './call.ts';
import { copyObject } from './copies.ts';
import { S3Error } from './errors.ts';
import { listBuckets, listObjects, listParts, listUploads, listVersions } from './lists.ts';
import { type Setting, SETTINGS } from './model.ts';
import { abortUpload, completeUpload, createUpload, uploadPart, uploadPartCopy } from './multipart.ts';
import {
  deleteTags,
  getHold,
  getRetention,
  getTags,
  putHold,
  putRetention,
  putTags,
} from './object-settings.ts';
import { deleteObject, deleteObjects, getObject, putObject } from './objects.ts';
import type { S3Request } from './request.ts';
import { deleteSetting, getSetting, putSetting } from './settings.ts';

export interface Operation {
  /** As the API names it: faults and the bill go by it. */
  readonly name: string;
  readonly run: (call: Call) => Reply | Promise<Reply>;
}

const UNSERVED = [
  ...[
    'accelerate',
    'acl',
    'analytics',
    'annotation',
    'annotations',
    'attributes',
    'inventory',
    'legal',
    'logging',
  ],
  ...[
    'metadataConfiguration',
    'metadataTable',
    'metrics',
    'ownership',
    'policyStatus',
    'renameObject',
    'replication',
  ],
  ...['requestPayment', 'restore', 'select', 'session', 'torrent', 'website'],
];

const SETTING_NAMES: Readonly<Record<Setting, string>> = {
  cors: 'BucketCors',
  encryption: 'BucketEncryption',
  'intelligent-tiering': 'BucketIntelligentTieringConfiguration',
  lifecycle: 'BucketLifecycleConfiguration',
  notification: 'BucketNotificationConfiguration',
  'object-lock': 'ObjectLockConfiguration',
  ownershipControls: 'BucketOwnershipControls',
  policy: 'BucketPolicy',
  publicAccessBlock: 'PublicAccessBlock',
  tagging: 'BucketTagging',
  versioning: 'BucketVersioning',
};

/** Method and subresource; `''` is none. The first that the query has counts. */
const OF_OBJECTS: readonly (readonly [string, string, Operation])[] = [
  ['GET', 'uploadId', { name: 'ListParts', run: listParts }],
  ['GET', 'tagging', { name: 'GetObjectTagging', run: getTags }],
  ['GET', 'retention', { name: 'GetObjectRetention', run: getRetention }],
  ['GET', 'legal-hold', { name: 'GetObjectLegalHold', run: getHold }],
  ['GET', '', { name: 'GetObject', run: getObject }],
  ['HEAD', '', { name: 'HeadObject', run: getObject }],
  ['PUT', 'uploadId', { name: 'UploadPart', run: uploadPart }],
  ['PUT', 'tagging', { name: 'PutObjectTagging', run: putTags }],
  ['PUT', 'retention', { name: 'PutObjectRetention', run: putRetention }],
  ['PUT', 'legal-hold', { name: 'PutObjectLegalHold', run: putHold }],
  ['PUT', '', { name: 'PutObject', run: putObject }],
  ['POST', 'uploads', { name: 'CreateMultipartUpload', run: createUpload }],
  ['POST', 'uploadId', { name: 'CompleteMultipartUpload', run: completeUpload }],
  ['DELETE', 'uploadId', { name: 'AbortMultipartUpload', run: abortUpload }],
  ['DELETE', 'tagging', { name: 'DeleteObjectTagging', run: deleteTags }],
  ['DELETE', '', { name: 'DeleteObject', run: deleteObject }],
];
const COPIES: Readonly<Record<string, Operation>> = {
  PutObject: { name: 'CopyObject', run: copyObject },
  UploadPart: { name: 'UploadPartCopy', run: uploadPartCopy },
};

const OF_BUCKETS: readonly (readonly [string, string, Operation])[] = [
  ['GET', 'list-type', { name: 'ListObjectsV2', run: listObjects }],
  ['GET', 'versions', { name: 'ListObjectVersions', run: listVersions }],
  ['GET', 'uploads', { name: 'ListMultipartUploads', run: listUploads }],
  ['GET', 'location', { name: 'GetBucketLocation', run: bucketLocation }],
  ['POST', 'delete', { name: 'DeleteObjects', run: deleteObjects }],
  ['HEAD', '', { name: 'HeadBucket', run: headBucket }],
  ['PUT', '', { name: 'CreateBucket', run: createBucket }],
  ['DELETE', '', { name: 'DeleteBucket', run: deleteBucket }],
];

/** @throws S3Error NotImplemented */
export function operationOf(request: S3Request): Operation {
  const { method, bucket, key, query, headers } = request;
  if (bucket === '') {
    if (method === 'GET') return { name: 'ListBuckets', run: listBuckets };
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.');
  }
  const setting = key === '' ? SETTINGS.find((name) => query.has(name)) : undefined;
  const found =
    setting === undefined
      ? operationIn(key === '' ? OF_BUCKETS : OF_OBJECTS, request)
      : ofSetting(method, setting);
  if (found === undefined || UNSERVED.some((name) => query.has(name)))
    throw new S3Error(
      'NotImplemented',
      'A header or a query you provided implies functionality that is not implemented.',
    );
  const isCopy = headers['x-amz-copy-source'] !== undefined;
  return (isCopy ? COPIES[found.name] : undefined) ?? found;
}

function operationIn(table: typeof OF_OBJECTS, { method, query }: S3Request): Operation | undefined {
  return table.find(
    ([of, subresource]) => of === method && (subresource === '' || query.has(subresource)),
  )?.[2];
}

function ofSetting(method: string, setting: Setting): Operation | undefined {
  const name = SETTING_NAMES[setting];
  switch (method) {
    case 'GET':
      return { name: `Get${name}`, run: (call) => getSetting(call, setting) };
    case 'PUT':
      return { name: `Put${name}`, run: (call) => putSetting(call, setting) };
    case 'DELETE':
      return { name: `Delete${name}`, run: (call) => deleteSetting(call, setting) };
    default:
      return undefined;
  }
}
