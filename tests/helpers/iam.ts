/**
 * What IAM policies allow, by the published rules: an explicit deny, else an allow, else nothing. Knows the condition
 * operators that the project's policies use; any other one is an error.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Resources } from './cloudformation.ts';

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  /** In place of `Resource`: all but these. */
  readonly NotResource?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface IamRequest {
  /** `dynamodb:GetItem` */
  readonly action: string;
  /** ARN, or `*` for an action that knows no resource. */
  readonly resource: string;
  /** Condition keys and their values; a key that is not here is not in the request. */
  readonly context?: Readonly<Record<string, string>>;
}

/** The text or texts that a value of a template means: `{ Ref: … }` → a name or an ARN. */
export type Resolve = (value: unknown) => string[];

const ACCOUNT = '123456789012';
const REGION = 'us-east-1';
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
};

/** True when the statements together allow the request. */
export function isAllowed(
  statements: readonly PolicyStatement[],
  request: IamRequest,
  resolve: Resolve = plainTexts,
): boolean {
  const matching = statements.filter((statement) => matches(statement, request, resolve));
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow');
}

function matches(
  { Action, Resource, NotResource, Condition = {} }: PolicyStatement,
  request: IamRequest,
  resolve: Resolve,
): boolean {
  const isOneOf = (resources: unknown): boolean =>
    [resources]
      .flat()
      .flatMap(resolve)
      .some((pattern) => like(pattern, request.resource));
  return (
    [Action].flat().some((pattern) => like(pattern.toLowerCase(), request.action.toLowerCase())) &&
    (NotResource === undefined ? isOneOf(Resource) : !isOneOf(NotResource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) =>
        holds(operator, [wanted].flat().flatMap(resolve), request.context?.[key]),
      ),
    )
  );
}

function holds(operator: string, wanted: readonly string[], value: string | undefined): boolean {
  switch (operator) {
    case 'StringEquals':
      return value !== undefined && wanted.includes(value);
    case 'ArnLike':
      return value !== undefined && wanted.some((pattern) => like(pattern, value));
    case 'ForAllValues:StringEquals':
      return value === undefined || wanted.includes(value);
    case 'ForAllValues:StringLike':
      return value === undefined || wanted.some((pattern) => like(pattern, value));
    case 'Null':
      return wanted.includes(String(value === undefined));
    case 'NumericLessThanEquals':
      return value !== undefined && wanted.some((limit) => Number(value) <= Number(limit));
    default:
      throw new Error(`the condition operator ${operator} is not known here`);
  }
}

/** `*` is any text and `?` any character. */
function like(pattern: string, text: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(text);
}

function plainTexts(value: unknown): string[] {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new Error(`${JSON.stringify(value)} is no plain text`);
  }
  return [String(value)];
}

/** Fills in `${AWS::Partition}` and the like, and what else is given. @throws Error for a name that is not known. */
export function substitute(text: string, values: Readonly<Record<string, string>> = {}): string {
  return text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
    const value = values[name] ?? PSEUDO[name];
    if (value === undefined) throw new Error(`${name} in '${text}' is not known here`);
    return value;
  });
}

/** ARN by type of resource, from its name. */
const ARNS: Readonly<Record<string, (properties: Readonly<Record<string, unknown>>) => string>> = {
  'AWS::DynamoDB::Table': ({ TableName }) => arn('dynamodb', `table/${String(TableName)}`),
  'AWS::SQS::Queue': ({ QueueName }) => arn('sqs', String(QueueName)),
  // Ours has a name; that of the packager has none before it is made.
  'AWS::S3::Bucket': ({ BucketName }) =>
    `arn:aws:s3:::${substitute((BucketName as { 'Fn::Sub'?: string } | undefined)?.['Fn::Sub'] ?? '', {})}`,
  // As CloudFormation returns it.
  'AWS::Logs::LogGroup': ({ LogGroupName }) => arn('logs', `log-group:${String(LogGroupName)}:*`),
};

/** The ARN of a resource in the account and region that templates are evaluated for here. */
export const arn = (service: string, resource: string): string =>
  `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** Resolves the functions that the roles of a packaged template use. */
export function resolverOf(resources: Resources): Resolve {
  const arnOf = (id: string): string => {
    const { Type = '', Properties = {} } = resources[id] ?? {};
    const make = ARNS[Type];
    if (make === undefined) throw new Error(`the ARN of ${id} (${Type}) is not known here`);
    return make(Properties);
  };
  const names = Object.fromEntries(
    Object.entries(resources).flatMap(([id, { Type }]) => (Type in ARNS ? [[`${id}.Arn`, arnOf(id)]] : [])),
  );
  // Ids that a service gives.
  for (const [id, { Type }] of Object.entries(resources)) {
    if (Type === 'AWS::CloudFront::Distribution') names[id] = `E${id.toUpperCase()}12345`;
    if (Type === 'AWS::RDS::DBCluster') names[`${id}.DBClusterResourceId`] = 'cluster-ABCDEFGHIJKL';
  }
  return (value) => {
    if (typeof value === 'object' && value !== null) {
      if ('Fn::GetAtt' in value) return [arnOf((value['Fn::GetAtt'] as string[])[0] ?? '')];
      if ('Fn::Sub' in value) return [substitute(value['Fn::Sub'] as string, names)];
    }
    return plainTexts(value);
  };
}

/** What the provider of the DNS commands and of the monitor asks Route 53, as IAM names it. */
export function route53Actions(): string[] {
  const folder = path.join(import.meta.dirname, '../../dns/providers/route53');
  const source = fs.readdirSync(folder).map((name) => fs.readFileSync(path.join(folder, name), 'utf8'));
  const made = source.join('\n').matchAll(/new ([A-Z]\w+)Command\(/g);
  return [...new Set(Array.from(made, ([, name = '']) => `route53:${name}`))];
}
