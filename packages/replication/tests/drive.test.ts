import { expect, test } from '@jest/globals';
import { timeLimit } from '../../../src/shared/time-limit.ts';
import { MemoryStore } from '../../../tests/helpers/memory-store.ts';
import { drive } from '../src/drive.ts';
import { UnavailableError } from '../src/errors.ts';
import { all, getMany, type Protocol, putMany } from '../src/protocol.ts';

const resources = { store: new MemoryStore(), sleep: () => Promise.resolve() };

test('what runs side by side within a limit fails each in its own way once the time is over', async () => {
  let nowMs = 0;
  const limit = timeLimit({ ms: 1_000, now: () => nowMs });
  function* reading(): Protocol<string> {
    try {
      yield* getMany(['user:1']);
      return 'read';
    } catch (error) {
      return error instanceof UnavailableError ? 'not begun' : 'failed otherwise';
    }
  }
  function* writing(): Protocol<string> {
    const record = { key: 'user:1', state: { fields: {}, vector: {} }, pending: {}, operations: [] };
    const [result] = yield* putMany([{ record, expected: undefined }]);
    return result?.status ?? 'no outcome';
  }
  expect(await drive(all([reading(), writing()]), resources, limit)).toEqual(['read', 'written']);
  nowMs = 1_000;
  expect(await drive(all([reading(), writing()]), resources, limit)).toEqual(['not begun', 'failed']);
});
