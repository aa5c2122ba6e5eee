/** What each feature flag adds to the AWS stack, and that a mistaken one is not overlooked. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { conflictKeptMs } from '@tandem-clouds/replication/bounds';
import { pageHeaders } from '@tandem-clouds/storefront/build/page';
import { placesOf } from '../../dns/monitor/capacity/places.ts';
import {
  type AwsFeature,
  awsFeatures,
  awsParams,
  awsTemplate,
} from '../../scripts/lint-infra/aws-template.ts';
import {
  made,
  ofType,
  packagedEach,
  type Policy,
  type Resources,
  type Service,
  type Stack,
} from '../helpers/cloudformation.ts';
import { isAllowed, resolverOf } from '../helpers/iam.ts';

const entities = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../../infra/entities.json'), 'utf8'),
) as readonly { readonly content: boolean; readonly function: string }[];
/** What is left to functions without warm instances, and one for each entity and for items. */
const LEAST = 100 + entities.length + 1;

/** Each with what is said when its packaging ends. */
const REFUSED: [string, string[], ...string[]][] = [
  [
    'a name that is misspelt, a value that is neither, a firewall without CloudFront and a domain without its zone',
    [
      ...['operatorKey=abc', 'features.wfa=true', 'features.tracing=yes', 'features.waf=true'],
      ...['features.customDomain=true', 'domain=api.example.com'],
    ],
    'did you mean operatorKeys?',
    'did you mean features.waf?',
    "tracing is true or false, not 'yes'",
    'waf needs cdn',
    'hostedZoneId',
  ],
  ['a page that is no origin', ['objectsOrigins=app.example.com'], "objectsOrigins has 'app.example.com'"],
  [
    'a name of the shop without the shop and its certificate',
    ['storefrontDomain=shop.example.com'],
    'storefrontDomain and storefrontCertificateArn need the feature storefront',
    'storefrontDomain needs --param "storefrontCertificateArn=…", of a certificate in us-east-1',
  ],
  [
    'a certificate of the shop in another region, and no name',
    [
      'features.storefront=true',
      'storefrontCertificateArn=arn:aws:acm:eu-west-1:123456789012:certificate/0b3a',
    ],
    'storefrontCertificateArn needs --param "storefrontDomain=…"',
    "in us-east-1, not 'arn:aws:acm:eu-west-1:123456789012:certificate/0b3a'",
  ],
  [
    'a budget that is no amount',
    ['features.budget=true', 'budgetAmount=1,5'],
    "budgetAmount is an amount above 0 in USD, such as 50, not '1,5'",
  ],
  [
    'an archive that is older than what says who was erased',
    ['features.backup=true', 'backupWeeklyDays=400'],
    "backupWeeklyDays is a number of days from 1 to 365, not '400'",
  ],
  ['warm without a concurrency', ['features.warm=true'], `accountConcurrency=…" of at least ${LEAST}`],
  [
    'warm in a new account',
    ['features.warm=true', 'accountConcurrency=10'],
    'it is 10, so have the quota raised',
  ],
  ['warm with one too few', ['features.warm=true', `accountConcurrency=${LEAST - 1}`], `it is ${LEAST - 1}`],
  [
    'more of what is not warm',
    ['features.monitor=true', 'hostedZoneId=Z1', 'features.raiseCapacity=true'],
    'raiseCapacity needs warm',
  ],
  [
    'central logs without a place',
    ['features.centralLogs=true'],
    'centralLogs needs --param "centralLogsTo=…"',
  ],
  ['more without a monitor', ['features.raiseCapacity=true'], 'raiseCapacity needs monitor'],
  ['warm with no number', ['features.warm=true', 'accountConcurrency=many'], 'it is many'],
];
const SHOP_CERTIFICATE = 'arn:aws:acm:us-east-1:123456789012:certificate/0b3a';
const SHOP_NAME = [
  'features.storefront=true',
  'storefrontDomain=shop.example.com',
  `storefrontCertificateArn=${SHOP_CERTIFICATE}`,
];
const ENOUGH = ['features.warm=true', `accountConcurrency=${LEAST}`];

