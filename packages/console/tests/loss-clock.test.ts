/** The clock of a loss: what it notes, when it asks, and when it ends. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { LossClock, type Probed } from '@tandem-clouds/console/server/loss-clock';
import type { ImposedFault } from '@tandem-clouds/local/faults/fault-order';

const SINCE_MS = Date.parse('2026-11-30T12:00:00.000Z');
const STOP: ImposedFault = {
  id: 'stop:aws-us-east-1',
  kind: 'stop',
  site: 'aws-us-east-1',
  since: new Date(SINCE_MS).toISOString(),
  sentence: '',
};

let clock: LossClock | undefined;
afterEach(() => clock?.close());

/** A clock whose time goes on by 100 ms with each question; `answers` come in turn, the last again and again. */
function clockWith(
  answers: readonly Probed[],
  pending: readonly (number | null)[] = [0],
): { asked: () => number } {
  let nowMs = SINCE_MS;
  let asked = 0;
  let looked = 0;
  clock = new LossClock({
    now: () => nowMs,
    everyMs: 0,
    probe: () => {
      nowMs += 100;
      asked += 1;
      const answer = answers[Math.min(asked, answers.length) - 1];
      if (answer === undefined) throw new Error('an answer is needed');
      return Promise.resolve(answer);
    },
    pendingOf: () => {
      looked += 1;
      return Promise.resolve(pending[Math.min(looked, pending.length) - 1] ?? null);
    },
  });
  return { asked: () => asked };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setImmediate(resolve));
}

const both = { 'aws-us-east-1': true, 'azure-eastus': true };
const one = { 'aws-us-east-1': false, 'azure-eastus': true };

describe('the clock of a loss', () => {
  test('notes each step once, by the time since the fault', async () => {
    clockWith(
      [
        { healthy: both, responder: undefined },
        { healthy: one, responder: undefined },
        { healthy: one, responder: 'azure-eastus' },
      ],
      [4, 0],
    );
    clock?.see([STOP], () => 7);
    await until(() => clock?.loss?.firstGoodMs !== undefined);
    expect(clock?.loss).toMatchObject({
      atRisk: 7,
      detectedMs: 200,
      firstGoodMs: 300,
      firstGoodFrom: 'azure-eastus',
      failed: 2,
    });
    expect(clock?.loss?.backMs).toBeUndefined();
  });

  test('ends when what was held back has crossed, and asks nobody any more', async () => {
    const { asked } = clockWith([{ healthy: both, responder: 'azure-eastus' }], [4, null, 0]);
    clock?.see([STOP], () => null);
    await until(() => clock?.loss?.firstGoodMs !== undefined);
    // Healthy before it is lifted is what the edge has not noticed yet.
    expect(clock?.loss?.backMs).toBeUndefined();
    clock?.see([], () => null);
    await until(() => clock?.loss?.crossedMs !== undefined);
    const { liftedMs = 0, backMs = 0, crossedMs = 0 } = clock?.loss ?? {};
    expect(backMs).toBeGreaterThanOrEqual(liftedMs);
    expect(crossedMs).toBe(backMs + 200);
    const before = asked();
    await clock?.close();
    expect(asked()).toBe(before);
  });

  test('begins anew with the next loss, and not with the same fault seen again', () => {
    clockWith([{ healthy: one, responder: 'azure-eastus' }]);
    clock?.see([STOP], () => 1);
    clock?.see([STOP], () => 2);
    expect(clock?.loss?.atRisk).toBe(1);
    const later = { ...STOP, since: new Date(SINCE_MS + 60_000).toISOString() };
    clock?.see([later], () => 3);
    expect(clock?.loss).toMatchObject({ atRisk: 3, since: later.since });
  });

  test('is of what takes a whole cloud away, and of nothing else', () => {
    const { asked } = clockWith([{ healthy: both, responder: undefined }]);
    clock?.see([{ ...STOP, id: 'slow:aws-us-east-1', kind: 'slow', ms: 5 }], () => 1);
    expect([clock?.loss, asked()]).toEqual([undefined, 0]);
  });
});
