/**
 * Nobody sees or changes a byte of another's (tests/helpers/non-interference.ts), over the store of this cloud. Few runs: every
 * one takes a new table or container for each watched caller. Many of them are in memory (tests/unit/http).
 */
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import fc from 'fast-check';
import { cloudName, httpEntry, openStore } from '#cloud';
import { loadConfig } from '../../src/shared/config/config.ts';
import { type DeclaredIndex, indexesOf } from '../../src/shared/domain/indexes/declared-index.ts';
import { indexEntries } from '../../src/shared/domain/indexes/index-entry.ts';
import { Replica } from '../../src/shared/domain/replica.ts';
import { invoke } from '../helpers/api.ts';
import { MemoryQueue } from '../helpers/memory-queue.ts';
import { ACCESSES, neverInterferes, type OpenWorld, stepArbitrary } from '../helpers/non-interference.ts';
import { apiAt, completeBeats, type OwnedSite } from '../helpers/owned-entity.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';
import { START_MS } from '../helpers/test-site.ts';

const STEPS_MAX = 20;
const RUNS = 4;

let cloud: TestCloud;
let restore: () => void;
let worlds = 0;

beforeAll(async () => {
  cloud = await startCloud(cloudName);
  restore = setEnvironment(cloud.env);
});

afterAll(async () => {
  restore();
  await cloud.close();
});

/** The site of a new, empty store. */
const emulated: OpenWorld = async (entity, callers, nextId) => {
  worlds += 1;
  const env = { ...cloud.env, ...(await cloud.createStore(`world-${worlds}`)) };
  const indexes = indexesOf(entity);
  const store = openStore(
    loadConfig(cloudName, env),
    indexEntries(indexes, () => undefined),
  );
  const site: OwnedSite = {
    nowMs: START_MS,
    site: { site: cloud.site, peers: ['elsewhere-1'], now: () => site.nowMs },
    replica: (declared: readonly DeclaredIndex[], next = nextId) =>
      new Replica({
        site: site.site,
        resources: { store, outbox: new MemoryQueue(), sleep: () => Promise.resolve() },
        indexes: declared,
        ids: { next },
      }),
  };
  await store.putMany(completeBeats(site.site, indexes).map((record) => ({ record, expected: undefined })));
  return apiAt(site, entity, callers, { nextId, entry: httpEntry, invoke });
};

describe.each(ACCESSES)('where records have %s', (_title, access) => {
  test('no answer to a caller depends on what others wrote', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArbitrary, { minLength: STEPS_MAX / 2, maxLength: STEPS_MAX, size: 'max' }),
        (steps) => neverInterferes(steps, access, emulated),
      ),
      // What fails is shown as it is: to make it smaller takes minutes.
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
