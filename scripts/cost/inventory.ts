/** What the two stacks hold that is billed by the month, counted in their definitions with every flag off. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parse } from 'yaml';

export interface Inventory {
  readonly aws: { readonly metrics: number; readonly alarms: number; readonly dashboards: number };
  readonly azure: { readonly memoryGb: number; readonly metricAlerts: number; readonly logAlerts: number };
}

const INFRA = path.join(import.meta.dirname, '../../infra');
/** docs/metrics.md: of a site with one peer. */
const CUSTOM_METRICS = 9;

/** @throws Error when a definition is not where it was. */
export function readInventory(): Inventory {
  const aws = textOf('aws');
  const azure = textOf('azure');
  const count = (text: string, type: string): number => text.split(type).length - 1;
  const memory = /"instanceMemoryMB":[^}]*"defaultValue": *(\d+)/.exec(azure)?.[1];
  if (memory === undefined) throw new Error('infra/azure: no default of instanceMemoryMB');
  return {
    aws: {
      metrics: CUSTOM_METRICS,
      alarms: alarmMetrics(),
      dashboards: count(aws, 'AWS::CloudWatch::Dashboard'),
    },
    azure: {
      memoryGb: Number(memory) / 1_024,
      metricAlerts: count(azure, '"Microsoft.Insights/metricAlerts"'),
      logAlerts: count(azure, '"Microsoft.Insights/scheduledQueryRules"'),
    },
  };
}

interface Resourceful {
  readonly Resources: Readonly<
    Record<string, { Type: string; Properties: { Metrics?: { MetricStat?: unknown }[] } }>
  >;
}

/** Metrics that the alarms of a site with one peer look at: each is billed, two in one alarm as two. */
function alarmMetrics(): number {
  const read = (file: string): unknown =>
    parse(fs.readFileSync(path.join(INFRA, 'aws', file), 'utf8'), { merge: true });
  const { Resources } = read('alarms.yml') as Resourceful;
  const { alarmsPerPeer } = createRequire(import.meta.url)(path.join(INFRA, 'aws/peers.cjs')) as {
    alarmsPerPeer: number;
  };
  return Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
    .map(({ Properties: { Metrics } }) => Metrics?.filter(({ MetricStat }) => MetricStat).length ?? 1)
    .reduce((sum, metrics) => sum + metrics, alarmsPerPeer);
}

function textOf(cloud: string): string {
  const folder = path.join(INFRA, cloud);
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ya?ml|json|cjs)$/.test(name))
    .map((name) => fs.readFileSync(path.join(folder, name), 'utf8'))
    .join('\n');
}
