/** What the stack of this machine says beside what its sites do: its edge, its faults, and what became of the latest loss. */
import { METRICS_PATH } from '@tandem-clouds/emulators/otlp/server';
import type { LocalFaults } from '@tandem-clouds/local/faults/fault-order';
import type { Direction } from '@tandem-clouds/operator/directions';
import { getJson } from '@tandem-clouds/operator/get-json';
import { readReplication } from '@tandem-clouds/operator/read-replication';
import { LossClock, type Probed } from './server/loss-clock.ts';
import type { Sites } from './server/sites.ts';
import type { LocalLook } from './server/watch.ts';

const WITHIN_MS = 1_500;
const EDGE_STATUS = '/_tandem/edge';
/** Of every site, and read without its store. */
const PROBED_PATH = '/region';
const COUNTS = /^http_server_request_duration_seconds_count\{(.*)\} (\d+)$/gm;
/** A site's name has nothing that is escaped. */
const SITE = /(?:^|,)site="([^"]*)"/;

export class LocalWatch {
  readonly #sites: Sites;
  readonly #faults: LocalFaults;
  readonly clock: LossClock;
  #directions: readonly Direction[] = [];

  constructor(sites: Sites, faults: LocalFaults) {
    this.#sites = sites;
    this.#faults = faults;
    this.clock = new LossClock({
      probe: (signal) => this.#probe(signal),
      pendingOf: (site) => this.#pendingOf(site),
    });
  }

  /** Never rejects: what does not answer is left out. @param before The directions of the look before. */
  async look(before: readonly Direction[]): Promise<LocalLook> {
    this.#directions = before;
    const [status, metrics, faults] = await Promise.all([
      answered<{ healthy: Record<string, boolean> }>(() => this.#sites.stack().edge.url + EDGE_STATUS),
      answeredText(() => this.#sites.stack().traces.url + METRICS_PATH),
      this.faultsChanged(),
    ]);
    const { loss } = this.clock;
    return {
      healthy: status?.healthy ?? {},
      served: servedIn(metrics ?? ''),
      faults,
      ...(loss !== undefined && { loss }),
    };
  }

  /** Asks what is on, and tells the clock. Never rejects. */
  async faultsChanged(): Promise<LocalLook['faults']> {
    const faults = await this.#faults.list().catch(() => []);
    this.clock.see(faults, (site) => this.#atRisk(site));
    return faults;
  }

  #atRisk(site: string): number | null {
    const known = this.#directions.filter(
      ({ from, keysAtRisk }) => from === site && keysAtRisk !== undefined,
    );
    return known.length === 0 ? null : Math.max(...known.map(({ keysAtRisk = 0 }) => keysAtRisk));
  }

  async #probe(signal: AbortSignal): Promise<Probed> {
    try {
      const { edge } = this.#sites.stack();
      const [response, status] = await Promise.all([
        fetch(edge.url + PROBED_PATH, { signal }),
        answered<{ healthy: Record<string, boolean> }>(() => edge.url + EDGE_STATUS),
      ]);
      const body = (await response.json()) as { site?: string };
      return { healthy: status?.healthy, responder: response.ok ? body.site : undefined };
    } catch {
      return { healthy: undefined, responder: undefined };
    }
  }

  async #pendingOf(site: string): Promise<number | null> {
    try {
      const { url } = await this.#sites.site(site);
      const { peers } = readReplication(await getJson(new URL('/replication', url)));
      return Math.max(0, ...peers.map(({ exposure }) => exposure.keys));
    } catch {
      return null;
    }
  }
}

async function answered<T>(url: () => string): Promise<T | undefined> {
  const text = await answeredText(url);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

async function answeredText(url: () => string): Promise<string | undefined> {
  try {
    const response = await fetch(url(), { signal: AbortSignal.timeout(WITHIN_MS) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

/** Health is asked for every second by edge and DNS, and replication by the console itself. */
const ASKED_BY_MACHINES = /(?:^|,)http_route="\/(?:health|replication)/;

/** Site → requests that it has answered, of what a collector tells Prometheus. */
export function servedIn(text: string): Readonly<Record<string, number>> {
  const served: Record<string, number> = {};
  for (const [, labels = '', value = ''] of text.matchAll(COUNTS)) {
    const site = SITE.exec(labels)?.[1];
    if (site !== undefined && !ASKED_BY_MACHINES.test(labels))
      served[site] = (served[site] ?? 0) + Number(value);
  }
  return served;
}
