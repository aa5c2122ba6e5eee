'use strict';
/**
 * What the flags of `custom.features` change outside their own files in infra/aws/features/, as `custom.added`.
 *
 * Every parameter and flag is checked here before anything else (infra/parameters.cjs).
 */
const { cachedContent, cacheRoles, contentRoles, recordRoles } = require('./entities.cjs');
const { mistakesIn } = require('../parameters.cjs');

/** What a flag needs besides itself: another flag, or values of parameters. */
const NEEDS = {
  waf: { flag: 'cdn' },
  sql: { flag: 'network' },
  customDomain: { values: ['domain', 'hostedZoneId'] },
  raiseCapacity: { flag: 'monitor' },
  centralLogs: { values: ['centralLogsTo'] },
};
/**
 * Provisioned instances are taken out of the account's concurrency, of which AWS keeps 100 for functions that have none:
 * an account with less than this cannot have them, and CloudFormation would find out in the middle of a deployment. Where an
 * account has ten or fifty, all of them are kept ("below its minimum value of [10]", also for provisioned instances).
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 * https://github.com/anomalyco/sst/issues/5829
 */
const UNRESERVED_MIN = 100;
/** Those of the entities, and items. */
const WARM_FUNCTIONS = [...require('../entities.json').map((entity) => entity.function), 'items'];
/** The packager calls the alias so that has provisioned instances. */
const WARM_ALIAS = 'provisioned';
const ARN_OF_POLICY = /^arn:[\w-]+:iam::(\d{12}|aws):policy\/\S+$/;
const ARCHIVE_DAYS_MAX = 365;
const OF_CLOUDFRONT = 'us-east-1';
/** Those that send to peers, or read their objects, and so sign in there (federation.yml). */
const SENDERS = ['ForwardRole', 'SweepRole', 'VerifyRole', 'VerifyHourlyRole', 'OperationsRole'];
/** CloudFront takes certificates of one region. */
const ARN_OF_CERTIFICATE = /^arn:[\w-]+:acm:us-east-1:\d{12}:certificate\/[\w-]+$/;
const ORIGIN = /^(\*|https?:\/\/[\w.*:-]+)$/;

/** What the rule book of both definitions does not know: where CloudFront's parts live. */
function misplaced(features, region) {
  if (region === OF_CLOUDFRONT) return [];
  const has = (flag) => features[flag] === 'true';
  return [
    ...(has('waf') ? [`waf needs the region ${OF_CLOUDFRONT}`] : []),
    ...(has('cdn') && has('customDomain')
      ? [`cdn with customDomain needs the region ${OF_CLOUDFRONT}, where its certificates live`]
      : []),
  ];
}

/** What the account allows is asked of whoever deploys: packaging needs no account. */
function tooLittleConcurrency(features, accountConcurrency) {
  if (features['warm'] !== 'true') return [];
  const least = UNRESERVED_MIN + WARM_FUNCTIONS.length;
  return Number(accountConcurrency) >= least
    ? []
    : [
        `warm needs --param "accountConcurrency=…" of at least ${least}, what the account has in this region: ` +
          'aws lambda get-account-settings --query AccountLimit.ConcurrentExecutions' +
          (accountConcurrency === '' ? '' : `; it is ${accountConcurrency}, so have the quota raised first`),
      ];
}

/** There is nothing to raise without an alias. */
function nothingToRaise(features) {
  return features['raiseCapacity'] === 'true' && features['warm'] !== 'true'
    ? ['raiseCapacity needs warm: what is not warm has no alias that could be given more']
    : [];
}

/** What was erased is named for 400 days (`erasedKeptMs`, packages/replication/src/bounds.ts): no archive may be older than that. */
function archiveTooOld(features, days) {
  const isFine = /^\d+$/.test(days) && Number(days) >= 1 && Number(days) <= ARCHIVE_DAYS_MAX;
  return features['backup'] !== 'true' || isFine
    ? []
    : [`backupWeeklyDays is a number of days from 1 to ${ARCHIVE_DAYS_MAX}, not '${days}'`];
}

/** A budget that is no amount would be refused in the middle of a deployment. */
function noBudget(features, amount) {
  const isAmount = /^\d+(\.\d+)?$/.test(amount) && Number(amount) > 0;
  return features['budget'] !== 'true' || isAmount
    ? []
    : [`budgetAmount is an amount above 0 in USD, such as 50, not '${amount}'`];
}

/** A name without its certificate, or the other way round, would be left out without a word. */
function nameWithoutCertificate(features, domain, certificateArn) {
  if (domain === '' && certificateArn === '') return [];
  return [
    ...(features['storefront'] === 'true'
      ? []
      : ['storefrontDomain and storefrontCertificateArn need the feature storefront']),
    ...(domain === '' ? ['storefrontCertificateArn needs --param "storefrontDomain=…"'] : []),
    ...(ARN_OF_CERTIFICATE.test(certificateArn)
      ? []
      : [
          `storefrontDomain needs --param "storefrontCertificateArn=…", of a certificate in ${OF_CLOUDFRONT}` +
            (certificateArn === '' ? '' : `, not '${certificateArn}'`),
        ]),
  ];
}

