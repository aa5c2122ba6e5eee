/** One drill, from a stack of its own to what was seen. */
import { Resolver } from 'node:dns/promises';
import type { RoutedRecord } from '../../dns/model.ts';
import { ZONE_PATH, type ZoneState } from '../../dns/server/control.ts';
import { Arena } from '../chaos/arena.ts';
import { askJson } from '../chaos/request.ts';
import type { Resolved } from './crowd.ts';
import { openFrontDoors, type FrontDoors } from './front-doors.ts';
import type { Observed } from './observed.ts';
import type { DrillSettings } from './report.ts';
import { Stage } from './stage.ts';

/** One client that ignores the TTL to so many that honour it. */
const HONOURING_PER_IGNORING = 4;
const PERIOD_MS = 500;
const ANSWER_WITHIN_MS = 5_000;

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
  let frontDoors: FrontDoors | undefined;
  try {
    const record = await recordOf(arena);
    frontDoors = await openFrontDoors(addressesOf(arena, record));
    const sizes = { 'honours TTL': clients, 'ignores TTL': Math.ceil(clients / HONOURING_PER_IGNORING) };
    const stage = new Stage({
      ...options,
      arena,
      sizes,
      periodMs: PERIOD_MS,
      doors: frontDoors.doors,
      resolve: () => ask(arena.describe().dns.port, record.name),
    });
    const observed = await stage.play();
    const all = sizes['honours TTL'] + sizes['ignores TTL'];
    return { observed, settings: settingsOf(record, { seed: options.seed, clients: all }) };
  } finally {
    await frontDoors?.close();
    await arena.close();
  }
}

/** The one name that is answered with sites. */
async function recordOf(arena: Arena): Promise<RoutedRecord> {
  const url = new URL(ZONE_PATH, arena.describe().dns.controlUrl);
  const { zone } = (await askJson(url, ANSWER_WITHIN_MS)) as ZoneState;
  const record = zone.records.find((one) => one.kind === 'routed');
  if (record === undefined) throw new Error(`the zone ${zone.zone} answers no name with sites`);
  return record;
}

function addressesOf(arena: Arena, { targets }: RoutedRecord) {
  return targets.map(({ site, values: [address = ''] }) => ({
    site,
    address,
    port: Number(new URL(arena.site(site).url).port),
  }));
}

/** One question and no memory of its own: how long an answer is kept is the client's affair. */
async function ask(port: number, name: string): Promise<Resolved> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const [answer] = await resolver.resolve4(name, { ttl: true });
  if (answer === undefined) throw new Error(`no answer for ${name}`);
  return { address: answer.address, ttlSeconds: answer.ttl };
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
