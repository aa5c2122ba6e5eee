/** One site on virtual time: the protocols of the product, as its functions drive them, over a store and queues. */
import type { Budget } from '@tandem-clouds/emulators/core/budget';
import type { Credits } from '@tandem-clouds/emulators/service-bus/credits';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { sweepTickMs } from '@tandem-clouds/replication/bounds';
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { forward } from '@tandem-clouds/replication/forward';
import { beat } from '@tandem-clouds/replication/heartbeat';
import { localWrite } from '@tandem-clouds/replication/local-write';
import type { PendingEntry, Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { sweep } from '@tandem-clouds/replication/sweep';
import type { Urgency } from '../../../../src/shared/ports/cloud.ts';
import { checkEvent } from '../../../../src/shared/validation/check-event.ts';
import { checkStep } from '../../../../src/shared/validation/check-step.ts';
import type { CloudName } from '../../service-bundles.ts';
import { VirtualQueue } from './virtual-queue.ts';
import { type BridgeStore, VirtualData, VirtualStore } from './virtual-store.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What differs between the platforms: `serverless.<cloud>.yml` and `host.json`. */
const PLATFORM = {
  aws: { batchSize: 10, batchesAtOnce: 5, packsAtOnce: 5, tickMs: sweepTickMs, runsMax: 1 },
  azure: { batchSize: 100, batchesAtOnce: 1, packsAtOnce: 1, tickMs: 3 * sweepTickMs, runsMax: 3 },
} as const;

export interface VirtualSiteOptions {
  readonly name: string;
  readonly cloud: CloudName;
  readonly time: VirtualTime;
  readonly budget: Budget;
  readonly credits: Credits | undefined;
  readonly latencyMs: () => number;
  /** The other site; it is asked when something is sent. */
  readonly peer: () => VirtualSite;
  readonly peerName: string;
  /** Whether its sweeper sends packs. */
  readonly packs: boolean;
}

export class VirtualSite {
  readonly data = new VirtualData();
  readonly out: VirtualQueue;
  readonly in: VirtualQueue;
  readonly verify: VirtualQueue;
  readonly #options: VirtualSiteOptions;
  readonly #site: Site;
  readonly #live: Resources;
  readonly #background: Resources;
  #sweptTo: PendingEntry | undefined;
  /** Whether ticks of its sweeper are left out. */
  isHeld = true;

  constructor(options: VirtualSiteOptions) {
    this.#options = options;
    const { name, cloud, time, credits, latencyMs, peerName } = options;
    const { batchSize, batchesAtOnce, packsAtOnce } = PLATFORM[cloud];
    this.#site = { site: name, peers: [peerName], now: time.now };
    const queue = { sleep: time.sleep, latencyMs, credits };
    const check = checkEvent;
    this.out = new VirtualQueue({
      ...queue,
      batchSize,
      batchesAtOnce,
      run: (messages) => drive(forward(this.#site, messages, check), this.#live),
    });
    this.in = new VirtualQueue({
      ...queue,
      batchSize,
      batchesAtOnce,
      run: async (messages) =>
        (await drive(applyBatch(this.#site, messages, check), this.#live)).dispositions,
    });
    this.verify = new VirtualQueue({
      ...queue,
      batchSize: 1,
      batchesAtOnce: packsAtOnce,
      run: (messages) =>
        drive(
          verify(this.#site, messages, checkStep, { packs: { check, applied: () => undefined } }),
          this.#background,
        ),
    });
    this.#live = this.#resources('live');
    this.#background = this.#resources('background');
  }

  #resources(urgency: Urgency): Resources {
    const { time, budget, latencyMs, peer, peerName, name } = this.#options;
    const store: BridgeStore = new VirtualStore({
      data: this.data,
      budget,
      urgency,
      sleep: time.sleep,
      latencyMs,
    });
    const to = (queue: 'in' | 'verify', site: () => VirtualSite) => ({
      send: (messages: Parameters<VirtualQueue['send']>[0]) => site()[queue].send(messages),
      ping: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
    const own = (): VirtualSite => this;
    return {
      // The protocols of the bridge ask for nothing else.
      store: store as Store,
      outbox: this.out,
      peers: new Map([
        [peerName, to('in', peer)],
        [name, to('in', own)],
      ]),
      verifiers: new Map([
        [peerName, to('verify', peer)],
        [name, to('verify', own)],
      ]),
      sleep: time.sleep,
    };
  }

  async write(key: string, operationId: string, filling: string): Promise<void> {
    await drive(
      localWrite(this.#site, { key, operationId, decide: () => ({ data: { filling } }) }),
      this.#live,
    );
  }

  async isReadable(key: string): Promise<boolean> {
    return (await this.#live.store.get(key)) !== undefined;
  }

  /** Its heartbeat reports what it understands. */
  async beat(): Promise<void> {
    await drive(beat(this.#site), this.#background);
  }

  /** The timer of the sweeper. A tick that comes while the run before is not over is left out. */
  async tick(): Promise<never> {
    const { time, cloud } = this.#options;
    const { tickMs, runsMax } = PLATFORM[cloud];
    for (;;) {
      const beganMs = time.now();
      for (let run = 0; !this.isHeld && run < runsMax && (await this.#sweep()); run += 1);
      await time.sleep(tickMs - ((time.now() - beganMs) % tickMs));
    }
  }

  /** True when there may be more. */
  async #sweep(): Promise<boolean> {
    const protocol = sweep(this.#site, { after: this.#sweptTo, packs: this.#options.packs });
    const { resume, silent } = await drive(protocol, this.#background);
    this.#sweptTo = resume;
    return resume !== undefined && Object.keys(silent).length === 0;
  }
}
