/** What watches an AWS site, as it is packaged: alarms and the dashboard, over metrics that exist. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readInventory } from '../../scripts/cost/inventory.ts';
import { awsParams } from '../../scripts/lint-infra/aws-template.ts';
import { openMetrics } from '../../src/shared/adapters/aws/metrics.ts';
import type { MetricName } from '../../src/shared/ports/telemetry.ts';
import { ofType, packaged, type Resources } from '../helpers/cloudformation.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const SITE = 'aws-us-east-1';
const PEERS = ['azure-eastus', 'aws-eu-west-1'];

interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: { Name: string; Value: unknown }[];
}
interface Alarm extends Partial<Metric> {
  readonly AlarmName: string;
  readonly Metrics?: { MetricStat?: { Metric: Metric } }[];
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Period?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly DatapointsToAlarm: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
  readonly AlarmActions: unknown;
}

const alarmsOf = (resources: Resources): Alarm[] =>
  ofType(resources, 'AWS::CloudWatch::Alarm').map(([, alarm]) => alarm as unknown as Alarm);

let alone: Resources;
let withPeers: Resources;
let everyFlagOff: Resources;

beforeAll(async () => {
  ({ resources: alone } = await packaged([]));
  // Objects are on, for an entity has content.
  ({ resources: everyFlagOff } = await packaged(['features.objects=false']));
  ({ resources: withPeers } = await packaged(awsParams([])));
});

describe('an AWS site', () => {
  /**
   * What AWS publishes, and by which dimensions.
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
   * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
   * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
   * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
   */
  const PUBLISHED = [
    ...['4xx', '5xx', 'Count', 'Latency'].map((name) => `AWS/ApiGateway ${name} ApiId`),
    ...['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'].map(
      (name) => `AWS/SQS ${name} QueueName`,
    ),
    ...['Errors', 'Throttles'].map((name) => `AWS/Lambda ${name} FunctionName`),
    ...['ConsumedReadCapacityUnits', 'ConsumedWriteCapacityUnits'].map(
      (name) => `AWS/DynamoDB ${name} TableName`,
    ),
  ];

  /** Every metric of docs/metrics.md as the adapter writes it: name space, name and dimensions. */
  function emitted(): string[] {
    const rows = fs
      .readFileSync(path.join(ROOT, 'docs/metrics.md'), 'utf8')
      .matchAll(/^\| `(\w+)` +\| (site(?:, peer)?) +\|/gm);
    return [...rows].map(([, name, dimensions]) => {
      const lines: string[] = [];
      const metrics = openMetrics({ site: SITE, now: () => 0, write: (line) => lines.push(line) });
      metrics.record({ [name as MetricName]: 1 }, dimensions === 'site' ? undefined : 'peer');
      const { _aws } = JSON.parse(lines.join('')) as {
        _aws: {
          CloudWatchMetrics: [{ Namespace: string; Dimensions: [string[]]; Metrics: [{ Name: string }] }];
        };
      };
      const [{ Namespace, Dimensions, Metrics }] = _aws.CloudWatchMetrics;
      return `${Namespace} ${Metrics[0].Name} ${Dimensions[0].toSorted().join(' ')}`;
    });
  }

  const known = () => [...PUBLISHED, ...emitted()];
  const described = ({ Namespace, MetricName, Dimensions }: Metric): string =>
    `${Namespace} ${MetricName} ${Dimensions.map(({ Name }) => Name)
      .toSorted()
      .join(' ')}`;
  const metricsOf = (alarm: Alarm): Metric[] =>
    alarm.Metrics?.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []) ?? [alarm as Metric];

  test('the metrics that are written down are the ones that the code records', () => {
    const names = emitted().map((text) => text.split(' ')[1]);
    const port = fs.readFileSync(path.join(ROOT, 'src/shared/ports/telemetry.ts'), 'utf8');
    expect(names.toSorted()).toEqual(
      [...port.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, name]) => name).toSorted(),
    );
    const sources = fs
      .readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('telemetry.ts'))
      .map((file) => fs.readFileSync(path.join(ROOT, 'src', file), 'utf8'))
      .join('\n');
    for (const name of names) expect(sources).toMatch(new RegExp(`\\b${name}\\b`));
  });

  test('every alarm goes by metrics that exist, says what silence means, and is heard', () => {
    const alarms = alarmsOf(withPeers);
    for (const alarm of alarms) {
      for (const metric of metricsOf(alarm)) expect(known()).toContain(described(metric));
      expect(['breaching', 'notBreaching', 'ignore']).toContain(alarm.TreatMissingData);
      expect(alarm.AlarmActions).toEqual([{ Ref: 'AlarmTopic' }]);
    }
    expect(new Set(alarms.map(({ AlarmName }) => AlarmName)).size).toBe(alarms.length);
  });

  const of = (name: string): Alarm | undefined =>
    alarmsOf(withPeers).find(({ AlarmName }) => AlarmName === `tandem-${SITE}-${name}`);

  test.each([
    ['error-rate-page', 'GreaterThanThreshold', 5, 5, 'notBreaching'],
    ['latency-page', 'GreaterThanThreshold', 1_000, 10, 'notBreaching'],
    ['dead-letter-warning', 'GreaterThanThreshold', 0, 1, 'notBreaching'],
    ['reaction-parked-warning', 'GreaterThanThreshold', 0, 1, 'ignore'],
    ['in-age-warning', 'GreaterThanThreshold', 60, 3, 'notBreaching'],
    ['in-depth-warning', 'GreaterThanOrEqualToThreshold', 10_000, 5, 'notBreaching'],
    ['out-age-warning', 'GreaterThanThreshold', 60, 3, 'notBreaching'],
    ...PEERS.flatMap((peer): [string, string, number, number, string][] => [
      [`lag-warning-${peer}`, 'GreaterThanOrEqualToThreshold', 5_000, 1, 'ignore'],
      [`lag-page-${peer}`, 'GreaterThanOrEqualToThreshold', 10_000, 2, 'breaching'],
      [`safe-time-page-${peer}`, 'GreaterThanOrEqualToThreshold', 60_000, 2, 'breaching'],
      [`exposure-warning-${peer}`, 'GreaterThanOrEqualToThreshold', 1_000, 2, 'ignore'],
      [`difference-warning-${peer}`, 'GreaterThanThreshold', 0, 1, 'ignore'],
      [`clock-warning-${peer}`, 'LessThanOrEqualToThreshold', -500, 2, 'ignore'],
    ]),
  ])('%s is %s %d for %d minutes; silence is %s', (name, comparison, threshold, minutes, missing) => {
    expect(of(name)).toMatchObject({
      ComparisonOperator: comparison,
      Threshold: threshold,
      DatapointsToAlarm: minutes,
      EvaluationPeriods: minutes,
      TreatMissingData: missing,
    });
    for (const period of [of(name)?.Period].filter((value) => value !== undefined)) expect(period).toBe(60);
  });

  test('the alarms of a peer look at this site and that peer', () => {
    for (const peer of PEERS) {
      expect(of(`lag-page-${peer}`)?.Dimensions).toEqual([
        { Name: 'site', Value: SITE },
        { Name: 'peer', Value: peer },
      ]);
    }
  });

  test('what a site watches is what the estimate of its costs counts', () => {
    const count = (resources: Resources) => alarmsOf(resources).flatMap(metricsOf).length;
    const perPeer = (count(withPeers) - count(alone)) / PEERS.length;
    expect(readInventory().aws).toMatchObject({ alarms: count(everyFlagOff) + perPeer, dashboards: 1 });
  });

  test('the dashboard shows metrics that exist, and everything that an alarm goes by', () => {
    const body = alone['Dashboard']?.Properties?.['DashboardBody'] as { 'Fn::Sub': string };
    const { widgets } = JSON.parse(body['Fn::Sub']) as {
      widgets: { properties: { metrics: [string | { expression?: string }, string, string][] } }[];
    };
    const shown = widgets
      .flatMap(({ properties }) => properties.metrics)
      .flatMap(([first, name, dimension]) => {
        if (typeof first === 'string') return [`${first} ${name} ${dimension}`];
        const [, schema, metric, site] =
          /^SEARCH\('\{(.*)\} MetricName="(\w+)" site="([\w-]+)"', '\w+', 60\)$/.exec(
            first.expression ?? '',
          ) ?? [];
        if (schema === undefined) return [];
        expect(site).toBe(SITE);
        const [namespace, ...dimensions] = schema.split(',');
        return [`${namespace ?? ''} ${metric ?? ''} ${dimensions.toSorted().join(' ')}`];
      });
    expect(shown.length).toBeGreaterThan(20);
    for (const metric of shown) expect(known()).toContain(metric);
    // The hourly function is no line worth looking at.
    const watched = alarmsOf(withPeers).flatMap(metricsOf).map(described);
    expect(shown).toEqual(expect.arrayContaining([...new Set(watched)]));
  });
});
