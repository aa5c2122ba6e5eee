import { describe, expect, test } from '@jest/globals';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { deadLetterScansMax, deadLetterSettlesMax } from '../../src/shared/bounds.ts';
import { DeadLetterService } from '../../src/shared/operations/dead-letter-service.ts';
import type { DeadLetter, DeadLetterBox, Sample, Verdict } from '../../src/shared/ports/dead-letter-box.ts';
import { MemoryQueue } from '../helpers/memory-queue.ts';

const PAGE = 10;
const deadLetterOf = (n: number): DeadLetter => ({
  id: `m${n}`,
  source: 'tandem-in',
  reason: 'malformed',
  detail: '',
  body: `body ${n}`,
  atMs: n,
});

/** A box in memory that tells in which order things happened, and can die before it removes. */
class MemoryBox implements DeadLetterBox {
  messages: DeadLetter[];
  diesBeforeRemoving = false;

  constructor(count: number) {
    this.messages = Array.from({ length: count }, (_, n) => deadLetterOf(n));
  }

  scan(limit: number, see: (messages: readonly DeadLetter[]) => void): Promise<Sample> {
    return this.settle(limit, (messages) => {
      see(messages);
      return Promise.resolve({ remove: new Set(), goOn: true });
    });
  }

  async settle(
    limit: number,
    decide: (messages: readonly DeadLetter[]) => Promise<Verdict>,
  ): Promise<Sample> {
    const all = [...this.messages];
    let scanned = 0;
    for (; scanned < Math.min(limit, all.length);) {
      const page = all.slice(scanned, Math.min(scanned + PAGE, limit));
      scanned += page.length;
      const { remove, goOn } = await decide(page);
      if (this.diesBeforeRemoving && remove.size > 0) throw new UnavailableError('died');
      this.messages = this.messages.filter(({ id }) => !remove.has(id));
      if (!goOn) return { scanned, atLeast: true };
    }
    return { scanned, atLeast: scanned < all.length };
  }
}

const serviceOf = (count: number) => {
  const box = new MemoryBox(count);
  const queue = new MemoryQueue();
  return { box, queue, service: new DeadLetterService(box, new Map([['tandem-in', queue]])) };
};

describe('a replay', () => {
  test('that dies before it removes has lost nothing, and may be repeated', async () => {
    const { box, queue, service } = serviceOf(1);
    box.diesBeforeRemoving = true;
    await expect(service.replay({ reason: 'malformed' })).rejects.toThrow('died');
    expect([queue.sent.length, box.messages.length]).toEqual([1, 1]);
    box.diesBeforeRemoving = false;
    expect(await service.replay({ reason: 'malformed' })).toMatchObject({ settled: 1 });
    expect(box.messages).toEqual([]);
  });

  test('leaves what the queue refuses where it is, and says why', async () => {
    const { box, queue, service } = serviceOf(3);
    queue.refuse = ({ body }) => (body === 'body 1' ? new UnavailableError('full') : undefined);
    expect(await service.replay({ reason: 'malformed' })).toMatchObject({
      matched: 3,
      settled: 2,
      failed: [{ id: 'm1', detail: 'full' }],
    });
    expect(box.messages.map(({ id }) => id)).toEqual(['m1']);
  });

  test('of one letter among thousands stops when it has been found', async () => {
    const { service } = serviceOf(5_000);
    expect(await service.replay({ ids: ['m3'] })).toMatchObject({ scanned: PAGE, settled: 1 });
  });
});

describe('thousands of dead letters', () => {
  test('are looked at up to a bound, and the answer says that there are more', async () => {
    const { service } = serviceOf(5_000);
    expect(await service.causes()).toMatchObject({
      scanned: deadLetterScansMax,
      atLeast: true,
      causes: [{ messages: deadLetterScansMax, oldest: new Date(0).toISOString() }],
    });
    await expect(service.show('m4999')).rejects.toThrow(/there are more/);
  });

  test('are settled a bounded number at a time', async () => {
    const { box, service } = serviceOf(5_000);
    expect(await service.discard({ reason: 'malformed' })).toMatchObject({ settled: deadLetterSettlesMax });
    expect(box.messages).toHaveLength(5_000 - deadLetterSettlesMax);
  });
});
