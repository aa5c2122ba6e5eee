/** Which lines of the model a service on a bill stands for. */
import type { Line } from '../model.ts';
import type { BilledCloud } from './charge.ts';

interface Service {
  readonly name: string;
  /** Without the vendor, capitals and what is no letter: exports, Cost Explorer and price lists write them differently. */
  readonly billed: readonly string[];
  readonly prices: readonly Line['price'][];
}

const SERVICES: Readonly<Record<'aws' | 'azure', readonly Service[]>> = {
  aws: [
    {
      name: 'DynamoDB',
      billed: ['dynamodb'],
      prices: ['dynamoDbWrite', 'dynamoDbRead', 'dynamoDbStorage', 'dynamoDbBackup'],
    },
    { name: 'SQS', billed: ['simplequeueservice', 'queueservice', 'sqs'], prices: ['sqsRequest'] },
    { name: 'Lambda', billed: ['lambda'], prices: ['lambdaSecond', 'lambdaRequest'] },
    { name: 'API Gateway', billed: ['apigateway'], prices: ['httpApiRequest'] },
    {
      name: 'CloudWatch',
      billed: ['cloudwatch', 'cloudwatchlogs'],
      prices: ['cloudWatchLogs', 'cloudWatchMetric', 'cloudWatchAlarm', 'cloudWatchDashboard'],
    },
    { name: 'S3', billed: ['simplestorageservice', 's3'], prices: ['s3Storage', 's3Write', 's3Read'] },
    { name: 'data transfer', billed: ['datatransfer'], prices: ['awsEgress'] },
  ],
  azure: [
    { name: 'Cosmos DB', billed: ['cosmosdb'], prices: ['cosmosRequestUnit', 'cosmosStorage'] },
    { name: 'Service Bus', billed: ['servicebus'], prices: ['serviceBusOperation'] },
    { name: 'Functions', billed: ['functions'], prices: ['functionsSecond', 'functionsExecution'] },
    {
      name: 'Monitor',
      billed: ['monitor', 'loganalytics', 'applicationinsights'],
      prices: ['azureLogs', 'azureMetricAlert', 'azureLogAlert'],
    },
    {
      name: 'Storage',
      billed: ['storage', 'storageaccounts', 'blobstorage'],
      prices: ['blobStorage', 'blobWrite', 'blobRead'],
    },
    { name: 'bandwidth', billed: ['bandwidth'], prices: ['azureEgress'] },
  ],
};

/** The model's name of a service on a bill; undefined: the model knows nothing of it. */
export function modelService(cloud: BilledCloud, billed: string): string | undefined {
  if (cloud === 'other') return undefined;
  const name = billed.toLowerCase().replaceAll(/amazon|\baws|azure|microsoft|[^a-z0-9]/g, '');
  return SERVICES[cloud].find((service) => service.billed.includes(name))?.name;
}

/** The model's name of the service that a price is of. */
export function serviceOfPrice(cloud: 'aws' | 'azure', price: Line['price']): string {
  const found = SERVICES[cloud].find(({ prices }) => prices.includes(price));
  if (found === undefined) throw new Error(`no service of ${cloud} has the price ${price}`);
  return found.name;
}
