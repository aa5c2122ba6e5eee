/** What the roles of the packaged AWS template allow, against the calls of the SDKs to DynamoDB and SQS. */
import { ofType, type Policy, type Resources } from '../cloudformation.ts';
import { arn, isAllowed, type PolicyStatement, resolverOf } from '../iam.ts';
import { RightsBook, type RightsCall } from './calls.ts';
import { type ProxiedRequest, type RightsProxy, startProxy } from './proxy.ts';

/** What the packaged template gives to whom. */
export interface AwsRights {
  readonly book: RightsBook;
  /** Logical id of the role, by the key of the function in the definition: `users`. */
  readonly roleOf: ReadonlyMap<string, string>;
  /** Key of the function, by the name of the queue that triggers it. */
  readonly triggers: ReadonlyMap<string, string>;
  /** What the role may do, without its logs: `dynamodb:GetItem`. */
  actionsOf(role: string): readonly string[];
}

interface Ref {
  readonly Ref: string;
}
interface GetAtt {
  readonly 'Fn::GetAtt': readonly [string, string];
}
const idOf = (value: unknown): string => {
  const reference = value as Ref | GetAtt;
  return 'Ref' in reference ? reference.Ref : reference['Fn::GetAtt'][0];
};

/** Reads the template as CloudFormation would. */
export function awsRights(resources: Resources): AwsRights {
  const resolve = resolverOf(resources);
  const statements = new Map<string, PolicyStatement[]>();
  for (const [role, { Policies = [] }] of ofType(resources, 'AWS::IAM::Role')) {
    statements.set(
      role,
      (Policies as Policy[]).flatMap(({ PolicyDocument }) => PolicyDocument.Statement),
    );
  }
  for (const [, policy] of ofType(resources, 'AWS::IAM::ManagedPolicy')) {
    for (const role of (policy['Roles'] as Ref[] | undefined) ?? []) {
      statements.get(role.Ref)?.push(...(policy as unknown as Policy).PolicyDocument.Statement);
    }
  }
  // Those that a role names itself.
  for (const [role, { ManagedPolicyArns = [] }] of ofType(resources, 'AWS::IAM::Role')) {
    for (const policy of ManagedPolicyArns as readonly (Ref | string)[]) {
      if (typeof policy === 'string') continue;
      const { PolicyDocument } = resources[policy.Ref]?.Properties as unknown as Policy;
      statements.get(role)?.push(...PolicyDocument.Statement);
    }
  }
  const keyOf = (name: unknown): string => String(name).split('-').slice(2).join('-');
  const functions = ofType(resources, 'AWS::Lambda::Function');
  const byId = new Map(functions.map(([id, { FunctionName }]) => [id, keyOf(FunctionName)]));
  return {
    book: new RightsBook(({ who, action, resource }) =>
      isAllowed(statements.get(who) ?? [], { action, resource }, resolve),
    ),
    roleOf: new Map(functions.map(([, { FunctionName, Role }]) => [keyOf(FunctionName), idOf(Role)])),
    triggers: new Map(
      ofType(resources, 'AWS::Lambda::EventSourceMapping').map(([, mapping]) => [
        String(resources[idOf(mapping['EventSourceArn'])]?.Properties?.['QueueName']),
        byId.get(idOf(mapping['FunctionName'])) ?? '',
      ]),
    ),
    actionsOf: (role) =>
      (statements.get(role) ?? [])
        .flatMap(({ Action }) => Action)
        .filter((action) => !action.startsWith('logs:')),
  };
}

/** A proxy for one service; who calls is the id of the access key. */
export function proxyAws(target: string, book: RightsBook): Promise<RightsProxy> {
  return startProxy(target, (request) => {
    const who = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'nobody';
    const refused = book.refuse(callsIn(request).map((call) => ({ who, ...call })));
    if (refused === undefined) return undefined;
    const message = `${refused.who} is not authorized to perform: ${refused.action} on resource: ${refused.resource}`;
    return {
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: { __type: 'com.amazon.coral.service#AccessDeniedException', message },
    };
  });
}

interface Input {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  readonly TransactItems?: readonly Readonly<Record<string, { readonly TableName: string }>>[];
  readonly QueueUrl?: string;
  readonly SecretId?: string;
}

/** What IAM is asked about a call. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html */
function callsIn({ headers, body }: ProxiedRequest): Omit<RightsCall, 'who'>[] {
  const [service = '', operation = ''] = String(headers['x-amz-target']).split('.');
  const input = JSON.parse(body.toString('utf8')) as Input;
  if (service.startsWith('AmazonSQS')) {
    // A batch needs the right to its parts.
    const action = `sqs:${operation.replace(/Batch$/, '')}`;
    return [{ action, resource: arn('sqs', input.QueueUrl?.split('/').at(-1) ?? '') }];
  }
  if (service === 'secretsmanager') {
    // The service adds six characters of its own to a name.
    return [
      { action: `${service}:${operation}`, resource: arn(service, `secret:${input.SecretId ?? ''}-AbCdEf`) },
    ];
  }
  const table = (name: string): string => arn('dynamodb', `table/${name}`);
  if (input.TransactItems !== undefined) {
    return input.TransactItems.flatMap((item) =>
      Object.entries(item).map(([kind, { TableName }]) => ({
        action: `dynamodb:${kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`}`,
        resource: table(TableName),
      })),
    );
  }
  const names = input.RequestItems === undefined ? [input.TableName ?? ''] : Object.keys(input.RequestItems);
  const index = input.IndexName === undefined ? '' : `/index/${input.IndexName}`;
  return names.map((name) => ({ action: `dynamodb:${operation}`, resource: `${table(name)}${index}` }));
}
