'use strict';
/**
 * What a site needs for each of its peers (`--param "peers=[…]"`): the alarms that watch the way to and from it, and
 * permission to send, where the peer is another region of this account. What a site needs to send to another cloud is
 * not here: it is an identity, not a permission.
 *
 * Six alarms per peer, 0.10 USD a month each beyond the ten that every account has free (scripts/cost counts them).
 */

const { contentRoles } = require('./entities.cjs');

const NAMESPACE = 'Tandem';
const MINUTE = 60;

/** What `LagMs` and the others mean: docs/metrics.md. The thresholds are requirement B8, unless it says otherwise. */
const ALARMS = [
  {
    id: 'LagWarning',
    metric: 'LagMs',
    reports: 'Replication from {peer} takes 5 s or longer.',
    statistic: 'Maximum',
    comparison: 'GreaterThanOrEqualToThreshold',
    threshold: 5_000,
    of: [1, 1],
    // The page below speaks for a peer that is silent; this one keeps what it knew.
    missing: 'ignore',
  },
  {
    id: 'LagPage',
    metric: 'LagMs',
    reports: 'Replication from {peer} has taken 10 s or longer for two minutes, or nothing arrives at all.',
    statistic: 'Maximum',
    comparison: 'GreaterThanOrEqualToThreshold',
    threshold: 10_000,
    of: [2, 2],
    // A way that is blocked has no lag: no news for two minutes is bad news.
    missing: 'breaching',
  },
  {
    id: 'SafeTimePage',
    metric: 'SafeTimeAgeMs',
    reports:
      'What was acknowledged here more than a minute ago is not yet held by {peer}: it would be lost with this site.',
    statistic: 'Maximum',
    comparison: 'GreaterThanOrEqualToThreshold',
    threshold: 60_000,
    of: [2, 2],
    // Measured by every sweep, so nothing measured means that nothing sweeps: exposure is unknown, which is worse.
    missing: 'breaching',
  },
  {
    id: 'ExposureWarning',
    metric: 'KeysAtRisk',
    reports: 'A thousand keys or more have writes that {peer} has not accepted.',
    statistic: 'Maximum',
    comparison: 'GreaterThanOrEqualToThreshold',
    // As far as the site counts (`exposureKeysMax` in src/shared/bounds.ts).
    threshold: 1_000,
    of: [2, 2],
    // The page on safe time, measured by the same sweep, speaks for a sweep that does not run.
    missing: 'ignore',
  },
  {
    id: 'DifferenceWarning',
    metric: 'Differences',
    reports: 'The comparison with {peer} that ended last has found records that differ.',
    statistic: 'Maximum',
    comparison: 'GreaterThanThreshold',
    threshold: 0,
    of: [1, 1],
    // Silent while a comparison runs: the alarm stands until a clean one has ended.
    missing: 'ignore',
  },
  {
    id: 'ClockWarning',
    metric: 'LagMs',
    reports:
      'The clock of {peer} is half a second or more ahead of the one here: its writes win that should lose.',
    // A heartbeat that arrives before it was sent. The peer alarms for a clock here that is ahead.
    statistic: 'Minimum',
    comparison: 'LessThanOrEqualToThreshold',
    threshold: -500,
    of: [2, 2],
    // The page on lag speaks for a peer that is silent.
    missing: 'ignore',
  },
];

/** `aws-eu-west-1` → `AwsEuWest1`, for logical ids. */
const camel = (site) => site.replace(/(?:^|[^a-z0-9]+)([a-z0-9])/gi, (_, first) => first.toUpperCase());

function alarm(
  { site, peer, prefix },
  { id, metric, reports, statistic, comparison, threshold, of, missing },
) {
  const kebab = id.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
  const actions = [{ Ref: 'AlarmTopic' }];
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${prefix}-${site}-${kebab}-${peer}`,
      AlarmDescription: reports.replace('{peer}', peer),
      Namespace: NAMESPACE,
      MetricName: metric,
      Dimensions: [
        { Name: 'site', Value: site },
        { Name: 'peer', Value: peer },
      ],
      Statistic: statistic,
      Period: MINUTE,
      DatapointsToAlarm: of[0],
      EvaluationPeriods: of[1],
      ComparisonOperator: comparison,
      Threshold: threshold,
      TreatMissingData: missing,
      AlarmActions: actions,
      OKActions: actions,
    },
  };
}

/**
 * The ARN of a queue by its URL, as SQS forms both.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
 */
function arnOf(queueUrl) {
  const [, region, account, name] =
    /^https:\/\/sqs\.([a-z0-9-]+)\.[^/]+\/(\d{12})\/([\w-]+)$/.exec(queueUrl) ?? [];
  if (region === undefined) throw new Error(`peers: ${queueUrl} is no URL of an SQS queue`);
  return { 'Fn::Sub': `arn:\${AWS::Partition}:sqs:${region}:${account}:${name}` };
}

/** A policy that lets these roles send to these queues; nothing without queues. */
const sending = (id, queueUrls, roles) =>
  queueUrls.length === 0
    ? {}
    : {
        [id]: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: {
            Roles: roles.map((Ref) => ({ Ref })),
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: queueUrls.map(arnOf) }],
            },
          },
        },
      };

/**
 * Lets these roles read the objects of sites in other regions of this account, by the names of their buckets. They may list,
 * because S3 answers 403 instead of 404 for what is not there otherwise.
 */
const reading = (id, buckets, roles) =>
  buckets.length === 0 || roles.length === 0
    ? {}
    : {
        [id]: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: {
            Roles: roles.map((Ref) => ({ Ref })),
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  Sid: 'Objects',
                  Effect: 'Allow',
                  Action: ['s3:GetObject', 's3:GetObjectVersion'],
                  Resource: buckets.map((bucket) => bucketArn(bucket, '/content/*')),
                },
                {
                  Sid: 'Names',
                  Effect: 'Allow',
                  Action: ['s3:ListBucket'],
                  Resource: buckets.map((bucket) => bucketArn(bucket)),
                },
              ],
            },
          },
        },
      };
const bucketArn = (bucket, below = '') => ({ 'Fn::Sub': `arn:\${AWS::Partition}:s3:::${bucket}${below}` });

module.exports = async ({ resolveVariable }) => {
  const [text, site, prefix, objects] = await Promise.all(
    ['param:peers', 'param:site', 'param:prefix', 'self:custom.features.objects'].map(resolveVariable),
  );
  const peers = JSON.parse(text);
  const regions = peers.filter(({ cloud }) => cloud === 'aws');
  const alarms = peers.flatMap(({ site: peer }) =>
    ALARMS.map((definition) => [`${definition.id}${camel(peer)}`, alarm({ site, peer, prefix }, definition)]),
  );
  return {
    Resources: {
      ...Object.fromEntries(alarms),
      ...sending(
        'PeerInboxes',
        regions.map(({ inbox }) => inbox),
        ['ForwardRole', 'SweepRole', 'OperationsRole', 'VerifyRole'],
      ),
      ...sending(
        'PeerComparisons',
        regions.map(({ verify }) => verify),
        ['VerifyRole', 'VerifyHourlyRole', 'SweepRole'],
      ),
      ...reading(
        'PeerObjects',
        regions.flatMap(({ objectsBucket }) => objectsBucket ?? []),
        objects === 'true' ? ['TransferRole', ...contentRoles] : [],
      ),
    },
  };
};

module.exports.alarmsPerPeer = ALARMS.length;
