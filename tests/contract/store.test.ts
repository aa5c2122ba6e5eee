import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AmbiguousError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { openStore as openDynamo } from '../../src/shared/adapters/aws/cloud.ts';
import { openStore as openCosmos } from '../../src/shared/adapters/azure/cloud.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import { MemoryStore } from '../helpers/memory-store.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';
import { describeIndexes } from './suites/index-suite.ts';
import { describeStore, recordOf } from './suites/store-suite.ts';

describeStore('memory', () => new MemoryStore());
const memory = new MemoryStore();
describeIndexes('memory', (entriesOf) => {
  memory.entriesOf = entriesOf;
  return memory;
});

describe.each([
  ['aws', openDynamo, 'PutItem', 'GetItem'],
  ['azure', openCosmos, 'Bulk', 'Read'],
] as const)('%s', (name, open, writeOperation, readOperation) => {
  let cloud: TestCloud;
  let store: Store;
  let kept = noEntries;
  let restore: () => void;

  beforeAll(async () => {
    cloud = await startCloud(name);
    restore = setEnvironment(cloud.env);
    store = open(loadConfig(name, cloud.env), (record, use) => kept(record, use));
  });

  afterAll(async () => {
    restore();
    await cloud.close();
  });

  describeStore(name, () => store);
  describeIndexes(name, (entriesOf) => {
    kept = entriesOf;
    return store;
  });

  test('a throttled write fails for now, after a bounded number of tries', async () => {
    cloud.storeFaults.set([{ kind: 'error', operation: writeOperation }]);
    const [result] = await store.putMany([{ record: recordOf('fault:1'), expected: undefined }]);
    cloud.storeFaults.clear();
    expect(result).toMatchObject({ status: 'failed' });
    expect((result as { error: Error }).error).toMatchObject({ retryable: true });
  });

  test('a write whose answer is lost is either known to be there or ambiguous', async () => {
    cloud.storeFaults.set([{ kind: 'drop-ack', operation: writeOperation }]);
    const [result] = await store.putMany([{ record: recordOf('fault:2'), expected: undefined }]);
    cloud.storeFaults.clear();
    expect(await store.get('fault:2')).toBeDefined();
    if (result?.status === 'failed') expect(result.error).toBeInstanceOf(AmbiguousError);
    else expect(result?.status).toBe('stale');
  });

  test('a write that breaks a rule of the store fails for good', async () => {
    let deep: Json = [];
    for (let level = 1; level < 128; level += 1) deep = [deep];
    const { state, ...rest } = recordOf('fault:4');
    const record =
      name === 'aws'
        ? recordOf(`fault:${'x'.repeat(2_048)}`)
        : {
            ...rest,
            state: { ...state, fields: { deep: [Object.values(state.vector)[0] ?? '', deep] as const } },
          };
    const [result] = await store.putMany([{ record, expected: undefined }]);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'refused', retryable: false } });
    expect((result as { error: Error }).error.message).toMatch(/2048|400/);
  });

  test('a failing read is an error, never an absent record', async () => {
    await store.putMany([{ record: recordOf('fault:3'), expected: undefined }]);
    cloud.storeFaults.set([{ kind: 'error', operation: readOperation }]);
    await expect(store.get('fault:3')).rejects.toMatchObject({ retryable: true });
    cloud.storeFaults.clear();
    expect(await store.get('fault:3')).toBeDefined();
  });
});
