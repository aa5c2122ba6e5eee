import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { packBatches } from '../../../src/shared/adapters/pack-batches.ts';

test('every message is in one batch, in order, within both limits, or too large for any', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 130 }), { maxLength: 60 });
  const limits = fc.record({
    messagesMax: fc.integer({ min: 1, max: 10 }),
    bytesMax: fc.integer({ min: 20, max: 120 }),
    overheadBytes: fc.integer({ min: 0, max: 10 }),
  });
  fc.assert(
    fc.property(sizes, limits, (lengths, { messagesMax, bytesMax, overheadBytes }) => {
      const messages = lengths.map((length, i) => ({ id: String(i), body: 'x'.repeat(length) }));
      const { batches, tooLarge } = packBatches(messages, { messagesMax, bytesMax, overheadBytes });
      const placed = batches.flat().map(({ index }) => index);
      expect(placed).toEqual([...placed].sort((a, b) => a - b));
      expect([...placed, ...tooLarge].sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
      for (const index of tooLarge) expect((lengths[index] ?? 0) + overheadBytes).toBeGreaterThan(bytesMax);
      for (const batch of batches) {
        const bytes = batch.reduce((sum, { message }) => sum + message.body.length + overheadBytes, 0);
        expect(batch.length).toBeLessThanOrEqual(messagesMax);
        expect(bytes).toBeLessThanOrEqual(bytesMax);
      }
    }),
  );
});
