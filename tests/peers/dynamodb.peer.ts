/**
 * The DynamoDB suite against DynamoDB Local, and that of our store with it behind the SDK; `npm run test:peers` starts it
 * and says where it is.
 */
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { ENVIRONMENT } from '../../scripts/bench/bundle/environment.ts';
import { openStore } from '../../src/shared/adapters/aws/cloud.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import { describeDynamo } from '../contract/suites/dynamodb-suite.ts';
import { describeIndexes } from '../contract/suites/index-suite.ts';
import { describeStore } from '../contract/suites/store-suite.ts';
import { newDynamoClient } from '../helpers/dynamo.ts';
import { setEnvironment, tableDefinition } from '../helpers/sites.ts';

const endpoint = process.env['TANDEM_PEER_DYNAMODB'];
if (endpoint === undefined) throw new Error('TANDEM_PEER_DYNAMODB is not set; run npm run test:peers');

describeDynamo('DynamoDB Local', () => endpoint, {
  hasNoContinuousBackups: true,
  hasNoTags: true,
  describesNoTableClass: true,
  miscountsTransactions: true,
  readsOfNothingAreFree: true,
});

describe('with DynamoDB Local', () => {
  let store: Store;
  let kept = noEntries;
  let restore: () => void;

  beforeAll(async () => {
    restore = setEnvironment({
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    });
    // Tables of DynamoDB Local belong to an access key: that of the client below.
    const client = newDynamoClient(endpoint);
    await client.send(new CreateTableCommand(tableDefinition()));
    client.destroy();
    store = openStore(loadConfig('aws', ENVIRONMENT.aws), (record, use) => kept(record, use));
  });
  afterAll(() => {
    restore();
  });

  describeStore('DynamoDB Local', () => store);
  describeIndexes('DynamoDB Local', (entriesOf) => {
    kept = entriesOf;
    return store;
  });
});
