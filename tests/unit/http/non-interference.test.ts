/** Nobody sees or changes a byte of another's (tests/helpers/non-interference.ts), at a site in memory. */
import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { ACCESSES, neverInterferes, type OpenWorld, stepArbitrary } from '../../helpers/non-interference.ts';
import { ownedApi } from '../../helpers/owned-entity.ts';

const inMemory: OpenWorld = (entity, callers, nextId) => Promise.resolve(ownedApi(entity, callers, nextId));

describe.each(ACCESSES)('where records have %s', (_title, access) => {
  test('no answer to a caller depends on what others wrote', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 40, size: 'max' }), (steps) =>
        neverInterferes(steps, access, inMemory),
      ),
      { numRuns: 40 },
    );
  });
});
