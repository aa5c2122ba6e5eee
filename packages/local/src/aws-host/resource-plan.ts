/** The tables and queues of the service definition as plain data, which also travels to the trigger process. */
import type { CreateTableCommandInput, TimeToLiveSpecification } from '@aws-sdk/client-dynamodb';
import { type CloudFormationValue, resourcesOf, type ServiceDefinition, textOf } from './service-model.ts';

export interface QueuePlan {
  /** Logical id in the template. */
  readonly id: string;
  readonly name: string;
  /** SQS attributes without the redrive policy; SQS wants every value as text. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly redrive: { readonly deadLetterQueue: string; readonly maxReceiveCount: number } | undefined;
}

export interface TablePlan {
  readonly id: string;
  readonly definition: CreateTableCommandInput & { TableName: string };
  readonly ttl: TimeToLiveSpecification | undefined;
}

export interface ResourcePlan {
  readonly region: string;
  readonly queues: readonly QueuePlan[];
  readonly tables: readonly TablePlan[];
}

/** What `Ref` and `Fn::GetAtt … Arn` of a resource mean here. */
export interface LocalResource {
  readonly ref: string;
  readonly arn: string;
}

const QUEUE_ATTRIBUTES = [
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'VisibilityTimeout',
  'FifoQueue',
  'ContentBasedDeduplication',
] as const;

function queuePlan(id: string, properties: Readonly<Record<string, CloudFormationValue>>): QueuePlan {
  const attributes: Record<string, string> = {};
  for (const name of QUEUE_ATTRIBUTES) {
    const value = properties[name];
    if (value !== undefined) attributes[name] = textOf(value);
  }
  const redrive = properties['RedrivePolicy'] as
    { deadLetterTargetArn: { 'Fn::GetAtt': [string, string] }; maxReceiveCount: number } | undefined;
  return {
    id,
    name: textOf(properties['QueueName']),
    attributes,
    redrive:
      redrive === undefined
        ? undefined
        : {
            deadLetterQueue: redrive.deadLetterTargetArn['Fn::GetAtt'][0],
            maxReceiveCount: redrive.maxReceiveCount,
          },
  };
}

function tablePlan(id: string, properties: Readonly<Record<string, CloudFormationValue>>): TablePlan {
  const { TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode } =
    properties as unknown as CreateTableCommandInput;
  return {
    id,
    definition: {
      TableName: String(TableName),
      AttributeDefinitions,
      KeySchema,
      BillingMode,
      ...(GlobalSecondaryIndexes === undefined ? {} : { GlobalSecondaryIndexes }),
    },
    ttl: properties['TimeToLiveSpecification'] as unknown as TimeToLiveSpecification | undefined,
  };
}

/** The tables and queues of the service definition, in plain data. */
export function resourcePlanOf(service: ServiceDefinition): ResourcePlan {
  return {
    region: service.provider.region,
    queues: resourcesOf(service, 'AWS::SQS::Queue').map(([id, { Properties }]) =>
      queuePlan(id, Properties ?? {}),
    ),
    tables: resourcesOf(service, 'AWS::DynamoDB::Table').map(([id, { Properties }]) =>
      tablePlan(id, Properties ?? {}),
    ),
  };
}
