/** What S3 publishes; the tests are named in facts.ts. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html for uploads, object-keys.html and UsingMetadata.html. */
export const LIMITS = {
  keyBytesMax: 1024,
  /** User-defined: bytes of names and values. */
  metadataBytesMax: 2 * KIB,
  /** Of one PUT, and of a copy in one call. */
  putBytesMax: 5 * GIB,
  partBytesMin: 5 * MIB,
  partNumberMax: 10_000,
  /** https://aws.amazon.com/about-aws/whats-new/2025/12/amazon-s3-maximum-object-size-50-tb/ */
  objectBytesMax: 50 * 1024 * GIB,
  listMax: 1000,
  deleteMax: 1000,
  /** https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html */
  bucketsMax: 10_000,
  tagsMax: 10,
  bucketTagsMax: 50,
  lifecycleRulesMax: 1000,
  policyBytesMax: 20 * KIB,
  notificationsMax: 100,
  corsRulesMax: 100,
  /** Seven days. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
  presignedSecondsMax: 604_800,
  clockSkewMs: 900_000,
  /** All but the last: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
  chunkBytesMin: 8 * KIB,
  /** Of an XML body: that of a completion with 10,000 parts and their checksums is the largest. */
  xmlBytesMax: 4 * MIB,
} as const;
