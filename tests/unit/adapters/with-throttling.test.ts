import { expect, test } from '@jest/globals';
import { throttlePauses } from '../../../src/shared/adapters/with-throttling.ts';
import { throttling } from '../../../src/shared/bounds.ts';

/** How long a call is asked again on a clock that moves by the pauses and by what each try takes. */
async function callMs(tryMs: number, hintMs = 0): Promise<number> {
  let nowMs = 0;
  const sleep = (ms: number): Promise<void> => {
    nowMs += ms;
    return Promise.resolve();
  };
  const pauses = throttlePauses('background', sleep, () => nowMs);
  do nowMs += tryMs;
  while (await pauses.next(hintMs));
  return nowMs;
}

test.each([0, 50, 1_500, 4_000])(
  'a throttled call ends within its bound and one try more, when each try takes %i ms',
  async (tryMs) => {
    const { waitMs } = throttling.background;
    const took = await callMs(tryMs);
    expect(took).toBeLessThanOrEqual(waitMs + tryMs);
    expect(took).toBeGreaterThan(waitMs / 2);
  },
);

test('what the store asks for is waited for only when it is within the bound', async () => {
  expect(await callMs(0, throttling.background.waitMs + 1)).toBe(0);
});
