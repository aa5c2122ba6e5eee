/** What Blob Storage publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const REST = 'https://learn.microsoft.com/rest/api/storageservices';
const BLOBS = 'https://learn.microsoft.com/azure/storage/blobs';
const FILE = 'packages/emulators/tests/blob/server.test.ts';
const SUITE = 'tests/contract/suites/blob-suite.ts';
const own = testsOf(FILE);
const suite = testsOf(SUITE);

export const blobFacts: EmulatorFacts = {
  id: 'blob-storage',
  title: 'Blob Storage',
  folder: 'packages/emulators/src/blob',
  scope: {
    serves:
      'block blobs: blocks, ranges, MD5 and CRC64, structured bodies, conditions, tags, leases, versions, soft delete, policies and holds of versions, copies, lists, CORS, signed URLs, keys delegated to users, tokens of an issuer, events to Service Bus',
    lacks:
      'append and page blobs, snapshots, stored access policies, account signatures, public containers, roles, keys of your own, rehydration, batches, queries, soft delete of containers, policies of containers, management rules',
    suites: [FILE, SUITE],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a name has at most 1,024 characters',
      source: `${REST}/naming-and-referencing-containers--blobs--and-metadata`,
      held: own('a name with %s', 'more than 1,024 characters'),
    },
    {
      kind: 'limit',
      what: 'a name has at most 254 segments between slashes',
      source: `${REST}/naming-and-referencing-containers--blobs--and-metadata`,
      held: own('a name with %s', 'more than 254 segments'),
    },
    {
      kind: 'limit',
      what: 'metadata has at most 8 kB, names and values together',
      source: `${REST}/setting-and-retrieving-properties-and-metadata-for-blob-resources`,
      held: own('metadata has 8 kB at most, and names that are identifiers'),
    },
    {
      kind: 'limit',
      what: 'a blob has at most ten tags',
      source: `${REST}/set-blob-tags`,
      held: own('a blob has ten tags at most'),
    },
    {
      kind: 'limit',
      what: 'Put Blob takes at most 5,000 MiB',
      source: `${REST}/put-blob`,
      held: own('%s', 'Put Blob has 5,000 MiB at most'),
    },
    {
      kind: 'limit',
      what: 'Put Block takes at most 4,000 MiB',
      source: `${REST}/put-block`,
      held: own('%s', 'Put Block has 4,000 MiB at most'),
    },
    {
      kind: 'limit',
      what: 'a block id has at most 64 bytes before its encoding in base64',
      source: `${REST}/put-block`,
      held: own('a block id has 64 bytes at most, in base64'),
    },
    {
      kind: 'limit',
      what: 'a blob consists of at most 50,000 blocks',
      source: `${REST}/put-block-list`,
      held: own('a list of blocks has 50,000 at most'),
    },
    {
      kind: 'limit',
      what: 'at most 100,000 blocks wait for a list',
      source: `${REST}/put-block`,
      held: 'because a test would take minutes; the limit is in limits.ts',
    },
    {
      kind: 'limit',
      what: 'a range whose checksum is asked for has at most 4 MiB',
      source: `${REST}/get-blob`,
      held: own('a checksum is given of a range of 4 MiB at most'),
    },
    {
      kind: 'limit',
      what: 'a page of a list has at most 5,000 entries',
      source: `${REST}/list-blobs`,
      held: own('a page of a list has 5,000 names at most'),
    },
    {
      kind: 'limit',
      what: 'a delegated key is good for seven days at most',
      source: `${REST}/get-user-delegation-key`,
      held: own('a key is given for seven days at most, and to a token only'),
    },
    {
      kind: 'limit',
      what: 'an account answers some 20,000 requests a second',
      source: `${BLOBS}/scalability-targets`,
      held: 'because no machine of a developer asks so often; a fault rule throttles',
    },
    {
      kind: 'validation',
      what: 'the name of a container is a label of DNS: 3 to 63 lower-case letters, digits and single dashes',
      source: `${REST}/naming-and-referencing-containers--blobs--and-metadata`,
      held: own('the name of a container is that of a DNS label'),
    },
    {
      kind: 'validation',
      what: 'a name has no control characters, and is otherwise any text',
      source: `${REST}/naming-and-referencing-containers--blobs--and-metadata`,
      held: suite('a name with %s is the same in a list and in a read', 'what a URL means otherwise'),
    },
    {
      kind: 'validation',
      what: 'a request names a version of the service that there is',
      source: `${REST}/versioning-for-the-azure-storage-services`,
      held: own('a request %s is refused', 'with a version that there is not'),
    },
    {
      kind: 'validation',
      what: 'block ids of one blob have one length',
      source: `${REST}/put-block`,
      held: suite('block ids of a blob have one length'),
    },
    {
      kind: 'validation',
      what: 'an upload has a Content-Length',
      source: `${REST}/put-blob`,
      held: own('a body without a length is MissingContentLengthHeader'),
    },
    {
      kind: 'validation',
      what: 'content whose MD5 is not as announced is refused',
      source: `${REST}/put-blob`,
      held: suite('content whose MD5 is another is refused, and nothing is stored'),
    },
    {
      kind: 'validation',
      what: 'content whose CRC64 is not as announced is refused',
      source: `${REST}/put-blob`,
      held: suite('content whose CRC64 is another is refused, and nothing is stored'),
    },
    {
      kind: 'validation',
      what: 'a signature is good for its resource, its permissions and its time',
      source: `${REST}/create-user-delegation-sas`,
      held: own('is good for its blob and its permissions'),
    },
    {
      kind: 'validation',
      what: 'a signature is good from its addresses only',
      source: `${REST}/create-user-delegation-sas`,
      held: own('is refused when it is %s', 'for another address'),
    },
    {
      kind: 'validation',
      what: 'a signature for HTTPS is not good for HTTP',
      source: `${REST}/create-user-delegation-sas`,
      held: own('is refused when it is %s', 'for TLS only'),
    },
    {
      kind: 'validation',
      what: 'a signature that may create, and not write, does not overwrite',
      source: `${REST}/create-user-delegation-sas`,
      held: own('of two uploads by a URL that may only create, one is refused'),
    },
    {
      kind: 'validation',
      what: 'a signature for blocks may write; one that may only create is not enough, also for a new blob',
      source: `${REST}/create-account-sas`,
      held: own('blocks need the permission to write, also where there is nothing yet'),
    },
    {
      kind: 'validation',
      what: 'a leased blob is changed with the id of its lease',
      source: `${REST}/lease-blob`,
      held: suite('a leased blob is written by who has the lease'),
    },
    {
      kind: 'error',
      what: 'a request without a sign-in is 401, with a challenge that names the tenant and the resource',
      source: `${REST}/authorize-with-azure-active-directory`,
      held: own('a request without a sign-in gets 401 with the challenge of the service'),
    },
    {
      kind: 'error',
      what: 'a token for another audience is 401, InvalidAuthenticationInfo',
      source: `${REST}/authorize-with-azure-active-directory`,
      held: own('a token of the issuer is taken; one for another audience, and what is none, is not'),
    },
    {
      kind: 'error',
      what: 'who has no role gets 403',
      source: `${REST}/authorize-with-azure-active-directory`,
      held: 'because the emulator knows no roles; a fault rule with the code AuthorizationPermissionMismatch refuses',
    },
    {
      kind: 'error',
      what: 'a request with a wrong key is 403, AuthenticationFailed, with the text that was signed',
      source: `${REST}/authorize-with-shared-key`,
      held: own('a request with another key is AuthenticationFailed, with the text that was signed'),
    },
    {
      kind: 'error',
      what: 'a condition that does not hold is 412 for a write and 304 for a read',
      source: `${REST}/specifying-conditional-headers-for-blob-service-operations`,
      held: suite('a read of what has not changed is 304'),
    },
    {
      kind: 'error',
      what: 'creating what is there with If-None-Match: * is 409, BlobAlreadyExists',
      source: `${REST}/specifying-conditional-headers-for-blob-service-operations`,
      held: suite('what must not be there yet is created once, by whoever comes first'),
    },
    {
      kind: 'error',
      what: 'a range that begins beyond the end is 416, InvalidRange',
      source: `${REST}/get-blob`,
      held: suite('a range beyond the end is InvalidRange'),
    },
    {
      kind: 'error',
      what: 'throttling is 503, ServerBusy',
      source: `${REST}/common-rest-api-error-codes`,
      held: own('a busy service answers 503 ServerBusy, and nothing is stored'),
    },
    {
      kind: 'error',
      what: 'deleting what a policy or a hold protects is 409',
      source: `${BLOBS}/immutable-version-level-worm-policies`,
      held: own('a policy keeps a version until its date; unlocked it may be taken back'),
    },
    {
      kind: 'shape',
      what: 'each write of content or metadata makes a version, whose id is a time and increases',
      source: `${BLOBS}/versioning-overview`,
      held: own('each write makes one, and reads of an older one are pinned'),
    },
    {
      kind: 'shape',
      what: 'properties, tags and tiers make no version',
      source: `${BLOBS}/versioning-overview`,
      held: own('what changes no content and no metadata makes none'),
    },
    {
      kind: 'shape',
      what: 'deleting a blob with versions makes its state a previous version',
      source: `${BLOBS}/versioning-overview`,
      held: own('a deleted blob is its previous version, which a copy makes current again'),
    },
    {
      kind: 'shape',
      what: 'a range carries its own MD5 or CRC64 when that is asked for',
      source: `${REST}/get-blob`,
      held: suite('a range comes with its CRC64 when that is wanted'),
    },
    {
      kind: 'shape',
      what: 'a structured body has a CRC64 for each segment and for the whole',
      source:
        'https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/storage/storage-common/src/StructuredMessageEncoding.ts',
      held: suite('content that the SDK checks by itself goes there and comes back, in segments'),
    },
    {
      kind: 'shape',
      what: 'an event of a blob has the schema of Event Grid, one event a message',
      source: 'https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage',
      held: own('what happens to blobs arrives at a queue of Service Bus, as Event Grid writes it'),
    },
    {
      kind: 'shape',
      what: 'a browser may upload from another origin as the rules of the account say',
      source: `${REST}/cross-origin-resource-sharing--cors--support-for-the-azure-storage-services`,
      held: own('a page of another origin may upload by a signed URL when the account allows it'),
    },
    {
      kind: 'timing',
      what: 'blocks that no list names are gone a week after the last of them',
      source: `${REST}/put-block`,
      held: own('blocks that no list names are gone after a week'),
    },
    {
      kind: 'timing',
      what: 'what was deleted can be recovered for as many days as the account says',
      source: `${BLOBS}/soft-delete-blob-overview`,
      held: own('can be recovered as long as the account says, and then not'),
    },
    {
      kind: 'timing',
      what: 'a copy between accounts is pending for a while',
      source: `${REST}/copy-blob`,
      held: 'because it is done at once here, and the SDK polls a finished one too',
    },
    {
      kind: 'timing',
      what: 'a locked policy can be made longer and never shorter',
      source: `${BLOBS}/immutable-version-level-worm-policies`,
      held: own('a policy keeps a version until its date; unlocked it may be taken back'),
    },
    {
      kind: 'tier',
      what: 'an archived blob cannot be read until it is rehydrated, which takes hours',
      source: `${BLOBS}/archive-rehydrate-overview`,
      held: 'because rehydration has no place in a test: reading is refused as there, and so is another tier',
    },
    {
      kind: 'tier',
      what: 'versions, and policies on them, are switched on by the management plane',
      source: `${BLOBS}/immutable-version-level-worm-policies`,
      held: own('without it being enabled, a policy is refused'),
    },
  ],
};
