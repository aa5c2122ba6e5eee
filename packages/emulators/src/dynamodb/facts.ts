/** What DynamoDB publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const GUIDE = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide';
const API = 'https://docs.aws.amazon.com/amazondynamodb/latest/APIReference';
/** The same suite runs against DynamoDB Local (`npm run test:peers`). */
const suite = testsOf('tests/contract/suites/dynamodb-suite.ts');
const own = testsOf('packages/emulators/tests/dynamodb/server.test.ts');

export const dynamodbFacts: EmulatorFacts = {
  id: 'dynamodb',
  title: 'DynamoDB',
  folder: 'packages/emulators/src/dynamodb',
  scope: {
    serves:
      'tables and their changes, items, conditions, batches, transactions, queries, scans, secondary indexes, time to live, tags, consumed capacity',
    lacks: 'streams, PartiQL, backups, global tables; every read is consistent',
    suites: ['packages/emulators/tests/dynamodb/server.test.ts', 'tests/contract/suites/dynamodb-suite.ts'],
  },
  facts: [
    {
      kind: 'limit',
      what: 'an item has at most 400 KB, with the names of its attributes',
      source: `${GUIDE}/Constraints.html#limits-items`,
      held: suite('with %s are refused', 'more than 400 KB'),
    },
    {
      kind: 'limit',
      what: 'a number has 38 digits',
      source: `${GUIDE}/Constraints.html#limits-data-types-number`,
      held: suite('keep 38 digits of a number'),
    },
    {
      kind: 'limit',
      what: 'BatchWriteItem takes 25 writes, and no key twice',
      source: `${API}/API_BatchWriteItem.html`,
      held: suite('with more than 25 writes or a key twice are refused'),
    },
    {
      kind: 'limit',
      what: 'a transaction takes 100 operations',
      source: `${API}/API_TransactWriteItems.html`,
      held: suite('with %s are refused as a whole', 'more than 100 operations'),
    },
    {
      kind: 'limit',
      what: 'a page of a query or a scan ends at 1 MB',
      source: `${GUIDE}/Query.Pagination.html`,
      held: testsOf('tests/contract/suites/store-suite.ts')(
        'has smaller pages than were asked for when the records are large, and loses none',
      ),
    },
    {
      kind: 'limit',
      what: 'BatchGetItem answers with 16 MB at most, 1 MB a partition when throttled, and names the rest as unprocessed',
      source: `${API}/API_BatchGetItem.html`,
      held: testsOf('tests/contract/throttling.test.ts')(
        'leaves keys of a batch unprocessed, and refuses one of which it can read nothing',
      ),
    },
    {
      kind: 'validation',
      what: 'keys are there, not empty, and of their type; so are those of an index when they are there',
      source: `${GUIDE}/Constraints.html#limits-partition-sort-keys`,
      held: suite('with %s are refused', 'an index key of another type'),
    },
    {
      kind: 'validation',
      what: 'expressions name no reserved word, key attribute or path that is not there',
      source: `${GUIDE}/ReservedWords.html`,
      held: suite('are not updated by an expression with %s', 'a reserved word'),
    },
    {
      kind: 'validation',
      what: 'a global secondary index cannot be read consistently',
      source: `${GUIDE}/GSI.html`,
      held: suite('cannot be consistent on an index'),
    },
    {
      kind: 'validation',
      what: 'every index key has an attribute definition',
      source: `${API}/API_CreateTable.html`,
      held: suite('need an attribute definition for every index key'),
    },
    {
      kind: 'validation',
      what: 'an expression has at most 4 KB and 300 operators',
      source: `${GUIDE}/Constraints.html#limits-expression-parameters`,
      held: 'because every expression is ours, and the longest removes the markers of five peers (docs/limits.md)',
    },
    {
      kind: 'error',
      what: 'a condition that fails is ConditionalCheckFailedException; with ALL_OLD it carries the item, none when there is none',
      source: `${API}/API_PutItem.html`,
      held: suite('a failed condition on an item that is not there returns none'),
    },
    {
      kind: 'error',
      what: 'a transaction that is refused names the reason of each operation',
      source: `${API}/API_TransactWriteItems.html`,
      held: suite('write nothing when one condition fails, and say which'),
    },
    {
      kind: 'error',
      what: 'throttling is ProvisionedThroughputExceededException for items, ThrottlingException for tables',
      source: `${GUIDE}/Programming.Errors.html`,
      held: own('managing tables is throttled under its own name'),
    },
    {
      kind: 'error',
      what: 'who may not is AccessDeniedException, before the item is looked at',
      source: `${GUIDE}/Programming.Errors.html`,
      held: testsOf('tests/integration/rights.test.ts')(
        'a call that a role does not allow is refused as the cloud would refuse it',
      ),
    },
    {
      kind: 'error',
      what: 'an action or a body that it does not know is a SerializationException or UnknownOperationException',
      source: `${GUIDE}/Programming.Errors.html`,
      held: own('an unknown action is refused'),
    },
    {
      kind: 'shape',
      what: 'consumed capacity counts 1 KB a write, 4 KB a read, and half for eventual reads',
      source: `${GUIDE}/on-demand-capacity-mode.html`,
      held: suite('of reads, by 4 KB and by consistency'),
    },
    {
      kind: 'timing',
      what: 'a transaction’s token makes a repetition harmless for ten minutes',
      source: `${API}/API_TransactWriteItems.html`,
      held: own('are forgotten after ten minutes'),
    },
    {
      kind: 'timing',
      what: 'expired items are there until a sweep removes them, within a few days',
      source: `${GUIDE}/TTL.html`,
      held: own('the sweep deletes what has expired and nothing else'),
    },
    {
      kind: 'timing',
      what: 'reads that are not consistent, and every index, may be behind a write',
      source: `${GUIDE}/HowItWorks.ReadConsistency.html`,
      held: 'because it would make every test wait; the product names the lag that it allows for (dynamoIndexLagMs), and the simulator gives the index one',
    },
    {
      kind: 'tier',
      what: 'a partition takes 1,000 write units and 3,000 read units a second, where a budget is asked for; a table and each of its indexes are one',
      source: `${GUIDE}/bp-partition-key-design.html`,
      held: testsOf('tests/contract/throttling.test.ts')(
        'refuses a write of one item, until there is capacity again',
      ),
    },
    {
      kind: 'error',
      what: 'beyond its write units a batch leaves items unprocessed, and is refused when nothing could be written',
      source: `${API}/API_BatchWriteItem.html`,
      held: testsOf('tests/contract/throttling.test.ts')(
        'leaves items of a batch unprocessed, and refuses one of which it can write nothing',
      ),
    },
    {
      kind: 'error',
      what: 'beyond its write units a transaction is cancelled, with ProvisionedThroughputExceeded as the reason',
      source: `${API}/API_TransactWriteItems.html`,
      held: testsOf('tests/contract/throttling.test.ts')('cancels a transaction as a whole, and says why'),
    },
    {
      kind: 'tier',
      what: 'on demand, a table is throttled above twice its earlier peak',
      source: `${GUIDE}/on-demand-capacity-mode.html#on-demand-capacity-mode-initial`,
      held: 'because the peak is the service’s own account of half an hour; a budget of units a second stands for it',
    },
    {
      kind: 'tier',
      what: 'streams, PartiQL, backups, global tables',
      source: `${API}/API_Operations_Amazon_DynamoDB.html`,
      held: own('streams are refused rather than ignored'),
    },
  ],
};
