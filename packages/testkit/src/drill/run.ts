/** One drill, from a stack of its own to what was seen. */
import type { RoutedRecord } from '@tandem-clouds/zone/model';
import { Arena } from '../cluster/test-cluster.ts';
import { openEntrance, type Entrance } from '../load/endpoint.ts';
import type { Observed } from '../history/observed.ts';
import type { DrillSettings } from './report.ts';
import { Stage } from './drill-run.ts';

/** One client that ignores the TTL to so many that honour it. */
const HONOURING_PER_IGNORING = 4;
const PERIOD_MS = 500;

export interface DrillOptions {
  /** `aws-lost`. */
  readonly drill: string;
  readonly victim: string;
  readonly survivor: string;
  readonly seed: number;
  /** That honour the TTL; those that do not come on top. */
  readonly clients: number;
  /** How long the site stays away. */
  readonly awayMs: number;
  readonly progress: (line: string) => void;
}

export interface DrillResult {
  readonly observed: Observed;
  readonly settings: DrillSettings;
}

/** @throws Error when the stack does not come up, or the run itself fails. */
export async function runDrill(options: DrillOptions): Promise<DrillResult> {
  const { victim, survivor, clients, progress } = options;
  progress(`starting a stack of its own with ${victim} and ${survivor}`);
  const arena = await Arena.open([victim, survivor]);
  let entrance: Entrance | undefined;
  try {
    entrance = await openEntrance(arena);
    const { record, doors, resolve } = entrance;
    const sizes = { 'honours TTL': clients, 'ignores TTL': Math.ceil(clients / HONOURING_PER_IGNORING) };
    const stage = new Stage({
      ...options,
      arena,
      sizes,
      periodMs: PERIOD_MS,
      joinWithinMs: record.ttlSeconds * 1_000,
      doors,
      resolve,
    });
    const observed = await stage.play();
    const all = sizes['honours TTL'] + sizes['ignores TTL'];
    return { observed, settings: settingsOf(record, { seed: options.seed, clients: all }) };
  } finally {
    await entrance?.close();
    await arena.close();
  }
}

function settingsOf(
  { ttlSeconds, targets }: RoutedRecord,
  load: Pick<DrillSettings, 'clients' | 'seed'>,
): DrillSettings {
  const check = targets[0]?.check;
  if (check === undefined) throw new Error('the sites have no health checks');
  const { intervalSeconds: checkIntervalSeconds, failureThreshold } = check;
  return { ...load, periodMs: PERIOD_MS, ttlSeconds, checkIntervalSeconds, failureThreshold };
}
