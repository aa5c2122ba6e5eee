/** What protects the AWS stack, as it is packaged: permissions, encryption, logs, throttling, tags. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { awsFeatures, awsParams } from '../../scripts/lint-infra/aws-template.ts';
import {
  ofType,
  packaged,
  packagedVariants,
  type Policy,
  type Resources,
  type Service,
} from '../helpers/cloudformation.ts';
import { isAllowed, type PolicyStatement, resolverOf, route53Actions, substitute } from '../helpers/iam.ts';

let alone: Resources;
let withPeers: Resources;
let withAll: Resources;
let service: Service;

beforeAll(async () => {
  ({ alone, withPeers, withAll, service } = await packagedVariants());
});

describe('the AWS stack', () => {
  /** Statements that have to name everything, and why: by policy and Sid. */
  const REASONED = [
    // Traces have no names.
    'TraceAccess Traces',
    // Network interfaces get theirs when they are made; the code may not use the permission.
    'VpcAccess Interfaces',
    'VpcAccess Describe',
    // What secrets there are is the owner's business (infra/aws/secrets.cjs).
    'ReactRole Secrets',
    'TransferRole Secrets',
    'TransferRole Objects',
    // Health checks and changes belong to no zone, and have no names before they are made.
    'MonitorRole EachHealthCheck',
    'MonitorRole Changes',
    'MonitorRole HealthChecks',
    // What AWS vouches with has none either; what bounds it is whom the token is made out to.
    'CentralLogsRole Entra',
    // What the account leaves has no name.
    'MonitorRole Concurrency',
    // Keys are chosen when objects are written.
    'ObjectAccess Objects',
    'ObjectReads Objects',
    'PeerObjects Objects',
    // So are names in archives.
    'PeerArchives Archives',
  ];

  test('no role may do or reach more than it names, whatever features are on', () => {
    const found = [alone, withPeers, withAll].flatMap((resources) => {
      const inline = ofType(resources, 'AWS::IAM::Role').flatMap(([id, { Policies }]) =>
        (Policies as Policy[]).map((policy) => [id, policy] as const),
      );
      const attached = ofType(resources, 'AWS::IAM::ManagedPolicy').map(
        ([id, policy]) => [id, policy as unknown as Policy] as const,
      );
      return [...inline, ...attached].flatMap(([id, { PolicyDocument }]) =>
        PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow')
          .filter(({ Action, Resource }) => JSON.stringify([Action, Resource]).includes('*'))
          .map(({ Sid }) => `${id} ${Sid ?? ''}`),
      );
    });
    expect([...new Set(found)].sort()).toEqual([...REASONED].sort());
  });

  test('no role may do more than the boundary that the pipeline gives every role', async () => {
    const arn = 'arn:aws:iam::123456789012:policy/boundary-of-tandem';
    const federation = [
      'federation=azure',
      'azureTenantId=t',
      'azureAudience=api://a',
      'azurePrincipalIds=["p"]',
    ];
    const { resources } = await packaged([
      ...awsParams(awsFeatures),
      ...federation,
      `permissionsBoundary=${arn}`,
    ]);
    const roles = ofType(resources, 'AWS::IAM::Role');
    expect(roles.map(([id, { PermissionsBoundary }]) => [id, PermissionsBoundary])).toEqual(
      roles.map(([id]) => [id, arn]),
    );
    const boundary = (
      parse(fs.readFileSync(path.join(import.meta.dirname, '../../infra/aws/github-oidc.yml'), 'utf8'), {
        logLevel: 'silent',
      }) as { Resources: { FunctionBoundary: { Properties: Policy } } }
    ).Resources.FunctionBoundary.Properties.PolicyDocument.Statement;
    const texts = (value: unknown): string[] => [substitute(String(value), { Service: 'tandem' })];
    const resolve = resolverOf(resources);
    const statements = [
      ...roles.flatMap(([, { Policies }]) => (Policies as Policy[]).map((policy) => policy.PolicyDocument)),
      ...ofType(resources, 'AWS::IAM::ManagedPolicy').map(
        ([, { PolicyDocument }]) => PolicyDocument as Policy['PolicyDocument'],
      ),
    ].flatMap(({ Statement }) => Statement.filter(({ Effect }) => Effect === 'Allow'));
    const context = { 'sts:IdentityTokenAudience': 'api://AzureADTokenExchange' };
    const beyond = statements.flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) =>
        [Resource]
          .flat()
          .flatMap(resolve)
          .filter((resource) => !isAllowed(boundary, { action, resource, context }, texts))
          .map((resource) => `${action} ${resource}`),
      ),
    );
    expect(statements.length).toBeGreaterThan(30);
    expect(beyond).toEqual([]);
    // And it gives nobody a right over rights.
    for (const action of ['iam:CreateRole', 'iam:PassRole', 'sts:AssumeRole', 's3:GetObject'])
      expect(isAllowed(boundary, { action, resource: '*', context }, texts)).toBe(false);
  });

  test('with a sender of SMS the function that reacts, and no other, may send to phones, and to no topic', async () => {
    const { resources } = await packaged(['smsFrom=Tandem', 'smsName=A shop']);
    const roles = ofType(resources, 'AWS::IAM::Role');
    const statementsOf = (Policies: unknown): PolicyStatement[] =>
      (Policies as Policy[]).flatMap(({ PolicyDocument }) => [...PolicyDocument.Statement]);
    const may = (Policies: unknown, action: string, resource: string): boolean =>
      isAllowed(statementsOf(Policies), { action, resource }, resolverOf(resources));
    const senders = roles.filter(([, { Policies }]) => may(Policies, 'sns:Publish', '+15005550006'));
    expect(senders.map(([id]) => id)).toEqual(['ReactRole']);
    const topic = 'arn:aws:sns:us-east-1:123456789012:alarms';
    for (const [, { Policies }] of roles) expect(may(Policies, 'sns:Publish', topic)).toBe(false);
    const without = ofType(alone, 'AWS::IAM::Role').flatMap(([, { Policies }]) => statementsOf(Policies));
    expect(JSON.stringify(without)).not.toContain('sns:');
  });

  test('the monitor may ask Route 53 whatever its provider asks', () => {
    const { Policies } = withAll['MonitorRole']?.Properties as { Policies: Policy[] };
    const statements = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    const targets = ['hostedzone/Z0123456789ABCDEFGHIJ', 'healthcheck/1', 'change/1'].map(
      (name) => `arn:aws:route53:::${name}`,
    );
    const may = (action: string): boolean =>
      [...targets, '*'].some((resource) => isAllowed(statements, { action, resource }, resolverOf(withAll)));
    expect(route53Actions().filter((action) => !may(action))).toEqual([]);
  });

  test("no role has a policy that is not the stack's own", () => {
    // Of entities with content, and of the function that fetches what other sites have.
    const withObjects = ['ObjectsRole', 'PicturesRole', 'TransferRole'];
    const objects = (id: string): unknown[] => (withObjects.includes(id) ? [{ Ref: 'ObjectAccess' }] : []);
    for (const [id, { ManagedPolicyArns }] of ofType(withAll, 'AWS::IAM::Role')) {
      // It is no function's.
      if (id === 'CentralLogsRole') continue;
      const all = [
        ...['VpcAccess', 'TraceAccess', 'CentralLogsAccess'].map((Ref) => ({ Ref })),
        ...objects(id),
      ];
      expect([id, ManagedPolicyArns]).toEqual([id, all]);
    }
    for (const [id, { ManagedPolicyArns }] of ofType(alone, 'AWS::IAM::Role'))
      expect([id, ManagedPolicyArns]).toEqual([id, objects(id)]);
  });

  test('may send to the queues of a peer in another region, and to no other', () => {
    const sub = (name: string) => [
      { 'Fn::Sub': `arn:\${AWS::Partition}:sqs:eu-west-1:123456789012:${name}` },
    ];
    expect(withPeers['PeerInboxes']?.Properties).toMatchObject({
      Roles: ['ForwardRole', 'SweepRole', 'OperationsRole', 'VerifyRole'].map((Ref) => ({ Ref })),
      PolicyDocument: { Statement: [{ Action: ['sqs:SendMessage'], Resource: sub('tandem-in') }] },
    });
    expect(withPeers['PeerComparisons']?.Properties).toMatchObject({
      // The sweeper sends the packs of a backlog there.
      Roles: ['VerifyRole', 'VerifyHourlyRole', 'SweepRole'].map((Ref) => ({ Ref })),
      PolicyDocument: { Statement: [{ Action: ['sqs:SendMessage'], Resource: sub('tandem-verify') }] },
    });
    expect(alone).not.toHaveProperty('PeerInboxes');
  });

  test('objects are read by whom they are fetched by, at this site and at its peers', async () => {
    const { resources } = await packaged([
      ...awsParams([]),
      ...['federation=azure', 'azureTenantId=t', 'azureAudience=api://a', 'azurePrincipalIds=["p"]'],
    ]);
    const roles = ['TransferRole', 'ObjectsRole', 'PicturesRole'].map((Ref) => ({ Ref }));
    const readers = (id: string, of: unknown) => ({
      Roles: of,
      PolicyDocument: {
        Statement: [{ Action: ['s3:GetObject', 's3:GetObjectVersion'] }, { Sid: 'Names' }],
      },
      id,
    });
    const found = (id: string) => ({ ...resources[id]?.Properties, id });
    expect(found('PeerObjects')).toMatchObject(readers('PeerObjects', roles));
    expect(found('ObjectReads')).toMatchObject(readers('ObjectReads', [{ Ref: 'PeerSender' }]));
    expect(withPeers['ObjectReads']?.Properties).toMatchObject({ Roles: [] });
    expect(resources['VouchForSenders']?.Properties?.['Roles']).toEqual(expect.arrayContaining(roles));
    expect(alone).not.toHaveProperty('PeerObjects');
  });

  test('the table is encrypted, can be restored to any moment, and is paid by use', () => {
    expect(alone['Table']?.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      SSESpecification: { SSEEnabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    });
  });

  test('alarms travel by TLS only, and with alarmKey encrypted by a key that CloudWatch may use', () => {
    const policy = (id: string, key: string) =>
      (withAll[id]?.Properties?.[key] as Policy['PolicyDocument']).Statement;
    expect(policy('AlarmTopicPolicy', 'PolicyDocument')).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Principal: '*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
    expect(alone['AlarmTopic']?.Properties?.['KmsMasterKeyId']).toEqual({ Ref: 'AWS::NoValue' });
    expect(withAll['AlarmTopic']?.Properties?.['KmsMasterKeyId']).toEqual({ Ref: 'AlarmKey' });
    expect(policy('AlarmKey', 'KeyPolicy')).toContainEqual(
      expect.objectContaining({
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      }),
    );
  });

  test('every function and the API keep their logs for a month', () => {
    const kept = new Map(
      ofType(withAll, 'AWS::Logs::LogGroup').map(([, group]) => [
        group['LogGroupName'],
        group['RetentionInDays'],
      ]),
    );
    const functions = ofType(withAll, 'AWS::Lambda::Function').map(([, { FunctionName }]) =>
      String(FunctionName),
    );
    expect(functions.length).toBeGreaterThan(0);
    for (const name of functions) expect([name, kept.get(`/aws/lambda/${name}`)]).toEqual([name, 30]);
    expect(kept.get('/aws/http-api/tandem-prod')).toBe(30);
    expect(kept.size).toBe(functions.length + 1);
  });

  test('the access log tells how a request went and not whose it was', () => {
    const { AccessLogSettings } = alone['HttpApiStage']?.Properties as {
      AccessLogSettings: { Format: string };
    };
    const line = JSON.parse(AccessLogSettings.Format) as Record<string, string>;
    expect(line).toMatchObject({
      requestId: '$context.requestId',
      status: '$context.status',
      latencyMs: '$context.responseLatency',
      integrationStatus: '$context.integration.status',
    });
    expect(AccessLogSettings.Format).not.toMatch(/identity|authorizer|querystring|path\b|header|domainName/i);
  });

  test('the API is throttled, more where a question costs more than a read', () => {
    const few = { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 };
    expect(alone['HttpApiStage']?.Properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 1_000, ThrottlingBurstLimit: 500 },
      RouteSettings: {
        'ANY /replication': few,
        'ANY /health/{proxy+}': few,
        'ANY /replication/{proxy+}': few,
      },
    });
  });

  test('the stack has tags for its costs, which CloudFormation hands on, and no resource has others', () => {
    expect(service.provider.stackTags).toEqual({ app: 'tandem', site: 'aws-us-east-1', stage: 'prod' });
    for (const [id, { Properties }] of Object.entries(withAll))
      expect([id, Properties?.['Tags']]).toEqual([id, undefined]);
  });
});
