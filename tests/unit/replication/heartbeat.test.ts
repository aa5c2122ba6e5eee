import { describe, expect, test } from '@jest/globals';
import { heartbeatMs } from '../../../src/shared/bounds.ts';
import { applyBatch } from '../../../src/shared/replication/apply.ts';
import {
  beat,
  heardMsAgo,
  leaveNotes,
  silentPeers,
  sweptTo,
} from '../../../src/shared/replication/heartbeat.ts';
import { heartbeatKey } from '../../../src/shared/replication/heartbeat-record.ts';
import { isOwnBusiness } from '../../../src/shared/replication/reserved.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { START_MS, TestSite } from '../../helpers/test-site.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';

describe('a heartbeat', () => {
  test('crosses like any other write and tells the peer when it was heard', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const azure = new TestSite(AZURE, [AWS]);
    await aws.run(beat(aws.site));
    await azure.run(applyBatch(azure.site, aws.outboxDeliveries(), checkEvent));
    expect(heardMsAgo(azure.held(heartbeatKey(AWS)), START_MS + 1_200)).toBe(1_200);
  });

  test('is one record, however often the site beats', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    for (let i = 0; i < 3; i += 1) {
      await aws.run(beat(aws.site));
      aws.nowMs += heartbeatMs;
    }
    expect([...aws.store.items.keys()]).toEqual([heartbeatKey(AWS)]);
    expect(heardMsAgo(aws.held(heartbeatKey(AWS)), aws.nowMs)).toBe(heartbeatMs);
  });

  test('that two runs write in one millisecond is written once', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    await Promise.all([aws.run(beat(aws.site)), aws.run(beat(aws.site))]);
    expect(aws.store.items.get(heartbeatKey(AWS))?.revision).toBe(1);
  });

  test('is written at every third tick, however irregular the ticks', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const ages: (number | null)[] = [];
    for (const tickMs of [0, 10_300, 9_900, 9_200, 10_000, 10_000, 10_000]) {
      aws.nowMs += tickMs;
      ages.push(heardMsAgo(await aws.run(beat(aws.site)), aws.nowMs));
    }
    expect(ages).toEqual([0, 10_300, 20_200, 0, 10_000, 20_000, 0]);
  });

  test('is written at once by a site whose clock was set back', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    await aws.run(beat(aws.site));
    aws.nowMs -= 3_600_000;
    expect(heardMsAgo(await aws.run(beat(aws.site)), aws.nowMs)).toBe(0);
  });

  test('that never arrived is no number', () => {
    expect(heardMsAgo(undefined, START_MS)).toBeNull();
  });

  test('of a peer whose clock is ahead was heard just now', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const record = await aws.run(beat(aws.site));
    expect(heardMsAgo(record, START_MS - 300)).toBe(0);
  });

  test('keeps where the sweeper stopped and who was silent, over the next beat, until that is over', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const notes = { sweptTo: { sinceMs: 5, key: 'user:1' }, silent: { [AZURE]: 'expired' } };
    await aws.run(leaveNotes(aws.site, notes));
    aws.nowMs += 10_000;
    const beaten = await aws.run(beat(aws.site));
    expect([sweptTo(beaten), silentPeers(beaten)]).toEqual([notes.sweptTo, notes.silent]);
    aws.nowMs += 10_000;
    const after = await aws.run(leaveNotes(aws.site, { sweptTo: undefined, silent: {} }));
    expect([sweptTo(after), silentPeers(after)]).toEqual([undefined, {}]);
  });

  test('is not written again for notes that it holds already', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    await aws.run(beat(aws.site));
    for (const silent of [{}, { [AZURE]: 'expired' }, { [AZURE]: 'expired' }, {}]) {
      aws.nowMs += 1;
      await aws.run(leaveNotes(aws.site, { sweptTo: undefined, silent }));
    }
    expect(aws.store.items.get(heartbeatKey(AWS))?.revision).toBe(3);
  });

  test('is told from records of users by its key', () => {
    expect([isOwnBusiness(heartbeatKey(AWS)), isOwnBusiness('user:heartbeat')]).toEqual([true, false]);
  });
});
