/**
 * List prices, USD, pay as you go, without discounts or taxes. One place, so that a new price list is
 * one small change. Not quotes: check them on the pages below before you budget.
 *
 * `read` says where a figure was read when, since the vendors' own pages fill in their prices by script and could not
 * all be kept as text.
 */

const MILLION = 1_000_000;

export interface Price {
  readonly usd: number;
  /** Units that `usd` buys. */
  readonly per: number;
  readonly unit: string;
  /** Units a month that an account has for nothing, for as long as it exists. Allowances of the first year do not count. */
  readonly free?: number;
  readonly region: string;
  /** The vendor's page. */
  readonly source: string;
  readonly read: string;
}

export const PRICES = {
  dynamoDbWrite: {
    usd: 0.625,
    per: MILLION,
    unit: 'write request units (1 kB each), on demand, Standard table class',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    read: 'airbyte.com/data-engineering-resources/dynamodb-pricing, July 2025; halved by AWS in November 2024',
  },
  dynamoDbRead: {
    usd: 0.125,
    per: MILLION,
    unit: 'read request units (4 kB, strongly consistent), on demand, Standard table class',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    read: 'as for writes',
  },
  sqsRequest: {
    usd: 0.4,
    per: MILLION,
    unit: 'requests to standard queues (64 kB each), the first 100 billion a month',
    free: MILLION,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/sqs/pricing/',
    read: 'cloudburn.io/blog/amazon-sqs-pricing, March 2026',
  },
  cosmosRequestUnit: {
    usd: 0.25,
    per: MILLION,
    unit: 'request units, serverless, NoSQL API',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/cosmos-db/serverless/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  serviceBusOperation: {
    usd: 0.05,
    per: MILLION,
    unit: 'operations (64 kB each), Basic tier',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/service-bus/',
    read: 'from memory of the page, 2025; unconfirmed; the ratio of Basic to Standard on azure.cn agrees',
  },
  lambdaSecond: {
    usd: 13.3334,
    per: MILLION,
    unit: 'GB-seconds of Lambda on arm64',
    free: 400_000,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/lambda/pricing/',
    read: 'notes on the price list in a public repository, May 2026',
  },
  lambdaReadySecond: {
    usd: 3.3334,
    per: MILLION,
    unit: 'GB-seconds of provisioned concurrency of Lambda on arm64, used or not',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/lambda/pricing/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  lambdaRequest: {
    usd: 0.2,
    per: MILLION,
    unit: 'requests of Lambda',
    free: MILLION,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/lambda/pricing/',
    read: 'as for seconds',
  },
  httpApiRequest: {
    usd: 1,
    per: MILLION,
    unit: 'requests to an HTTP API (512 kB each), the first 300 million a month',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/api-gateway/pricing/',
    read: 'a tutorial of December 2025 that lists them',
  },
  dynamoDbStorage: {
    usd: 0.25,
    per: 1,
    unit: 'GB-months of a table, Standard table class',
    free: 25,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  dynamoDbBackup: {
    usd: 0.2,
    per: 1,
    unit: 'GB-months of point-in-time recovery',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  cloudWatchLogs: {
    usd: 0.5,
    per: 1,
    unit: 'GB of logs taken in',
    free: 5,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/cloudwatch/pricing/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  cloudWatchMetric: {
    usd: 0.3,
    per: 1,
    unit: 'custom metrics',
    free: 10,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/cloudwatch/pricing/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  cloudWatchAlarm: {
    usd: 0.1,
    per: 1,
    unit: 'metrics that standard alarms watch',
    free: 10,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/cloudwatch/pricing/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  cloudWatchDashboard: {
    usd: 3,
    per: 1,
    unit: 'dashboards',
    free: 3,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/cloudwatch/pricing/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  awsEgress: {
    usd: 0.09,
    per: 1,
    unit: 'GB to the internet, the first 10 TB a month',
    free: 100,
    region: 'us-east-1',
    source: 'https://aws.amazon.com/ec2/pricing/on-demand/',
    read: 'leanopstech.com/blog/aws-data-transfer-pricing-2026, April 2026',
  },
  functionsSecond: {
    usd: 26,
    per: MILLION,
    unit: 'GB-seconds of Functions, Flex Consumption, on demand',
    free: 100_000,
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/functions/',
    read: 'modal.com/blog/azure-function-pricing-guide, May 2025',
  },
  functionsReadySecond: {
    usd: 4,
    per: MILLION,
    unit: 'GB-seconds of instances of Flex Consumption that are always ready, used or not',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/functions/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  functionsExecution: {
    usd: 0.4,
    per: MILLION,
    unit: 'executions of Functions, Flex Consumption, on demand',
    free: 250_000,
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/functions/',
    read: 'modal.com/blog/azure-function-pricing-guide, May 2025',
  },
  cosmosAutoscale: {
    usd: 0.012,
    per: 100,
    unit: 'request units a second for an hour, autoscale, one region: the most that it scaled to',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/cosmos-db/autoscale-provisioned/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  cosmosStorage: {
    usd: 0.25,
    per: 1,
    unit: 'GB-months of a container, indexes included',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/cosmos-db/serverless/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  azureLogs: {
    usd: 2.3,
    per: 1,
    unit: 'GB of Analytics Logs taken in',
    free: 5,
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/monitor/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  azureMetricAlert: {
    usd: 0.1,
    per: 1,
    unit: 'metric time series that alert rules watch',
    free: 10,
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/monitor/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  azureLogAlert: {
    usd: 0.5,
    per: 1,
    unit: 'log search alert rules that run every 15 minutes',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/monitor/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  azureEgress: {
    usd: 0.087,
    per: 1,
    unit: 'GB to the internet, the first 10 TB a month',
    free: 100,
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/bandwidth/',
    read: 'cloudtoolstack.com/blog/cloud-egress-cost-optimization, early 2026',
  },
  s3Storage: {
    usd: 0.023,
    per: 1,
    unit: 'GB-months of S3 Standard, the first 50 TB',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/s3/pricing/',
    read: 'devnotes.tech/understanding-aws-s3-pricing-a-complete-cost-breakdown-with-examples, undated copy',
  },
  s3Write: {
    usd: 0.005,
    per: 1_000,
    unit: 'PUT, COPY, POST and LIST requests of S3 Standard',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/s3/pricing/',
    read: 'as for storage',
  },
  s3Read: {
    usd: 0.0004,
    per: 1_000,
    unit: 'GET and all other requests of S3 Standard',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/s3/pricing/',
    read: 'as for storage',
  },
  blobStorage: {
    usd: 0.0184,
    per: 1,
    unit: 'GB-months of Blob Storage, hot, LRS',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/storage/blobs/',
    read: 'cal53.calculator.city/azure-blob-storage-pricing-calculator, prices of 2023; other pages round to 0.018',
  },
  blobWrite: {
    usd: 0.05,
    per: 10_000,
    unit: 'write operations of Blob Storage, hot, LRS',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/storage/blobs/',
    read: 'as for storage',
  },
  blobRead: {
    usd: 0.004,
    per: 10_000,
    unit: 'read operations of Blob Storage, hot, LRS',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/storage/blobs/',
    read: 'as for storage',
  },
  elastiCacheHour: {
    usd: 0.0128,
    per: 1,
    unit: 'hours of a node cache.t4g.micro with Valkey (0.5 GB), on demand',
    region: 'us-east-1',
    source: 'https://aws.amazon.com/elasticache/pricing/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
  azureRedisHour: {
    usd: 0.018,
    per: 1,
    unit: 'hours of Azure Managed Redis, Balanced B0 (0.5 GB), without a replica',
    region: 'East US',
    source: 'https://azure.microsoft.com/pricing/details/managed-redis/',
    read: 'from memory of the page, 2025; unconfirmed',
  },
} as const satisfies Readonly<Record<string, Price>>;

/** USD for a million times `amount` units. */
export function usdPerMillion({ usd, per }: Price, amount: number): number {
  return (usd / per) * MILLION * amount;
}
