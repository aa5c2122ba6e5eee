/** What a deployed AWS site must be, asked of the services themselves. */
import assert from 'node:assert/strict';
import type { Query } from './inventory.ts';

interface Table {
  readonly TableId: string;
  readonly TableStatus: string;
  readonly BillingModeSummary?: { readonly BillingMode: string };
  readonly GlobalSecondaryIndexes: readonly { readonly IndexName: string }[];
}
interface Lambda {
  readonly FunctionName: string;
  readonly Role: string;
  readonly Runtime: string;
  readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
}
interface Mapping {
  readonly EventSourceArn: string;
  readonly FunctionArn: string;
  readonly FunctionResponseTypes: readonly string[];
}

/**
 * What moto's CloudFormation has no resource for, and leaves out in silence. Not shown (docs/rehearsal.md); what else is
 * left out fails the rehearsal, and so does one of these that a newer moto makes.
 */
const LEFT_OUT = [
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::CloudWatch::Alarm',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
];

const QUEUES = ['out', 'in', 'verify', 'react', 'tick', 'dead'];
const WITH_DEAD_LETTERS = ['out', 'in', 'verify', 'react'];
const FED: Readonly<Record<string, string>> = {
  out: 'forward',
  in: 'apply',
  verify: 'verify',
  react: 'react',
  tick: 'sweep',
};

/** Ids that change when a resource is replaced, which loses what is in it. */
export async function identities(query: Query): Promise<Readonly<Record<string, string>>> {
  const { Table } = await query<{ Table: Table }>('dynamodb', 'DescribeTable', { TableName: 'tandem' });
  const queues = await Promise.all(
    QUEUES.map(async (name) => [name, (await attributes(query, name))['CreatedTimestamp'] ?? ''] as const),
  );
  return { table: Table.TableId, ...Object.fromEntries(queues) };
}

async function attributes(query: Query, name: string): Promise<Readonly<Record<string, string>>> {
  const { QueueUrl } = await query<{ QueueUrl: string }>('sqs', 'GetQueueUrl', {
    QueueName: `tandem-${name}`,
  });
  const { Attributes } = await query<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', {
    QueueUrl,
    AttributeNames: ['All'],
  });
  return Attributes;
}

/** What the functions' environment says. */
export async function settings(query: Query, name = 'items'): Promise<Readonly<Record<string, string>>> {
  const { Environment } = await query<Lambda>('lambda', 'GetFunctionConfiguration', {
    FunctionName: `tandem-prod-${name}`,
  });
  return Environment.Variables;
}

export interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
}

/** @returns What was looked at, in words. */
export async function checkSite(query: Query, stack: string, template: Template): Promise<string[]> {
  return [
    await checkStack(query, stack, template),
    await checkStore(query),
    await checkQueues(query),
    await checkFunctions(query),
    await checkFeeds(query),
  ];
}

async function checkStack(query: Query, stack: string, { Resources }: Template): Promise<string> {
  const { StackResourceSummaries } = await query<{
    StackResourceSummaries: readonly { LogicalResourceId: string }[];
  }>('cloudformation', 'ListStackResources', { StackName: stack });
  const made = new Set(StackResourceSummaries.map(({ LogicalResourceId }) => LogicalResourceId));
  const missing = Object.entries(Resources).flatMap(([id, { Type }]) => (made.has(id) ? [] : [Type]));
  assert.deepEqual([...new Set(missing)].sort(), LEFT_OUT);
  return `stack: ${made.size} of ${Object.keys(Resources).length} resources; moto leaves out ${LEFT_OUT.length} types`;
}

async function checkStore(query: Query): Promise<string> {
  const { Table } = await query<{ Table: Table }>('dynamodb', 'DescribeTable', { TableName: 'tandem' });
  assert.equal(Table.TableStatus, 'ACTIVE');
  assert.equal(Table.BillingModeSummary?.BillingMode, 'PAY_PER_REQUEST');
  assert.deepEqual(Table.GlobalSecondaryIndexes.map(({ IndexName }) => IndexName).sort(), [
    'by_type',
    'by_x1',
    'by_x2',
    'by_x3',
    'by_x4',
    'due',
    'pending',
  ]);
  return 'table: on demand, with all indexes';
}

async function checkQueues(query: Query): Promise<string> {
  for (const name of QUEUES) {
    const found = await attributes(query, name);
    assert.equal(found['SqsManagedSseEnabled'], 'true', `${name} is not encrypted`);
    if (!WITH_DEAD_LETTERS.includes(name)) continue;
    const { deadLetterTargetArn } = JSON.parse(found['RedrivePolicy'] ?? '{}') as Record<string, string>;
    assert.match(deadLetterTargetArn ?? '', /:tandem-dead$/, `${name} has no dead-letter queue`);
  }
  return `queues: ${QUEUES.join(', ')}, encrypted, ${WITH_DEAD_LETTERS.join(', ')} with the dead-letter queue`;
}

async function checkFunctions(query: Query): Promise<string> {
  const { Functions } = await query<{ Functions: readonly Lambda[] }>('lambda', 'ListFunctions');
  const { Roles } = await query<{ Roles: readonly { Arn: string }[] }>('iam', 'ListRoles');
  const roles = new Set(Roles.map(({ Arn }) => Arn));
  for (const { FunctionName, Role, Runtime, Environment } of Functions) {
    assert.equal(Runtime, 'nodejs24.x', FunctionName);
    assert.ok(roles.delete(Role), `${FunctionName} has no role of its own`);
    const { TANDEM_TABLE, TANDEM_OUT_URL } = Environment.Variables;
    assert.equal(TANDEM_TABLE, 'tandem', FunctionName);
    assert.match(TANDEM_OUT_URL ?? '', /\/tandem-out$/, FunctionName);
  }
  assert.equal(Functions.length, 13);
  assert.equal(roles.size, 0, 'a role belongs to no function');
  return `functions: ${Functions.length}, Node 24, each with a role of its own and the names of table and queues`;
}

async function checkFeeds(query: Query): Promise<string> {
  const { EventSourceMappings } = await query<{ EventSourceMappings: readonly Mapping[] }>(
    'lambda',
    'ListEventSourceMappings',
  );
  const found = EventSourceMappings.map(({ EventSourceArn, FunctionArn, FunctionResponseTypes }) => {
    assert.deepEqual(FunctionResponseTypes, ['ReportBatchItemFailures'], EventSourceArn);
    const [queue, fed] = [EventSourceArn, FunctionArn].map((arn) => arn.split(':').at(-1) ?? '');
    return [queue?.replace('tandem-', '') ?? '', fed?.replace('tandem-prod-', '') ?? ''];
  });
  assert.deepEqual(Object.fromEntries(found), FED);
  const { Rules } = await query<{ Rules: readonly { ScheduleExpression: string }[] }>(
    'eventbridge',
    'ListRules',
  );
  assert.deepEqual(Rules.map(({ ScheduleExpression }) => ScheduleExpression).sort(), [
    'rate(1 hour)',
    'rate(1 minute)',
  ]);
  return 'queues feed their functions with partial batch failures on; both schedules are set';
}
