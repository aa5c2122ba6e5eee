'use strict';
/**
 * The dashboard: the figures that the alarms go by, and those that explain them. Metrics per peer are searched for, so
 * that a new peer shows without a change. Names of dashboards are global to an account, so they carry the site.
 */

const WIDTH = 8;
const HEIGHT = 6;
const COLUMNS = 3;
const REGION = '${AWS::Region}';

const ofApi = (name, stat, label) => ['AWS/ApiGateway', name, 'ApiId', '${HttpApi}', { stat, label }];
const ofQueue = (name, queue, label) => [
  'AWS/SQS',
  name,
  'QueueName',
  `\${${queue}.QueueName}`,
  { stat: 'Maximum', label },
];
const ofFunction = (name, id, stat, label) => [
  'AWS/Lambda',
  name,
  'FunctionName',
  `\${${id}}`,
  { stat, label },
];
const ofTable = (name, stat, label) => ['AWS/DynamoDB', name, 'TableName', '${Table}', { stat, label }];

/** One line per peer. */
const perPeer = (site, name, stat) => [
  {
    expression: `SEARCH('{Tandem,peer,site} MetricName="${name}" site="${site}"', '${stat}', 60)`,
    label: name,
  },
];
const ofSite = (site, name, stat, label) => ['Tandem', name, 'site', site, { stat, label }];

const QUEUES = [
  ['OutQueue', 'to be sent'],
  ['InQueue', 'to be applied'],
  ['VerifyQueue', 'comparisons'],
];
const OBJECTS_QUEUE = ['ObjectsQueue', 'objects to be fetched'];
const BRIDGE = ['forward', 'apply', 'sweep', 'verify'];
const queuesOf = (hasObjects) => (hasObjects ? [...QUEUES, OBJECTS_QUEUE] : QUEUES);
const bridgeOf = (hasObjects) => (hasObjects ? [...BRIDGE, 'transfer'] : BRIDGE);
const idOf = (name) => `${name[0].toUpperCase()}${name.slice(1)}LambdaFunction`;

/** @param hasObjects Whether the function that fetches objects is there. */
const CHARTS = (site, hasObjects, queues = queuesOf(hasObjects), bridge = bridgeOf(hasObjects)) => [
  {
    title: 'Requests',
    metrics: [ofApi('Count', 'Sum', 'all'), ofApi('4xx', 'Sum', 'refused'), ofApi('5xx', 'Sum', 'failed')],
  },
  {
    title: 'Failed requests, % (page: 5 for 5 min)',
    metrics: [
      [{ expression: 'IF(requests > 0, 100 * errors / requests, 0)', label: 'failed' }],
      ['AWS/ApiGateway', '5xx', 'ApiId', '${HttpApi}', { id: 'errors', stat: 'Sum', visible: false }],
      ['AWS/ApiGateway', 'Count', 'ApiId', '${HttpApi}', { id: 'requests', stat: 'Sum', visible: false }],
    ],
  },
  {
    title: 'Latency, ms (page: p99 1,000 for 10 min)',
    metrics: [ofApi('Latency', 'p50', 'p50'), ofApi('Latency', 'p99', 'p99')],
  },
  { title: 'Lag by peer, ms (5,000; page: 10,000 for 2 min)', metrics: [perPeer(site, 'LagMs', 'Maximum')] },
  {
    title: 'Safe time behind, by peer, ms (page: 60,000)',
    metrics: [perPeer(site, 'SafeTimeAgeMs', 'Maximum')],
  },
  {
    title: 'Exposed keys by peer (1,000 stands for more)',
    metrics: [perPeer(site, 'KeysAtRisk', 'Maximum')],
  },
  {
    title: 'Queues: messages',
    metrics: queues.map(([queue, label]) => ofQueue('ApproximateNumberOfMessagesVisible', queue, label)),
  },
  {
    title: 'Queues: age of the oldest message, s',
    metrics: queues.map(([queue, label]) => ofQueue('ApproximateAgeOfOldestMessage', queue, label)),
  },
  {
    title: 'Dead letters',
    metrics: [
      ofQueue('ApproximateNumberOfMessagesVisible', 'DeadQueue', 'waiting for a person'),
      ofSite(site, 'DeadLetters', 'Sum', 'set aside by the bridge'),
    ],
  },
  { title: 'Differences found by comparisons', metrics: [perPeer(site, 'Differences', 'Maximum')] },
  {
    title: 'Conflicts, keys sent again, values that no index takes',
    metrics: [
      ofSite(site, 'ConflictsLogged', 'Sum', 'conflicts'),
      ofSite(site, 'SweptKeys', 'Sum', 'sent again'),
      ofSite(site, 'ValuesNotIndexed', 'Sum', 'not indexed'),
    ],
  },
  {
    title: 'Reactions: due, and parked for a person (1,000 stands for more)',
    metrics: [
      ofSite(site, 'ReactionsWaiting', 'Maximum', 'due'),
      ofSite(site, 'ReactionsParked', 'Maximum', 'parked'),
    ],
  },
  { title: 'Reactions: oldest due, ms', metrics: [ofSite(site, 'OldestReactionMs', 'Maximum', 'oldest')] },
  {
    title: 'Objects that are not here yet, and of them overdue (1,000 stands for more)',
    metrics: [
      ofSite(site, 'ObjectsLacking', 'Maximum', 'lacking'),
      ofSite(site, 'ObjectsOverdue', 'Maximum', 'overdue'),
    ],
  },
  {
    title: 'Bytes of objects that are not here yet',
    metrics: [ofSite(site, 'ObjectBytesLacking', 'Maximum', 'bytes')],
  },
  { title: 'Clocks: least lag by peer, ms (warning: -500)', metrics: [perPeer(site, 'LagMs', 'Minimum')] },
  {
    title: 'Bridge: errors',
    metrics: bridge.map((name) => ofFunction('Errors', idOf(name), 'Sum', name)),
  },
  {
    title: 'Bridge: throttled',
    metrics: bridge.map((name) => ofFunction('Throttles', idOf(name), 'Sum', name)),
  },
  {
    title: 'Table: capacity units',
    metrics: [
      ofTable('ConsumedWriteCapacityUnits', 'Sum', 'write'),
      ofTable('ConsumedReadCapacityUnits', 'Sum', 'read'),
    ],
  },
];

const widget = ({ title, metrics }, index) => ({
  type: 'metric',
  x: (index % COLUMNS) * WIDTH,
  y: Math.floor(index / COLUMNS) * HEIGHT,
  width: WIDTH,
  height: HEIGHT,
  properties: { title, metrics, region: REGION, view: 'timeSeries', period: 60 },
});

module.exports = async ({ resolveVariable }) => {
  const [site, prefix, objects] = await Promise.all(
    ['param:site', 'param:prefix', 'self:custom.features.objects'].map(resolveVariable),
  );
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: {
          DashboardName: `${prefix}-${site}`,
          DashboardBody: {
            'Fn::Sub': JSON.stringify({
              start: '-PT3H',
              widgets: CHARTS(site, objects === 'true').map(widget),
            }),
          },
        },
      },
    },
  };
};