/** CloudFront's own name unless the site has one; only a certificate of ours lets us ask for TLS 1.3 (docs/decisions/0067). */
function viewerOf(domain, certificateArn) {
  return domain !== ''
    ? {
        aliases: [domain],
        certificate: {
          AcmCertificateArn: certificateArn,
          SslSupportMethod: 'sni-only',
          MinimumProtocolVersion: 'TLSv1.3_2025',
        },
      }
    : { aliases: [], certificate: { CloudFrontDefaultCertificate: true } };
}

/** What purges the cache in front of this site (docs/caching.md), where there is one. */
function cdnParts(isOn) {
  const none = { Ref: 'AWS::NoValue' };
  const statement = isOn
    ? {
        Sid: 'Cdn',
        Effect: 'Allow',
        Action: 'cloudfront:CreateInvalidation',
        Resource: { 'Fn::Sub': 'arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Cdn}' },
      }
    : none;
  return {
    cdnStatement: statement,
    cdnContentStatement: cachedContent ? statement : none,
    cdnDistribution: isOn ? { Ref: 'Cdn' } : '',
    // Those of the bridge may wake whoever reacts already.
    cdnWakers: cacheRoles.map((Ref) => ({ Ref })),
  };
}

module.exports = async ({ options, resolveConfigurationProperty, resolveVariable }) => {
  const features = await resolveConfigurationProperty(['custom', 'features']);
  const [
    domain,
    hostedZoneId,
    region,
    alarmEmail,
    boundary,
    accountConcurrency,
    origins,
    federation,
    smsFrom,
    sqlUrl,
  ] = await Promise.all(
    [
      'param:domain',
      'param:hostedZoneId',
      'self:provider.region',
      'param:alarmEmail',
      'param:permissionsBoundary',
      'param:accountConcurrency',
      'param:objectsOrigins',
      'param:federation',
      'param:smsFrom',
      'param:sqlUrl',
    ].map(resolveVariable),
  );
  const [storefrontDomain, storefrontCertificateArn] = await Promise.all(
    ['param:storefrontDomain', 'param:storefrontCertificateArn'].map(resolveVariable),
  );
  const [site, service, stage] = await Promise.all(
    ['param:site', 'self:service', 'self:provider.stage'].map(resolveVariable),
  );
  const warmFunctions = WARM_FUNCTIONS.map((name) => `${service}-${stage}-${name}`);
  const [centralLogsTo, prefix] = await Promise.all(
    ['param:centralLogsTo', 'param:prefix'].map(resolveVariable),
  );
  const centralLogsRoleName = `${prefix}-central-logs-${region}`;
  const values = { domain, hostedZoneId, centralLogsTo };
  const objectsOrigins = origins.split(',').map((origin) => origin.trim());
  const mistakes = [
    ...mistakesIn({
      params: await resolveConfigurationProperty(['params']),
      features,
      requested: options.param ?? [],
      needs: NEEDS,
      valueOf: (name) => values[name],
    }),
    ...misplaced(features, region),
    ...tooLittleConcurrency(features, String(accountConcurrency)),
    ...nothingToRaise(features),
    ...archiveTooOld(features, String(await resolveVariable('param:backupWeeklyDays'))),
    ...noBudget(features, String(await resolveVariable('param:budgetAmount'))),
    ...nameWithoutCertificate(features, storefrontDomain, storefrontCertificateArn),
    ...(boundary === '' || ARN_OF_POLICY.test(boundary)
      ? []
      : [`permissionsBoundary is the ARN of a policy, not '${boundary}'`]),
    ...objectsOrigins
      .filter((origin) => !ORIGIN.test(origin))
      .map(
        (origin) =>
          `objectsOrigins has '${origin}', which is no origin such as https://app.example.com, and not *`,
      ),
  ];
  if (mistakes.length > 0) {
    const error = new Error(mistakes.join('; '));
    // The packager prints a stack instead of the message where there is one.
    error.stack = undefined;
    throw error;
  }
  const has = (flag) => features[flag] === 'true';
  // Attached to every function's role.
  const managedPolicies = [
    ...(has('network') ? [{ Ref: 'VpcAccess' }] : []),
    ...(has('tracing') ? [{ Ref: 'TraceAccess' }] : []),
    ...(has('centralLogs') ? [{ Ref: 'CentralLogsAccess' }] : []),
  ];
  const senders = [
    ...SENDERS,
    ...(has('objects') ? ['TransferRole', ...contentRoles] : []),
    ...(has('backup') ? ['BackupRole'] : []),
  ];
  const peerReaders = federation === 'none' ? [] : [{ Ref: 'PeerSender' }];
  return {
    alarmSubscriptions: alarmEmail === '' ? [] : [{ Protocol: 'email', Endpoint: alarmEmail }],
    alarmKey: has('alarmKey') ? { Ref: 'AlarmKey' } : { Ref: 'AWS::NoValue' },
    // Services that send what a person is to know.
    alarmSenders: has('budget')
      ? ['cloudwatch.amazonaws.com', 'budgets.amazonaws.com']
      : 'cloudwatch.amazonaws.com',
    budgetKeyStatement: has('budget')
      ? {
          Sid: 'Budgets',
          Effect: 'Allow',
          Principal: { Service: 'budgets.amazonaws.com' },
          Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
          Resource: '*',
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        }
      : { Ref: 'AWS::NoValue' },
    tracing: has('tracing'),
    // Instances that are kept warm per function; 0 is none, and no alias.
    provisionedConcurrency: has('warm') ? 1 : 0,
    // Of the monitor's role and environment (dns/monitor/capacity): this site's functions, at their alias alone.
    capacityStatements: has('raiseCapacity')
      ? [
          {
            Sid: 'Capacity',
            Effect: 'Allow',
            Action: [
              'lambda:DeleteProvisionedConcurrencyConfig',
              'lambda:GetFunctionConfiguration',
              'lambda:GetProvisionedConcurrencyConfig',
              'lambda:PutProvisionedConcurrencyConfig',
            ],
            Resource: warmFunctions.map((name) => ({
              'Fn::Sub': `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:${name}:${WARM_ALIAS}`,
            })),
          },
          // What the account leaves has no name.
          { Sid: 'Concurrency', Effect: 'Allow', Action: 'lambda:GetAccountSettings', Resource: '*' },
        ]
      : [{ Ref: 'AWS::NoValue' }, { Ref: 'AWS::NoValue' }],
    capacity: has('raiseCapacity')
      ? JSON.stringify({ [site]: { lambda: { region, functions: warmFunctions, alias: WARM_ALIAS } } })
      : '',
    // Where lines of the log go besides (infra/aws/features/centralLogs.yml).
    centralLogs: has('centralLogs') ? centralLogsTo : '',
    centralLogsRoleName,
    centralLogsRole: has('centralLogs')
      ? { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${centralLogsRoleName}` }
      : '',
    vpc: has('network')
      ? {
          securityGroupIds: [{ 'Fn::GetAtt': ['FunctionSecurityGroup', 'GroupId'] }],
          subnetIds: [{ Ref: 'PrivateSubnetA' }, { Ref: 'PrivateSubnetB' }],
        }
      : null,
    managedPolicies,
    // To the roles of functions that have objects.
    objectPolicies: [...managedPolicies, ...(has('objects') ? [{ Ref: 'ObjectAccess' }] : [])],
    // Of the role of the function that reacts: to phones, which have no names, and to no topic of the account. Without a sender
    // id, none.
    smsStatement:
      smsFrom === ''
        ? { Ref: 'AWS::NoValue' }
        : {
            Sid: 'Sms',
            Effect: 'Allow',
            Action: ['sns:Publish', 'sns:CheckIfPhoneNumberIsOptedOut'],
            NotResource: { 'Fn::Sub': 'arn:${AWS::Partition}:sns:*:*:*' },
          },
    // Of the roles of the functions that write rows: as their user of the database, and as no other.
    // Of the role of the function that reacts: invalidating this distribution, and nothing else of it.
    ...cdnParts(has('cdn')),
    sqlStatement: has('sql')
      ? {
          Sid: 'Sql',
          Effect: 'Allow',
          Action: 'rds-db:connect',
          Resource: {
            'Fn::Sub':
              'arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:${SqlCluster.DBClusterResourceId}/tandem',
          },
        }
      : { Ref: 'AWS::NoValue' },
    // Of the functions whose records get rows; those of the bridge may wake whoever reacts already.
    sqlWakers: recordRoles.map((Ref) => ({ Ref })),
    sqlUrl: has('sql')
      ? { 'Fn::Sub': 'postgres://tandem@${SqlCluster.Endpoint.Address}:${SqlCluster.Endpoint.Port}/tandem' }
      : sqlUrl,
    // Which role of another cloud reads here, and who reads objects and has no other right to them.
    peerReaders,
    objectReaders: [...peerReaders, ...(has('backup') ? [{ Ref: 'BackupRole' }] : [])],
    senderRoles: senders.map((Ref) => ({ Ref })),
    senderArns: { 'Fn::Join': [',', senders.map((role) => ({ 'Fn::GetAtt': [role, 'Arn'] }))] },
    objectsOrigins,
    objectsInNetwork: String(has('objects') && has('network')),
    // Of every role.
    permissionsBoundary: boundary === '' ? { Ref: 'AWS::NoValue' } : boundary,
    // Empty: the site has no place for objects.
    objectsBucket: has('objects') ? { Ref: 'ObjectsBucket' } : '',
    webAcl: has('waf') ? { 'Fn::GetAtt': ['WebAcl', 'Arn'] } : { Ref: 'AWS::NoValue' },
    viewer: viewerOf(has('customDomain') ? domain : '', { Ref: 'Certificate' }),
    storefrontViewer: viewerOf(storefrontDomain, storefrontCertificateArn),
  };
};
