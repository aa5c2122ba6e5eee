/**
 * The clock of a drill beside the buttons: what becomes of a cloud that was stopped or frozen here, as somebody outside sees it
 * who asks the edge again and again.
 *
 * Invariant: it asks while a loss is on, and until what had not crossed has; otherwise it asks nobody.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ImposedFault } from '@tandem-clouds/local/faults/fault-order';

const EVERY_MS = 200;
const PROBE_WITHIN_MS = 3_000;
/** Somebody has stopped the other cloud too, or the disk is gone: it is not waited for any longer. */
const COMES_BACK_WITHIN_MS = 10 * 60_000;

/** Times are milliseconds since the fault was on; absent: not yet. */
export interface Loss {
  /** Of the fault. */
  readonly id: string;
  readonly site: string;
  readonly kind: string;
  /** RFC 3339. */
  readonly since: string;
  /** Records there that had not crossed, by the look before; null: nobody knew. */
  readonly atRisk: number | null;
  /** The edge sends it no more requests. */
  readonly detectedMs?: number;
  /** The first good answer to a request that was sent after the loss, and who gave it. */
  readonly firstGoodMs?: number;
  readonly firstGoodFrom?: string;
  /** Requests since then, one after the other. */
  readonly asked: number;
  readonly failed: number;
  /** The fault was lifted; after that, when the edge sent it requests again, and when all that it had held back had crossed. */
  readonly liftedMs?: number;
  readonly backMs?: number;
  readonly crossedMs?: number;
}

export interface Probed {
  /** Site → whether the edge sends it requests; undefined: the edge does not answer. */
  readonly healthy: Readonly<Record<string, boolean>> | undefined;
  /** Who answered a request; undefined: nobody, or with an error. */
  readonly responder: string | undefined;
}

export interface LossClockOptions {
  /** Asks the edge once, with a request like a customer's. Never rejects. */
  readonly probe: (signal: AbortSignal) => Promise<Probed>;
  /** Records of a site that have not crossed, as the site says now; null: it does not say. */
  readonly pendingOf: (site: string) => Promise<number | null>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly everyMs?: number;
}

type Open = { -readonly [K in keyof Loss]: Loss[K] };

export class LossClock {
  readonly #options: LossClockOptions;
  readonly #stopped = new AbortController();
  #loss: Open | undefined;
  #running: Promise<void> | undefined;

  constructor(options: LossClockOptions) {
    this.#options = options;
  }

  /** The latest, also when it is over. */
  get loss(): Loss | undefined {
    return this.#loss && { ...this.#loss };
  }

  /** @param faults Those that are on. @param atRisk Records of a site that had not crossed by the latest look. */
  see(faults: readonly ImposedFault[], atRisk: (site: string) => number | null): void {
    const { now = Date.now } = this.#options;
    const loss = this.#loss;
    if (loss !== undefined && loss.liftedMs === undefined && !faults.some(({ id }) => id === loss.id))
      loss.liftedMs = now() - Date.parse(loss.since);
    const latest = faults.findLast(({ kind }) => kind === 'stop' || kind === 'freeze');
    if (latest === undefined || (latest.id === loss?.id && latest.since === loss.since)) return;
    const { id, site, kind, since } = latest;
    this.#loss = { id, site, kind, since, atRisk: atRisk(site), asked: 0, failed: 0 };
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { probe, pendingOf, now = Date.now, everyMs = EVERY_MS } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const loss = this.#loss;
      if (loss === undefined || isOver(loss, now())) return;
      const since = (): number => now() - Date.parse(loss.since);
      const within = AbortSignal.any([signal, AbortSignal.timeout(PROBE_WITHIN_MS)]);
      const { healthy, responder } = await probe(within);
      loss.asked += 1;
      if (responder === undefined) loss.failed += 1;
      else if (loss.firstGoodMs === undefined) [loss.firstGoodMs, loss.firstGoodFrom] = [since(), responder];
      const isHealthy = healthy?.[loss.site];
      if (isHealthy === false) loss.detectedMs ??= since();
      if (loss.liftedMs !== undefined && isHealthy === true) loss.backMs ??= since();
      if (loss.backMs !== undefined && (await pendingOf(loss.site)) === 0) loss.crossedMs ??= since();
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function isOver({ since, liftedMs, crossedMs }: Loss, nowMs: number): boolean {
  if (crossedMs !== undefined) return true;
  return liftedMs !== undefined && nowMs - Date.parse(since) - liftedMs > COMES_BACK_WITHIN_MS;
}
