/** Two or three sites in memory, each with the others as peers, and what goes between them delivered. */
import { begin } from '@tandem-clouds/replication/anti-entropy/compare';
import type { Job } from '@tandem-clouds/replication/anti-entropy/job';
import {
  type Verification,
  verificationKey,
  verificationOf,
} from '@tandem-clouds/replication/anti-entropy/verification';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { applyBatch } from '@tandem-clouds/replication/apply';
import type { Disposition, OutboundMessage } from '@tandem-clouds/replication/ports/queue';
import { checkEvent } from '../../src/shared/validation/check-event.ts';
import { checkStep } from '../../src/shared/validation/check-step.ts';
import { delivered, TestSite } from './test-site.ts';

const NAMES = ['aws-us-east-1', 'azure-eastus', 'aws-eu-west-1'] as const;
export const [AWS, AZURE] = NAMES;

export class Mesh {
  readonly sites: readonly TestSite[];
  /** Characters that crossed between sites for comparisons. */
  crossed = 0;
  delaySeconds = 0;
  /** What became of the messages that repairs sent. */
  readonly applied: Disposition[] = [];

  constructor(count = 2) {
    const names = NAMES.slice(0, count);
    this.sites = names.map(
      (name) =>
        new TestSite(
          name,
          names.filter((peer) => peer !== name),
        ),
    );
  }

  site(name: string): TestSite {
    return this.sites.find(({ site }) => site.site === name)!;
  }

  tick(ms: number): void {
    for (const site of this.sites) site.nowMs += ms;
  }

  /** Puts the same records at every site. */
  async agree(count: number): Promise<void> {
    const [first, ...rest] = this.sites;
    for (let i = 0; i < count; i += 1) await first!.write(`user:${i}`, { name: `n${i}` });
    for (const site of rest) {
      await site.run(applyBatch(site.site, first!.outboxDeliveries(), checkEvent));
    }
    this.tick(60_000);
  }

  /** Delivers steps of comparisons, and what repairs send, until nothing is left. */
  async settle(deliver = (message: OutboundMessage) => [message]): Promise<Disposition[]> {
    const dispositions: Disposition[] = [];
    for (let moved = true; moved;) {
      moved = false;
      for (const from of this.sites) {
        for (const [to, queue] of from.verifiers) {
          for (const message of queue.sent.splice(0).flatMap(deliver)) {
            moved = true;
            if (to !== from.site.site) this.crossed += message.body.length;
            this.delaySeconds = Math.max(this.delaySeconds, message.delaySeconds ?? 0);
            const site = this.site(to);
            dispositions.push(...(await site.run(verify(site.site, [delivered(message)], checkStep))));
          }
        }
        for (const [to, queue] of from.peers) {
          const messages = queue.sent.splice(0).map(delivered);
          if (messages.length === 0) continue;
          const report = await this.site(to).run(applyBatch(this.site(to).site, messages, checkEvent));
          this.applied.push(...report.dispositions);
        }
      }
    }
    return dispositions;
  }

  async compare(options: Partial<Job> = {}): Promise<Verification> {
    await this.beginAndSettle(options);
    return this.result({ from: AWS, to: AZURE, ...options });
  }

  /** Returns what became of its steps. */
  async beginAndSettle(options: Partial<Job> = {}): Promise<Disposition[]> {
    const site = this.site(options.from ?? AWS);
    const job = { id: 'job', from: AWS, to: AZURE, atMs: site.nowMs, repair: false, ...options };
    await site.run(begin(site.site, job));
    return this.settle();
  }

  result(job: { from: string; to: string; of?: string } = { from: AWS, to: AZURE }): Verification {
    return verificationOf(this.site(job.from).held(verificationKey(job)))!;
  }

  /** Key → state, of what users wrote. */
  states(name: string): Record<string, unknown> {
    const entries = [...this.site(name).store.items].filter(([key]) => key.startsWith('user:'));
    return Object.fromEntries(entries.sort().map(([key, { record }]) => [key, record.state]));
  }
}
