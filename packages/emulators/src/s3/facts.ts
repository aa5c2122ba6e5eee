/** What S3 publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const GUIDE = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide';
const API = 'https://docs.aws.amazon.com/AmazonS3/latest/API';
const suite = testsOf('tests/contract/suites/s3-suite.ts');
const own = testsOf('packages/emulators/tests/s3/server.test.ts');

export const s3Facts: EmulatorFacts = {
  id: 's3',
  title: 'S3',
  folder: 'packages/emulators/src/s3',
  scope: {
    serves:
      'buckets and objects, conditions, ranges, checksums, multipart uploads, copies, lists, versions, object lock, tags, signatures and presigned addresses, notifications to SQS; lifecycle rules, encryption, policies and CORS are validated and kept',
    lacks:
      'access control, keys of KMS or of one’s own, ListObjects of version 1, GetObjectAttributes, POST of forms, answers to CORS; lifecycle rules do nothing, and policies are not enforced',
    suites: ['tests/contract/suites/s3-suite.ts', 'packages/emulators/tests/s3/server.test.ts'],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a key has at most 1,024 bytes of UTF-8',
      source: `${GUIDE}/object-keys.html`,
      held: own('a key has at most 1,024 bytes of UTF-8'),
    },
    {
      kind: 'limit',
      what: 'metadata of a user has at most 2 kB, names and values together',
      source: `${GUIDE}/UsingMetadata.html`,
      held: own('metadata of a user has at most 2 kB'),
    },
    {
      kind: 'limit',
      what: 'one PUT takes at most 5 GB, and says beforehand how much it is',
      source: `${GUIDE}/upload-objects.html`,
      held: own('one PUT takes at most 5 GB, which is refused before it is sent'),
    },
    {
      kind: 'limit',
      what: 'parts have numbers from 1 to 10,000 and at least 5 MB, but for the last',
      source: `${GUIDE}/qfacts.html`,
      held: suite('want parts of 5 MB, in order, by their ETags'),
    },
    {
      kind: 'limit',
      what: 'an object has at most ten tags',
      source: `${GUIDE}/object-tagging.html`,
      held: suite('have tags'),
    },
    {
      kind: 'limit',
      what: 'a presigned address is valid for at most seven days',
      source: `${API}/sigv4-query-string-auth.html`,
      held: own('an address is valid for seven days at most, and a header of S3 must be signed'),
    },
    {
      kind: 'limit',
      what: 'a list has pages of at most 1,000 names, and is continued by a token',
      source: `${API}/API_ListObjectsV2.html`,
      held: suite('come in pages, in the order of UTF-8, without a gap or a repeat'),
    },
    {
      kind: 'limit',
      what: 'an object has at most 50 TB, an account 10,000 buckets, a bucket 1,000 lifecycle rules and 100 notifications',
      source: `${GUIDE}/BucketRestrictions.html`,
      held: 'because no test fills them; the emulator has the bounds (limits.ts)',
    },
    {
      kind: 'validation',
      what: 'names of buckets are those that DNS allows, without those that are reserved',
      source: `${GUIDE}/bucketnamingrules.html`,
      held: suite('have names that DNS allows'),
    },
    {
      kind: 'validation',
      what: 'lifecycle rules have an id of their own, a filter, an action, and days that their storage class allows',
      source: `${GUIDE}/intro-lifecycle-rules.html`,
      held: suite('take lifecycle rules that are well formed'),
    },
    {
      kind: 'validation',
      what: 'a checksum that the content does not have is BadDigest, whichever of the algorithms it is of',
      source: `${GUIDE}/checking-object-integrity-upload.html`,
      held: suite('that are wrong are refused, and nothing is kept'),
    },
    {
      kind: 'validation',
      what: 'bodies in chunks, signed or not, with or without trailing checksums, are read and checked',
      source: `${API}/sigv4-streaming-trailers.html`,
      held: own(
        'are refused when something was changed on the way: $name',
        'chunks with a trailing checksum',
      ),
    },
    {
      kind: 'validation',
      what: 'a signature covers the request: method, path, query, host and all headers of S3',
      source: `${API}/sig-v4-header-based-auth.html`,
      held: own('are accepted: a header, and an address'),
    },
    {
      kind: 'validation',
      what: 'a part has a checksum of the algorithm that its upload was created with, or none of another',
      source: 'https://github.com/boto/botocore/issues/3216',
      held: suite('are refused a part with a checksum of another algorithm'),
    },
    {
      kind: 'validation',
      what: 'a presigned address is good for just what was signed, until it expires',
      source: `${GUIDE}/using-presigned-url.html`,
      held: suite('in an address let anybody write and read, just that, until they expire'),
    },
    {
      kind: 'validation',
      what: 'a checksum in the query of a presigned address is ignored; one that shall bind has to be a signed header',
      source: 'https://github.com/ministackorg/ministack/issues/1695',
      held: suite('that a client does not send are computed by S3'),
    },
    {
      kind: 'error',
      what: 'errors are XML with a code, by its status; a HEAD has the status alone',
      source: `${API}/ErrorResponses.html`,
      held: suite('that are not there are refused by their codes'),
    },
    {
      kind: 'error',
      what: 'throttling is 503 SlowDown, which the SDK tries again',
      source: `${GUIDE}/optimizing-performance.html`,
      held: own('a throttled request is 503 SlowDown, which the SDK tries again'),
    },
    {
      kind: 'error',
      what: 'a condition that does not hold is 412; a delete in between is 409, or 404 for one by ETag',
      source: `${GUIDE}/conditional-writes.html`,
      held: own('a write under a condition notices that the key was deleted while its content came'),
    },
    {
      kind: 'error',
      what: 'temporary credentials are InvalidAccessKeyId without their token, and ExpiredToken after their time',
      source: `${API}/ErrorResponses.html#ErrorCodeList`,
      held: own('temporary credentials are nothing without their token, nor after their time'),
    },
    {
      kind: 'error',
      what: 'another region is refused by its name, so that a client finds the right one',
      source: `${API}/sigv4-auth-using-authorization-header.html`,
      held: own('a signature for another region is refused, and the right one named'),
    },
    {
      kind: 'shape',
      what: 'the ETag of one PUT is the MD5 of the content; of parts that of their MD5s, with their number',
      source: `${API}/API_Object.html`,
      held: suite('become one object, with a checksum of the checksums of its parts'),
    },
    {
      kind: 'shape',
      what: 'CRCs can cover the whole of a multipart object, SHAs only its parts',
      source: `${GUIDE}/checking-object-integrity.html`,
      held: suite('have a checksum of the whole where the algorithm can'),
    },
    {
      kind: 'shape',
      what: 'a completion that is sent again has the answer of the first',
      source: 'https://github.com/adobe/S3Mock/issues/2586',
      held: suite('are completed once, however often that is sent, or aborted'),
    },
    {
      kind: 'shape',
      what: 'S3 computes CRC-64/NVME when the client sends no checksum',
      source: `${API}/API_Checksum.html`,
      held: suite('of every algorithm are computed, kept and given back'),
    },
    {
      kind: 'shape',
      what: 'names with any character, in lists by an encoding where XML has no way for them',
      source: `${GUIDE}/object-keys.html#object-key-guidelines`,
      held: suite('give names that XML has no way for in an encoding'),
    },
    {
      kind: 'shape',
      what: 'versions are kept and read by their id; a delete makes a marker, which reads as a missing key',
      source: `${GUIDE}/DeleteMarker.html`,
      held: suite('are kept, read by their id, and deleted one by one'),
    },
    {
      kind: 'shape',
      what: 'without versioning, and while it is suspended, a write replaces the null version',
      source: `${GUIDE}/AddingObjectstoVersionSuspendedBuckets.html`,
      held: suite('that were there before versioning, or while it is suspended, are the null version'),
    },
    {
      kind: 'shape',
      what: 'a locked version cannot be deleted; governance can be bypassed, compliance and a legal hold cannot',
      source: `${GUIDE}/object-lock.html`,
      held: suite('of retention keep a version from deletion, those of governance unless they are bypassed'),
    },
    {
      kind: 'shape',
      what: 'a notification has the key as in a form, size, ETag and a sequencer; its queue gets a test message first',
      source: `${GUIDE}/notification-content-structure.html`,
      held: own('tell a queue what was created and removed, at least once, also after a kill'),
    },
    {
      kind: 'shape',
      what: 'the bucket is named in the path or in the host',
      source: `${GUIDE}/VirtualHosting.html`,
      held: own('a bucket may be named in the host'),
    },
    {
      kind: 'timing',
      what: 'a clock that is more than 15 minutes off is refused',
      source: `${API}/sig-v4-authenticating-requests.html`,
      held: own('a clock that is more than 15 minutes off is refused'),
    },
    {
      kind: 'timing',
      what: 'a lock ends with its time',
      source: `${GUIDE}/object-lock-managing.html`,
      held: own('a lock ends with its time'),
    },
    {
      kind: 'timing',
      what: 'reads and lists follow a write at once',
      source: `${GUIDE}/Welcome.html#ConsistencyModel`,
      held: suite('are created once, and replaced by who read them'),
    },
    {
      kind: 'timing',
      what: 'lifecycle rules expire, move and clean up, about once a day',
      source: `${GUIDE}/object-lifecycle-mgmt.html`,
      held: 'because nothing in the product waits for them; they are validated and kept',
    },
    {
      kind: 'tier',
      what: 'at least 3,500 writes and 5,500 reads a second for each prefix',
      source: `${GUIDE}/optimizing-performance.html#`,
      held: 'because this machine does not reach them; a fault rule throttles instead',
    },
    {
      kind: 'tier',
      what: 'policies of buckets and of identities, and access by TLS alone',
      source: `${GUIDE}/security-iam.html`,
      held: 'because the loopback interface has no TLS, and rights are checked on the packaged templates',
    },
  ],
};