let alone: Resources;
let withPeers: Resources;
let withAll: Resources;
let service: Service;
let withEach: ReadonlyMap<string, Stack | Error>;
let refused: ReadonlyMap<string, Stack | Error>;
let withEnough: Resources;
let withoutObjects: Resources;
let withShopName: Resources;

beforeAll(async () => {
  const variants = [[], awsParams([])];
  const single = awsFeatures.map((flag) => awsParams([flag]));
  const results = await packagedEach([
    ...variants,
    ...single,
    ...REFUSED.map(([, params]) => params),
    ENOUGH,
    [...awsParams([]), 'features.objects=false'],
    SHOP_NAME,
    // Last, after what was refused: nothing of it may be left.
    awsParams(awsFeatures),
  ]);
  const next = (): Stack | Error => results.shift() ?? new Error('it was not packaged');
  ({ resources: alone, service } = made(next()));
  withPeers = made(next()).resources;
  withEach = new Map(awsFeatures.map((flag) => [flag, next()]));
  refused = new Map(REFUSED.map(([title]) => [title, next()]));
  withEnough = made(next()).resources;
  withoutObjects = made(next()).resources;
  withShopName = made(next()).resources;
  withAll = made(next()).resources;
});

/** Without the time at which it was made. */
const timeless = (resources: Resources): string =>
  JSON.stringify(resources).replaceAll(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'when');

test('a template that is packaged after others, in one process, is the one that is packaged alone', async () => {
  const { template } = await awsTemplate(awsParams(awsFeatures));
  const { Resources: one } = JSON.parse(template) as { Resources: Resources };
  // In whatever order they were made: the packages of functions are built side by side.
  expect(JSON.parse(timeless(withAll))).toEqual(JSON.parse(timeless(one)));
});

