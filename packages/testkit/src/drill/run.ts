/** One drill, from a stack of its own to what was seen. */
import type { RoutedRecord } from '@tandem-clouds/zone/model';
import { TestCluster } from '../cluster/test-cluster.ts';
import type { Observed } from '../history/observed.ts';
import { openTrafficEndpoint, type TrafficEndpoint } from '../load/endpoint.ts';
import { DrillRun } from './drill-run.ts';
import type { DrillOptions } from './options.ts';
import type { DrillSettings } from './report.ts';

/** One client that ignores the TTL to so many that honour it. */
const HONOURING_PER_IGNORING = 4;
const PERIOD_MS = 500;

export interface DrillResult {
  readonly observed: Observed;
  readonly settings: DrillSettings;
}

/** @throws Error when the stack does not come up, or the run itself fails. */
export async function runDrill(options: DrillOptions): Promise<DrillResult> {
  const { victim, survivor, clients, progress } = options;
  progress(`starting a stack of its own with ${victim} and ${survivor}`);
  const cluster = await TestCluster.open([victim, survivor]);
  let trafficEndpoint: TrafficEndpoint | undefined;
  try {
    trafficEndpoint = await openTrafficEndpoint(cluster);
    const { record, endpoints, resolve } = trafficEndpoint;
    const sizes = {
      'honours TTL': clients,
      'ignores TTL': Math.ceil(clients / HONOURING_PER_IGNORING),
      'fails over': clients,
    };
    const drillRun = new DrillRun({
      ...options,
      cluster,
      sizes,
      periodMs: PERIOD_MS,
      joinWithinMs: record.ttlSeconds * 1_000,
      endpoints,
      resolve,
    });
    const observed = await drillRun.play();
    const byDns = sizes['honours TTL'] + sizes['ignores TTL'];
    const load = { seed: options.seed, clients: byDns, failoverClients: sizes['fails over'] };
    return { observed, settings: settingsOf(record, load) };
  } finally {
    await trafficEndpoint?.close();
    await cluster.close();
  }
}

function settingsOf(
  { ttlSeconds, targets }: RoutedRecord,
  load: Pick<DrillSettings, 'clients' | 'failoverClients' | 'seed'>,
): DrillSettings {
  const check = targets[0]?.check;
  if (check === undefined) throw new Error('the sites have no health checks');
  const { intervalSeconds: checkIntervalSeconds, failureThreshold } = check;
  return { ...load, periodMs: PERIOD_MS, ttlSeconds, checkIntervalSeconds, failureThreshold };
}
