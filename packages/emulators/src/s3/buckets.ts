/** Buckets by themselves: created, found, deleted. */
import { xmlOf } from './body.ts';
import type { Call, Reply } from './call.ts';
import { S3Error } from './errors.ts';
import type { S3Store } from './store.ts';
import { childOf, document, textIn } from './xml.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const NAME =
  /^(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const RESERVED_ENDING = /(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;
const DEFAULT_REGION = 'us-east-1';

const LOCKED = document('ObjectLockConfiguration', { ObjectLockEnabled: 'Enabled' });
const VERSIONED = document('VersioningConfiguration', { Status: 'Enabled' });
const PRIVATE = document('PublicAccessBlockConfiguration', {
  ...{ BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
});

/** Makes it, private and with versions, unless it is there. @throws S3Error for a name that no bucket has. */
export function ensureBucket(store: S3Store, name: string, removalsTo?: string): void {
  checkName(name);
  const isNew = !store.buckets.has(name);
  if (isNew) store.create(name);
  const bucket = store.bucket(name);
  if (isNew) {
    store.set(bucket, 'publicAccessBlock', PRIVATE);
    store.set(bucket, 'versioning', VERSIONED);
  }
  if (removalsTo !== undefined) store.set(bucket, 'notification', removals(removalsTo));
}

const removals = (queueArn: string): string =>
  `<NotificationConfiguration><QueueConfiguration><Id>removals</Id><Queue>${queueArn}</Queue>` +
  '<Event>s3:ObjectRemoved:*</Event></QueueConfiguration></NotificationConfiguration>';

/** @throws S3Error */
function checkName(name: string): void {
  if (NAME.test(name) && !RESERVED_ENDING.test(name)) return;
  throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', {
    elements: { BucketName: name },
  });
}

export async function createBucket(call: Call): Promise<Reply> {
  const { request, store } = call;
  const name = request.bucket;
  checkName(name);
  const bytes = request.headers['content-length'] === undefined ? Buffer.alloc(0) : await call.text();
  checkLocation(bytes, store.region);
  if (store.buckets.has(name)) {
    // The oldest region answers as if it had been created.
    if (store.region === DEFAULT_REGION) return { status: 200, headers: { location: `/${name}` } };
    throw new S3Error(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      {
        elements: { BucketName: name },
      },
    );
  }
  store.create(name);
  const bucket = store.bucket(name);
  // As every new bucket since April 2023: https://aws.amazon.com/about-aws/whats-new/2023/04/amazon-s3-two-security-best-practices-buckets-default/
  store.set(bucket, 'publicAccessBlock', PRIVATE);
  if (request.headers['x-amz-bucket-object-lock-enabled']?.toLowerCase() === 'true') {
    store.set(bucket, 'versioning', VERSIONED);
    store.set(bucket, 'object-lock', LOCKED);
  }
  return { status: 200, headers: { location: `/${name}` } };
}

/** @throws S3Error */
function checkLocation(bytes: Buffer, region: string): void {
  const root = bytes.length === 0 ? undefined : xmlOf(bytes, 'CreateBucketConfiguration');
  const constraint = textIn(root, 'LocationConstraint');
  if (childOf(root, 'Location') !== undefined)
    throw new S3Error('NotImplemented', 'Directory buckets are not served here');
  if ((constraint ?? DEFAULT_REGION) === region && constraint !== DEFAULT_REGION) return;
  throw new S3Error(
    'IllegalLocationConstraintException',
    `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

export function headBucket(call: Call): Reply {
  call.bucket();
  return { status: 200, headers: { 'x-amz-bucket-region': call.store.region } };
}

export function bucketLocation(call: Call): Reply {
  call.bucket();
  const { region } = call.store;
  const text = document('LocationConstraint', {});
  if (region === DEFAULT_REGION) return { status: 200, text };
  return { status: 200, text: text.replace('></LocationConstraint>', `>${region}</LocationConstraint>`) };
}

export function deleteBucket(call: Call): Reply {
  const bucket = call.bucket();
  if (!bucket.isEmpty)
    throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty', {
      elements: { BucketName: bucket.name },
    });
  call.store.drop(bucket);
  return { status: 204 };
}
