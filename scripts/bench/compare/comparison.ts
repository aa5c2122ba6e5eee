/** One comparison of two stores by the product's protocol; what would cross between the clouds is counted. */
import { begin } from '@tandem-clouds/replication/anti-entropy/compare';
import { verificationKey, verificationOf } from '@tandem-clouds/replication/anti-entropy/verification';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import type { OutboundMessage, QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import { checkStep } from '../../../src/shared/validation/check-step.ts';
import type { FilledStore } from './stores.ts';

const NAMES = ['aws-us-east-1', 'azure-eastus'] as const;

interface ReportedOrder {
  readonly from: string;
  readonly to: string;
  readonly message: OutboundMessage;
}

export interface ComparisonResult {
  readonly seconds: number;
  /** Of the messages that went from one site to the other. */
  readonly bytes: number;
  /** Records that either side lacks, or holds in an earlier state. */
  readonly differing: number;
}

export class Comparison {
  readonly #stores: ReadonlyMap<string, FilledStore>;
  readonly #reported: ReportedOrder[] = [];

  constructor(aws: FilledStore, azure: FilledStore) {
    this.#stores = new Map([
      [NAMES[0], aws],
      [NAMES[1], azure],
    ]);
  }

  async run(): Promise<ComparisonResult> {
    const [from, to] = NAMES;
    const job = { id: 'bench', from, to, atMs: Date.now(), repair: false };
    const startMs = performance.now();
    let bytes = 0;
    await this.#at(from, (site) => begin(site, { ...job, id: `bench-${job.atMs}` }));
    for (let step = this.#reported.shift(); step !== undefined; step = this.#reported.shift()) {
      const { message } = step;
      if (step.from !== step.to) bytes += Buffer.byteLength(message.body);
      const messages = [{ id: message.id, body: message.body, attributes: {}, attempts: 1 }];
      const [disposition] = await this.#at(step.to, (site) => verify(site, messages, checkStep));
      if (disposition?.kind !== 'done')
        throw new Error(`a step was not taken: ${JSON.stringify(disposition)}`);
    }
    const seconds = (performance.now() - startMs) / 1000;
    const held = await this.#stores.get(from)?.store.get(verificationKey(job));
    const result = verificationOf(held?.record);
    if (result?.endedAtMs === undefined) throw new Error('the comparison did not end');
    return { seconds, bytes, differing: (result.from?.differing ?? 0) + (result.to?.differing ?? 0) };
  }

  #at<Result>(name: string, protocol: (site: Site) => Protocol<Result>): Promise<Result> {
    const peers = NAMES.filter((other) => other !== name);
    return drive(protocol({ site: name, peers, now: Date.now }), this.#resources(name));
  }

  #resources(from: string): Resources {
    const filled = this.#stores.get(from);
    if (filled === undefined) throw new RangeError(`no site ${from}`);
    const queue = (to: string): QueueSender => ({
      send: (messages) => {
        this.#reported.push(...messages.map((message) => ({ from, to, message })));
        return Promise.resolve(messages.map(() => undefined));
      },
      ping: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
    const nowhere: QueueSender = {
      ...queue(from),
      send: (messages) => Promise.resolve(messages.map(() => undefined)),
    };
    return {
      store: filled.store,
      outbox: nowhere,
      verifiers: new Map(NAMES.map((name) => [name, queue(name)])),
      sleep: () => Promise.resolve(),
    };
  }
}
