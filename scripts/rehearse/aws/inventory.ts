/**
 * What there is in an account, asked with the vendor's clients: those that the CLI itself brings. SNS has none among
 * them and is asked by hand.
 */
import { createRequire } from 'node:module';

export const REGION = 'eu-west-1';

/** Calls an operation of a service, such as `lambda`, `ListFunctions`. */
export type Query = <T>(service: string, operation: string, input?: object) => Promise<T>;

interface Client {
  send(command: unknown): Promise<unknown>;
}
type Sdk = Readonly<Record<string, new (input: object) => unknown>>;

const CLIENTS: Readonly<Record<string, string>> = {
  apigatewayv2: 'ApiGatewayV2Client',
  cloudformation: 'CloudFormationClient',
  cloudwatch: 'CloudWatchClient',
  'cloudwatch-logs': 'CloudWatchLogsClient',
  dynamodb: 'DynamoDBClient',
  eventbridge: 'EventBridgeClient',
  iam: 'IAMClient',
  lambda: 'LambdaClient',
  s3: 'S3Client',
  sqs: 'SQSClient',
};

/** @param endpoint Where moto listens. */
export function queryAt(endpoint: string): Query {
  const require = createRequire(createRequire(import.meta.url).resolve('serverless/package.json'));
  const options = {
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'looking', secretAccessKey: 'on' },
  };
  return async <T>(service: string, operation: string, input: object = {}): Promise<T> => {
    const sdk = require(`@aws-sdk/client-${service}`) as Sdk;
    const Client = sdk[CLIENTS[service] ?? ''];
    const Command = sdk[`${operation}Command`];
    if (Client === undefined || Command === undefined) throw new Error(`${service} has no ${operation}`);
    return (await (new Client(options) as Client).send(new Command(input))) as T;
  };
}

/** Lists of every kind of resource that the stack has, and of what the commands make themselves. */
const LISTS: readonly (readonly [
  kind: string,
  service: string,
  operation: string,
  field: string,
  name: string,
])[] = [
  ['bucket', 's3', 'ListBuckets', 'Buckets', 'Name'],
  ['stack', 'cloudformation', 'DescribeStacks', 'Stacks', 'StackName'],
  ['function', 'lambda', 'ListFunctions', 'Functions', 'FunctionName'],
  ['event source', 'lambda', 'ListEventSourceMappings', 'EventSourceMappings', 'EventSourceArn'],
  ['table', 'dynamodb', 'ListTables', 'TableNames', ''],
  ['queue', 'sqs', 'ListQueues', 'QueueUrls', ''],
  ['role', 'iam', 'ListRoles', 'Roles', 'RoleName'],
  ['log group', 'cloudwatch-logs', 'DescribeLogGroups', 'logGroups', 'logGroupName'],
  ['rule', 'eventbridge', 'ListRules', 'Rules', 'Name'],
  ['dashboard', 'cloudwatch', 'ListDashboards', 'DashboardEntries', 'DashboardName'],
  ['alarm', 'cloudwatch', 'DescribeAlarms', 'MetricAlarms', 'AlarmName'],
  ['API', 'apigatewayv2', 'GetApis', 'Items', 'Name'],
];

/** Everything that there is, as `kind name`. */
export async function inventory(query: Query, endpoint: string): Promise<string[]> {
  const lists = await Promise.all(
    LISTS.map(async ([kind, service, operation, field, name]) => {
      const response = await query<Readonly<Record<string, readonly unknown[] | undefined>>>(
        service,
        operation,
      );
      return (response[field] ?? []).map((one) => {
        const named = typeof one === 'string' ? one : (one as Readonly<Record<string, string>>)[name];
        return `${kind} ${named ?? '?'}`;
      });
    }),
  );
  return [...lists.flat(), ...(await topics(endpoint))].sort();
}

async function topics(endpoint: string): Promise<string[]> {
  const authorization = `AWS4-HMAC-SHA256 Credential=looking/20260101/${REGION}/sns/aws4_request, SignedHeaders=host, Signature=none`;
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Action=ListTopics&Version=2010-03-31',
  });
  return [...(await response.text()).matchAll(/<TopicArn>([^<]+)/g)].map(([, arn]) => `topic ${arn ?? ''}`);
}
