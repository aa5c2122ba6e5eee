/** What Cosmos DB (NoSQL API) publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const LEARN = 'https://learn.microsoft.com/azure/cosmos-db';
const REST = 'https://learn.microsoft.com/rest/api/cosmos-db';
const own = testsOf('packages/emulators/tests/cosmos/server.test.ts');

export const cosmosFacts: EmulatorFacts = {
  id: 'cosmos-db',
  title: 'Cosmos DB',
  folder: 'packages/emulators/src/cosmos',
  scope: {
    serves:
      'databases, containers, items, ETags, patches, batches and bulk, SQL queries, indexing policy, change feed, time to live, request charges',
    lacks:
      'stored procedures, triggers, functions of your own, permissions, spatial functions, vector search; every read is consistent',
    suites: ['packages/emulators/tests/cosmos/server.test.ts'],
  },
  facts: [
    {
      kind: 'limit',
      what: 'an item has at most 2 MB of JSON in UTF-8',
      source: `${LEARN}/concepts-limits#per-item-limits`,
      held: own('refuse %s', 'a body above 2 MB'),
    },
    {
      kind: 'limit',
      what: 'an id has at most 1,023 bytes',
      source: `${LEARN}/concepts-limits#per-item-limits`,
      held: own('refuse %s', 'an id of more than 1,023 bytes'),
    },
    {
      kind: 'limit',
      what: 'an item nests at most 128 levels',
      source: `${LEARN}/concepts-limits#per-item-limits`,
      held: own('nest 128 levels and not one more, whatever operation writes them'),
    },
    {
      kind: 'limit',
      what: 'a transactional batch, and a bulk request, has at most 100 operations',
      source: `${LEARN}/concepts-limits#per-request-limits`,
      held: own('refuses more than 100 operations, which the SDK would not send'),
    },
    {
      kind: 'limit',
      what: 'a response has at most 4 MB; operations of a bulk read beyond it get 413, substatus 3402',
      source: `${LEARN}/concepts-limits#per-request-limits`,
      held: own('answers the reads within it, and refuses those beyond it with a sub status of their own'),
    },
    {
      kind: 'validation',
      what: 'an id is not empty and holds none of / \\ ? #',
      source: `${LEARN}/concepts-limits#per-item-limits`,
      held: own('refuses the id %j, which the SDK lets through here', 'a?b'),
    },
    {
      kind: 'validation',
      what: 'a time to live is -1 or at least one second',
      source: `${LEARN}/nosql/time-to-live`,
      held: own('refuse %s', 'a time to live of zero'),
    },
    {
      kind: 'validation',
      what: 'an item stays in its partition: substatus 1001',
      source: `${REST}/http-status-codes-for-cosmosdb`,
      held: own('refuse %s', 'moving an item to another partition'),
    },
    {
      kind: 'validation',
      what: 'an order by two properties needs a composite index',
      source: `${LEARN}/index-policy#composite-indexes`,
      held: own('are refused with 400: %s', 'an order by two properties without a composite index'),
    },
    {
      kind: 'validation',
      what: 'a patch has at most ten operations',
      source: `${LEARN}/partial-document-update`,
      held: testsOf('packages/emulators/tests/cosmos/patch.test.ts')('refuses %s', 'more than ten'),
    },
    {
      kind: 'shape',
      what: 'a patch on condition that is not met is 412, substatus 1110',
      source: `${LEARN}/partial-document-update`,
      held: own('are patched, on a condition, with all operations of the SDK'),
    },
    {
      kind: 'error',
      what: 'what exists is 409, what is absent 404, a lost condition 412',
      source: `${REST}/http-status-codes-for-cosmosdb`,
      held: own('honour If-Match on writes and If-None-Match on reads'),
    },
    {
      kind: 'error',
      what: 'throttled is 429, substatus 3200, with x-ms-retry-after-ms',
      source: `${LEARN}/nosql/troubleshoot-request-rate-too-large`,
      held: own('throttle with 429 and a time to wait, which the SDK heeds'),
    },
    {
      kind: 'error',
      what: '408, 449 and 500 say that nobody knows, or to try again',
      source: `${REST}/http-status-codes-for-cosmosdb`,
      held: own('answer %d before anything takes effect'),
    },
    {
      kind: 'error',
      what: 'an operation of a bulk request that fails leaves the others alone',
      source: `${LEARN}/nosql/tutorial-dotnet-bulk-import`,
      held: own('answers each operation on its own, through the older items.bulk'),
    },
    {
      kind: 'error',
      what: 'without a right a call is 403, substatus 5301, with the action in its text',
      source: `${LEARN}/nosql/reference-data-plane-security`,
      held: testsOf('tests/integration/rights.test.ts')(
        'a call that a role does not allow is refused as the cloud would refuse it',
      ),
    },
    {
      kind: 'shape',
      what: 'answers carry request charges, activity ids and session tokens',
      source: `${REST}/common-cosmosdb-rest-response-headers`,
      held: own('carry request charges, activity ids and session tokens'),
    },
    {
      kind: 'shape',
      what: 'a query goes on where it was from its token, by another client too',
      source: `${LEARN}/nosql/query/pagination`,
      held: own('are continued page by page, also by another client'),
    },
    {
      kind: 'shape',
      what: 'whether U+0000 and halves of surrogate pairs come back as they were sent is written nowhere',
      source: 'https://www.rfc-editor.org/rfc/rfc8259#section-8.2',
      held: 'because nobody knows it: the emulator gives them back, and `npm run tandem -- first-check` asks the account (store.nul, store.surrogate)',
    },
    {
      kind: 'timing',
      what: 'an item expires by the clock, counted from its last write',
      source: `${LEARN}/nosql/time-to-live`,
      held: own('expire by the clock: the container default, their own, or never'),
    },
    {
      kind: 'timing',
      what: 'less consistent reads may be behind',
      source: `${LEARN}/consistency-levels`,
      held: 'because the account is strongly consistent, and the one scan that is not asks for what has been there for long',
    },
    {
      kind: 'tier',
      what: 'a serverless container takes 5,000 RU a second; beyond them 429',
      source: `${LEARN}/concepts-limits#serverless`,
      held: testsOf('tests/contract/throttling.test.ts')(
        'refuses operations of a bulk request one by one, each with when to try again',
      ),
    },
    {
      kind: 'tier',
      what: 'keys, signatures and Entra',
      source: `${LEARN}/how-to-connect-role-based-access-control`,
      held: own('refuse a request without an authorization header'),
    },
  ],
};
