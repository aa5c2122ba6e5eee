/**
 * An authoritative DNS server for one zone, with answers that follow the health of their targets.
 *
 * Invariant: what is answered, what the control interface says, and what is on disk are the same revision.
 */
import { once } from 'node:events';
import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Controlled, createControl } from './control.ts';
import { HealthChecker } from './health-checker.ts';
import { listen } from './listeners.ts';
import { type LocationTable, Locator } from './locations.ts';
import { Responder } from './responder.ts';
import { ServedZone } from './served-zone.ts';
import { readZone } from './zone.ts';
import { ZoneFile } from './zone-file.ts';

const LOOPBACK = '127.0.0.1';
const NO_LOCATIONS: LocationTable = { subnets: [], latencyMs: {} };

/** Something that a person may want to know. */
export interface ServerEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

export interface DnsServerOptions {
  /** Served when nothing was kept. */
  readonly zone: unknown;
  /** UDP and TCP, on 127.0.0.1; 0 or absent picks a free one. */
  readonly port?: number;
  /** Of the control interface; 0 or absent picks a free one. */
  readonly controlPort?: number;
  /** Where the zone is kept; absent: in memory only. */
  readonly file?: string;
  readonly locations?: LocationTable;
  readonly onEvent?: (event: ServerEvent) => void;
  /** As Math.random; injected for tests. */
  readonly random?: () => number;
}

export interface DnsServer {
  readonly port: number;
  /** Base URL of the control interface. */
  readonly controlUrl: string;
  /** Calling it again waits for the same end. */
  close(): Promise<void>;
}

/**
 * Starts the server.
 * @throws ZoneError for a zone that cannot be served; Error when a port is taken or the kept zone is damaged.
 */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { locations = NO_LOCATIONS, port = 0, controlPort = 0 } = options;
  const authority = new Authority(options);
  const responder = new Responder(() => authority.served, new Locator(locations.subnets));
  const control = createControl({
    state: () => authority.state(),
    replace: (document, base) => authority.replace(document, base),
    health: () => authority.health(),
    counters: () => ({ queries: responder.counters, chosen: authority.served.chosen() }),
  } satisfies Controlled);
  const listeners = await listen(responder, LOOPBACK, port);
  try {
    control.listen(controlPort, LOOPBACK);
    await once(control, 'listening');
  } catch (error) {
    await listeners.close();
    throw error;
  }
  authority.start();
  const { port: chosenControlPort } = control.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    port: listeners.port,
    controlUrl: `http://${LOOPBACK}:${chosenControlPort}`,
    close() {
      closing ??= Promise.all([closeControl(control), listeners.close()]).then(() => undefined);
      authority.stop();
      return closing;
    },
  };
}

async function closeControl(control: http.Server): Promise<void> {
  const closed = once(control, 'close');
  control.close();
  control.closeAllConnections();
  await closed;
}

/** The zone that is served, with its health checks and its file. */
class Authority {
  served: ServedZone;
  #revision: number;
  readonly #options: DnsServerOptions;
  readonly #file: ZoneFile;
  readonly #checker: HealthChecker;
  #lost: ReadonlySet<string> = new Set();
  /** Reported already. */
  #keepFails = false;
  readonly #passingAtStart: Readonly<Record<string, boolean>>;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#file = new ZoneFile(options.file);
    this.#checker = new HealthChecker({
      onChange: (key, well) => this.#healthChanged(key, well),
      now: Date.now,
    });
    const kept = this.#file.read();
    this.#revision = kept?.revision ?? 1;
    this.#passingAtStart = kept?.passing ?? {};
    this.served = this.#serve(kept?.zone ?? readZone(options.zone), this.#revision);
  }

  start(): void {
    this.#checker.watch(this.served.checks(), this.#passingAtStart);
    this.#keep();
  }

  stop(): void {
    this.#keep();
    this.#checker.stop();
  }

  state() {
    return { revision: this.#revision, zone: this.served.zone };
  }

  health() {
    return { checks: this.#checker.report(), lost: this.served.lost() };
  }

  replace(document: unknown, base: number): number | undefined {
    if (base !== this.#revision) return undefined;
    const zone = readZone(document);
    const revision = base + 1;
    const served = this.#serve(zone, revision);
    this.#file.write({ revision, zone, passing: this.#checker.passing() });
    this.#revision = revision;
    this.served = served;
    this.#checker.watch(served.checks());
    this.#alarm();
    return revision;
  }

  #serve(zone: ReturnType<typeof readZone>, revision: number): ServedZone {
    const { locations = NO_LOCATIONS, random = Math.random } = this.#options;
    return new ServedZone({
      zone,
      revision,
      serverAddress: LOOPBACK,
      latencies: locations.latencyMs,
      isHealthy: (key) => this.#checker.isHealthy(key),
      random,
    });
  }

  #healthChanged(key: string, healthy: boolean): void {
    this.served.healthChanged();
    this.#keep();
    // Before anybody was well, everything is just starting: nothing that a person has to see to.
    this.#report(
      healthy || !this.#checker.anyEverPassed() ? 'info' : 'warn',
      `${key} is ${healthy ? 'well: it is answered' : 'not well: it is not answered'}`,
    );
    this.#alarm();
  }

  /** Says once when a record has lost all its targets, and once when it has one again. */
  #alarm(): void {
    const lost = new Set(this.served.lost());
    for (const key of lost) {
      if (this.#lost.has(key)) continue;
      const level = this.#checker.anyEverPassed() ? 'error' : 'info';
      this.#report(level, `${key}: no target is well, so all of them are answered`);
    }
    for (const key of this.#lost) if (!lost.has(key)) this.#report('info', `${key} has a target again`);
    this.#lost = lost;
  }

  /** What health checks said is a help for the next start: where it cannot be kept, answers go on without. */
  #keep(): void {
    try {
      this.#file.write({
        revision: this.#revision,
        zone: this.served.zone,
        passing: this.#checker.passing(),
      });
      this.#keepFails = false;
    } catch (error) {
      if (!this.#keepFails) this.#report('warn', error instanceof Error ? error.message : String(error));
      this.#keepFails = true;
    }
  }

  #report(level: ServerEvent['level'], message: string): void {
    this.#options.onEvent?.({ level, message });
  }
}