describe('features of the AWS stack', () => {
  const NETWORK = [
    ...[
      'Vpc',
      'PublicSubnet',
      'PrivateSubnetA',
      'PrivateSubnetB',
      'InternetGateway',
      'NatAddress',
      'NatGateway',
    ],
    ...['InternetGatewayAttachment', 'PublicRoutes', 'PublicRoute', 'PublicSubnetRoutes', 'PrivateRoutes'],
    ...['PrivateRoute', 'PrivateSubnetARoutes', 'PrivateSubnetBRoutes', 'FunctionSecurityGroup'],
    ...['EndpointSecurityGroup', 'DynamoDbEndpoint', 'SqsEndpoint', 'VpcAccess'],
    // With objects, which are on.
    'S3Endpoint',
  ];
  const WARM = ['items', ...entities.map((entity) => entity.function)].map(
    (name) => `${name.charAt(0).toUpperCase()}${name.slice(1)}ProvConcLambdaAlias`,
  );
  const MONITOR = [
    ...['MonitorRole', 'MonitorLambdaFunction', 'MonitorLogGroup', 'MonitorLambdaEvConf'],
    ...['MonitorEventsRuleSchedule1', 'MonitorLambdaPermissionEventsRuleSchedule1'],
  ];
  const ADDS: Record<AwsFeature, readonly string[]> = {
    backup: [
      'BackupBucket',
      'BackupBucketPolicy',
      'BackupEventsRuleSchedule1',
      'BackupLambdaEvConf',
      'BackupLambdaFunction',
      'BackupLambdaPermissionEventsRuleSchedule1',
      'BackupLogGroup',
      'BackupRole',
      'PeerArchives',
    ],
    centralLogs: ['CentralLogsAccess', 'CentralLogsRole'],
    cdn: ['Cdn', 'CdnCachePolicy', 'CdnHeadersPolicy', 'CdnWake'],
    waf: ['WebAcl', 'Cdn', 'CdnCachePolicy', 'CdnHeadersPolicy', 'CdnWake'],
    network: NETWORK,
    identityProvider: ['UserPool', 'UserPoolClient', 'ReaderGroup', 'WriterGroup'],
    tracing: ['TraceAccess'],
    warm: WARM,
    alarmKey: ['AlarmKey'],
    monitor: MONITOR,
    // Rights and settings of the monitor.
    raiseCapacity: [...MONITOR, ...WARM],
    customDomain: ['Certificate', 'ApiDomain', 'ApiDomainMapping'],
    // On, for an entity has content; what it adds is asked below.
    objects: [],
    storefront: [
      ...['Storefront', 'StorefrontBucket', 'StorefrontBucketPolicy', 'StorefrontAccess'],
      ...['StorefrontCachePolicy', 'StorefrontHeadersPolicy'],
    ],
    budget: ['Budget'],
    // With the network that it needs.
    sql: [
      ...NETWORK,
      ...['SqlCluster', 'SqlEgress', 'SqlInstance', 'SqlSecurityGroup', 'SqlSubnets', 'SqlWake'],
    ],
  };
  const added = (resources: Resources) => Object.keys(resources).filter((id) => !(id in withPeers));

  test('are all off by default, but for objects where an entity has content; and each is tried here', () => {
    const hasContent = entities.some(({ content }) => content);
    expect(service.custom.features).toEqual(
      Object.fromEntries(awsFeatures.map((flag) => [flag, String(flag === 'objects' && hasContent)])),
    );
    expect(added(alone)).toEqual([]);
  });

  test('objects can be turned off, and then nothing of them is made', () => {
    expect(
      Object.keys(withPeers)
        .filter((id) => !(id in withoutObjects))
        .sort(),
    ).toEqual(
      [
        ...['ObjectsBucket', 'ObjectsBucketPolicy', 'ObjectAccess', 'ObjectReads', 'PeerObjects'],
        ...['ObjectsOverdueWarning', 'TransferRole', 'TransferLambdaFunction', 'TransferLogGroup'],
        'TransferEventSourceMappingSQSObjectsQueue',
      ].sort(),
    );
    expect(JSON.stringify(ofType(withoutObjects, 'AWS::IAM::Role'))).not.toContain('ObjectAccess');
  });

  test.each(awsFeatures)('%s adds what it is for and nothing else', (flag) => {
    const { resources } = made(withEach.get(flag));
    const versions = added(resources).filter((id) => resources[id]?.Type === 'AWS::Lambda::Version');
    expect(versions).toHaveLength(flag === 'warm' || flag === 'raiseCapacity' ? entities.length + 1 : 0);
    expect(
      added(resources)
        .filter((id) => !versions.includes(id))
        .sort(),
    ).toEqual([...ADDS[flag]].sort());
  });

  test('reach the functions: network, traces and warm instances', () => {
    for (const [, properties] of ofType(withAll, 'AWS::Lambda::Function')) {
      expect(properties).toMatchObject({
        TracingConfig: { Mode: 'Active' },
        VpcConfig: { SubnetIds: [{ Ref: 'PrivateSubnetA' }, { Ref: 'PrivateSubnetB' }] },
      });
    }
    for (const [, properties] of ofType(alone, 'AWS::Lambda::Function')) {
      expect(properties).not.toHaveProperty('TracingConfig');
      expect(properties).not.toHaveProperty('VpcConfig');
    }
  });

  test('the monitor may change how much of the warm functions is ready, at their alias, and is told which they are', () => {
    const { resources } = made(withEach.get('raiseCapacity'));
    const { Environment } = resources['MonitorLambdaFunction']?.Properties as {
      Environment: { Variables: Record<string, string> };
    };
    const mistakes: string[] = [];
    const places = placesOf(Environment.Variables['TANDEM_CAPACITY'], mistakes);
    expect(mistakes).toEqual([]);
    const { functions = [], alias = '' } = places.get('aws-us-east-1')?.lambda ?? {};
    const names = ofType(resources, 'AWS::Lambda::Function').map(([, { FunctionName }]) => FunctionName);
    expect(functions).toHaveLength(entities.length + 1);
    expect(functions.filter((name) => !names.includes(name))).toEqual([]);
    const aliases = ofType(resources, 'AWS::Lambda::Alias').map(([, { Name }]) => Name);
    expect(new Set(aliases)).toEqual(new Set([alias]));
    const { Policies } = resources['MonitorRole']?.Properties as { Policies: Policy[] };
    const statements = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    const may = (name: string): boolean =>
      isAllowed(
        statements,
        {
          action: 'lambda:PutProvisionedConcurrencyConfig',
          resource: `arn:aws:lambda:us-east-1:123456789012:function:${name}`,
        },
        resolverOf(resources),
      );
    expect(functions.map((name) => may(`${name}:${alias}`))).toEqual(functions.map(() => true));
    expect([may(`${functions[0]}`), may(`tandem-prod-forward:${alias}`)]).toEqual([false, false]);
    expect(JSON.stringify(made(withEach.get('monitor')).resources['MonitorRole'])).not.toContain(
      'lambda:Put',
    );
  });

  test('every function sends its log as one role, which AWS vouches for and which may nothing else', () => {
    const { resources } = made(withEach.get('centralLogs'));
    const role = 'arn:aws:iam::123456789012:role/tandem-central-logs-us-east-1';
    const access = resources['CentralLogsAccess']?.Properties as unknown as Policy;
    const may = (action: string, resource: string): boolean =>
      isAllowed(access.PolicyDocument.Statement, { action, resource }, resolverOf(resources));
    expect([may('sts:AssumeRole', role), may('sts:AssumeRole', `${role}-2`)]).toEqual([true, false]);
    const functions = ofType(resources, 'AWS::IAM::Role').filter(([id]) => id !== 'CentralLogsRole');
    for (const [id, { ManagedPolicyArns }] of functions)
      expect([id, ManagedPolicyArns]).toEqual([id, expect.arrayContaining([{ Ref: 'CentralLogsAccess' }])]);
    for (const [, { Environment }] of ofType(resources, 'AWS::Lambda::Function')) {
      const { Variables } = Environment as { Variables: Record<string, unknown> };
      expect(Variables['TANDEM_CENTRAL_LOGS']).toContain('"rule":"dcr-');
      expect(resolverOf(resources)(Variables['TANDEM_CENTRAL_LOGS_ROLE'])).toEqual([role]);
    }
    const { Policies, RoleName } = resources['CentralLogsRole']?.Properties as {
      Policies: Policy[];
      RoleName: string;
    };
    expect(RoleName).toBe('tandem-central-logs-us-east-1');
    expect(Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)).toEqual([
      expect.objectContaining({ Action: 'sts:GetWebIdentityToken' }),
    ]);
  });

  test('the budget is of this site alone, and whoever gets alarms gets its notices, also by a key of their own', () => {
    const { resources } = made(withEach.get('budget'));
    expect(resources['Budget']?.Properties).toMatchObject({
      Budget: {
        BudgetLimit: { Amount: 50, Unit: 'USD' },
        CostFilters: { TagKeyValue: [{ 'Fn::Join': ['', ['user:site$', 'aws-us-east-1']] }] },
      },
    });
    const { NotificationsWithSubscribers: notices } = resources['Budget']?.Properties as {
      NotificationsWithSubscribers: { Notification: Record<string, unknown>; Subscribers: unknown[] }[];
    };
    expect(
      notices.map(({ Notification, Subscribers }) => [
        Notification['NotificationType'],
        Notification['Threshold'],
        Subscribers,
      ]),
    ).toEqual(
      [
        ['ACTUAL', 80],
        ['ACTUAL', 100],
        ['FORECASTED', 100],
      ].map((notice) => [...notice, [{ SubscriptionType: 'SNS', Address: { Ref: 'AlarmTopic' } }]]),
    );
    const senders = (all: Resources, id: string) => JSON.stringify(all[id]?.Properties);
    expect(senders(resources, 'AlarmTopicPolicy')).toContain('budgets.amazonaws.com');
    expect(senders(withAll, 'AlarmKey')).toContain('budgets.amazonaws.com');
    expect(senders(alone, 'AlarmTopicPolicy')).not.toContain('budgets.amazonaws.com');
  });

  test('the database takes functions alone, by their role, and no password is in the template', () => {
    const { resources } = made(withEach.get('sql'));
    expect(resources['SqlCluster']?.Properties).toMatchObject({
      EnableIAMDatabaseAuthentication: true,
      ManageMasterUserPassword: true,
      StorageEncrypted: true,
    });
    expect(resources['SqlInstance']?.Properties).toMatchObject({ PubliclyAccessible: false });
    const connecting = ofType(resources, 'AWS::IAM::Role').filter(([, properties]) =>
      JSON.stringify(properties).includes('rds-db:connect'),
    );
    expect(connecting.map(([id]) => id).sort()).toEqual(['ReactRole', 'TransferRole']);
    expect(JSON.stringify(resources['ReactLambdaFunction']?.Properties)).toContain(
      'SqlCluster.Endpoint.Address',
    );
    expect(JSON.stringify(withPeers)).not.toContain('rds-db:connect');
  });

  test('the cache is invalidated by tags, by the function that reacts alone, which writers of what it keeps wake', () => {
    const { resources } = made(withEach.get('cdn'));
    expect(resources['Cdn']?.Properties).toMatchObject({
      DistributionConfig: { CacheTagConfig: { HeaderName: 'Cache-Tag' } },
    });
    const purging = ofType(resources, 'AWS::IAM::Role').filter(([, properties]) =>
      JSON.stringify(properties).includes('cloudfront:CreateInvalidation'),
    );
    expect(purging.map(([id]) => id)).toEqual(['ReactRole']);
    expect(JSON.stringify(purging)).toContain('distribution/${Cdn}');
    expect(resources['CdnWake']?.Properties).toMatchObject({ Roles: [{ Ref: 'ProductsRole' }] });
    expect(JSON.stringify(resources['ReactLambdaFunction']?.Properties)).toContain(
      '"TANDEM_CDN_DISTRIBUTION":{"Ref":"Cdn"}',
    );
    expect(JSON.stringify(withPeers)).not.toContain('CreateInvalidation');
  });

  test('the network allows every call to the table, the queues and the bucket that a role allows', () => {
    const statementsOf = (id: string) =>
      (withAll[id]?.Properties as unknown as Policy).PolicyDocument.Statement;
    const allowed = ['DynamoDbEndpoint', 'S3Endpoint', 'SqsEndpoint'].flatMap((id) =>
      statementsOf(id).flatMap(({ Action }) => Action),
    );
    const used = ofType(withAll, 'AWS::IAM::Role')
      .flatMap(([, { Policies }]) => Policies as Policy[])
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .concat(statementsOf('ObjectAccess'))
      .flatMap(({ Action }) => Action)
      .filter((action) => /^(dynamodb|sqs|s3):/.test(action));
    expect([...new Set(used)].sort()).toEqual(allowed.toSorted());
    // Every queue of the stack, or its functions would wait for an answer that does not come.
    const queues = ofType(withAll, 'AWS::SQS::Queue').map(([id]) => ({ 'Fn::GetAtt': [id, 'Arn'] }));
    expect(statementsOf('SqsEndpoint')[0]?.Resource).toEqual(expect.arrayContaining(queues));
  });

  test('CloudFront keeps what the handlers allow, no errors, and nothing of one caller for another', () => {
    const policy = withAll['CdnCachePolicy']?.Properties as {
      CachePolicyConfig: {
        DefaultTTL: number;
        ParametersInCacheKeyAndForwardedToOrigin: { HeadersConfig: { Headers: string[] } };
      };
    };
    const { DefaultTTL, ParametersInCacheKeyAndForwardedToOrigin } = policy.CachePolicyConfig;
    expect(DefaultTTL).toBe(0);
    expect(ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers).toEqual(
      expect.arrayContaining(['Authorization', 'X-Tandem-Session']),
    );
    const cdn = withAll['Cdn']?.Properties as {
      DistributionConfig: { CustomErrorResponses: { ErrorCode: number; ErrorCachingMinTTL: number }[] };
    };
    const kept = cdn.DistributionConfig.CustomErrorResponses;
    // Those that CloudFront keeps by itself.
    expect(kept.map(({ ErrorCode }) => ErrorCode)).toEqual([
      400, 403, 404, 405, 414, 500, 501, 502, 503, 504,
    ]);
    for (const { ErrorCachingMinTTL } of kept) expect(ErrorCachingMinTTL).toBe(0);
  });

  test('a name of its own takes TLS 1.3 only where that can be demanded: at CloudFront, not at an HTTP API', () => {
    expect(withAll['Cdn']?.Properties).toMatchObject({
      DistributionConfig: { ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.3_2025' } },
    });
    expect(withAll['ApiDomain']?.Properties).toMatchObject({
      DomainNameConfigurations: [expect.objectContaining({ SecurityPolicy: 'TLS_1_2' })],
    });
  });

  test('objects are closed to the public, encrypted, by TLS only, with versions, and the place is known to functions', () => {
    const bucket = withAll['ObjectsBucket']?.Properties;
    expect(bucket).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      VersioningConfiguration: { Status: 'Enabled' },
    });
    const { Rules } = bucket?.['LifecycleConfiguration'] as { Rules: Record<string, unknown>[] };
    expect(Rules).toMatchObject([
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
      { Transitions: [{ StorageClass: 'INTELLIGENT_TIERING', TransitionInDays: 30 }] },
      { ExpiredObjectDeleteMarker: true },
    ]);
    // Whether an upload is anybody's is in the records: no rule removes one.
    expect(JSON.stringify(Rules)).not.toMatch(/"ExpirationInDays"|"ExpirationDate"/);
    // As long as a conflict can be reviewed.
    const { NoncurrentDays } = Rules[2]?.['NoncurrentVersionExpiration'] as { NoncurrentDays: number };
    expect(NoncurrentDays * 86_400_000).toBeGreaterThan(conflictKeptMs);
    const { Statement } = (withAll['ObjectsBucketPolicy']?.Properties as unknown as Policy).PolicyDocument;
    expect(Statement).toMatchObject([
      { Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      { Effect: 'Deny', Principal: '*', Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } },
    ]);
    const placeIn = (resources: Resources): unknown[] => [
      ...new Set(
        ofType(resources, 'AWS::Lambda::Function').map(([, { Environment }]) =>
          JSON.stringify(
            (Environment as { Variables: Record<string, unknown> }).Variables['TANDEM_OBJECTS_BUCKET'],
          ),
        ),
      ),
    ];
    expect(placeIn(withAll)).toEqual(['{"Ref":"ObjectsBucket"}']);
    expect(bucket?.['CorsConfiguration']).toMatchObject({
      CorsRules: [{ AllowedOrigins: ['*'], AllowedMethods: ['GET', 'HEAD', 'PUT'] }],
    });
  });

  test('what is removed of objects is reported to their queue, from their bucket alone', () => {
    const { Statement } = (withAll['ObjectsQueuePolicy']?.Properties as unknown as Policy).PolicyDocument;
    const name = 'tandem-objects-${AWS::AccountId}-${AWS::Region}';
    expect(Statement.filter(({ Effect }) => Effect === 'Allow')).toMatchObject([
      {
        Principal: { Service: 's3.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Condition: {
          ArnEquals: { 'aws:SourceArn': { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::${name}` } },
          StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        },
      },
    ]);
    expect(withAll['ObjectsBucket']?.Properties).toMatchObject({
      BucketName: { 'Fn::Sub': name },
      NotificationConfiguration: {
        QueueConfigurations: [
          { Event: 's3:ObjectRemoved:*', Queue: { 'Fn::GetAtt': ['ObjectsQueue', 'Arn'] } },
        ],
      },
    });
  });

  test('the firewall stands before CloudFront', () => {
    for (const id of ['Cdn', 'Storefront'])
      expect(withAll[id]?.Properties).toMatchObject({
        DistributionConfig: { WebACLId: { 'Fn::GetAtt': ['WebAcl', 'Arn'] } },
      });
  });

  test('the shop is in a bucket that its own distribution alone reads, encrypted, by TLS only, with versions', () => {
    expect(withAll['StorefrontBucket']?.Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      VersioningConfiguration: { Status: 'Enabled' },
    });
    const { Statement } = (withAll['StorefrontBucketPolicy']?.Properties as unknown as Policy).PolicyDocument;
    expect(Statement).toMatchObject([
      {
        Effect: 'Allow',
        Principal: { Service: 'cloudfront.amazonaws.com' },
        Action: 's3:GetObject',
        Condition: {
          StringEquals: {
            'AWS:SourceArn': {
              'Fn::Sub': 'arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Storefront}',
            },
          },
        },
      },
      { Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      { Effect: 'Deny', Principal: '*', Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } },
    ]);
    expect(withAll['Storefront']?.Properties).toMatchObject({
      DistributionConfig: {
        DefaultRootObject: 'index.html',
        Aliases: [],
        DefaultCacheBehavior: {
          AllowedMethods: ['GET', 'HEAD'],
          Compress: true,
          ViewerProtocolPolicy: 'redirect-to-https',
          CachePolicyId: { Ref: 'StorefrontCachePolicy' },
        },
        Origins: [{ OriginAccessControlId: { 'Fn::GetAtt': ['StorefrontAccess', 'Id'] } }],
      },
    });
    // The page says `no-cache`, and a minimum would keep it all the same.
    expect(withAll['StorefrontCachePolicy']?.Properties).toMatchObject({
      CachePolicyConfig: { MinTTL: 0, DefaultTTL: 0, MaxTTL: 31_536_000 },
    });
  });

  test('the headers of the shop are those of the edge on this machine; where the sites are, its page says', () => {
    const { ResponseHeadersPolicyConfig: config } = withAll['StorefrontHeadersPolicy']?.Properties as {
      ResponseHeadersPolicyConfig: {
        SecurityHeadersConfig: Record<string, Record<string, unknown>>;
        CustomHeadersConfig: { Items: { Header: string; Value: string }[] };
      };
    };
    const sites = [{ name: 'a', url: 'https://a.example' }];
    const here = pageHeaders({ sites, pictures: [], payments: 'stripe' });
    const { ContentSecurityPolicy, ContentTypeOptions, ReferrerPolicy, StrictTransportSecurity } =
      config.SecurityHeadersConfig;
    const rules = (policy: unknown): string[] => String(policy).split('; ').sort();
    expect(rules(ContentSecurityPolicy?.['ContentSecurityPolicy'])).toEqual(
      rules(here['content-security-policy']?.replaceAll('https://a.example', 'https:')),
    );
    expect(ContentTypeOptions).toEqual({ Override: true });
    expect(ReferrerPolicy?.['ReferrerPolicy']).toBe(here['referrer-policy']);
    expect(StrictTransportSecurity).toMatchObject({ AccessControlMaxAgeSec: 31_536_000 });
    expect(config.CustomHeadersConfig.Items).toMatchObject([
      { Header: 'Cross-Origin-Opener-Policy', Value: here['cross-origin-opener-policy'] },
    ]);
  });

  test('the shop may have a name of its own, with a certificate that is there', () => {
    expect(withShopName['Storefront']?.Properties).toMatchObject({
      DistributionConfig: {
        Aliases: ['shop.example.com'],
        ViewerCertificate: {
          AcmCertificateArn: SHOP_CERTIFICATE,
          MinimumProtocolVersion: 'TLSv1.3_2025',
        },
      },
    });
  });

  // Of each its own is asked in tests/unit/serverless-parameters.test.ts.
  test.each(REFUSED)('%s ends the packaging', (title, _, ...messages) => {
    const error = refused.get(title);
    const said = error instanceof Error ? error.message : 'it was packaged';
    for (const message of messages) expect(said).toContain(message);
  });

  test('warm takes an account that has just enough', () => {
    expect(Object.keys(withEnough)).toEqual(expect.arrayContaining([...ADDS.warm]));
  });
});
