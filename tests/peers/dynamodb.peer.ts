/** The DynamoDB suite against DynamoDB Local; `npm run test:peers` starts it and says where it is. */
import { describeDynamo } from '../contract/suites/dynamodb-suite.ts';

const endpoint = process.env['TANDEM_PEER_DYNAMODB'];
if (endpoint === undefined) throw new Error('TANDEM_PEER_DYNAMODB is not set; run npm run test:peers');

describeDynamo('DynamoDB Local', () => endpoint, {
  hasNoContinuousBackups: true,
  hasNoTags: true,
  describesNoNewerFields: true,
  miscountsTransactions: true,
  readsOfNothingAreFree: true,
});
