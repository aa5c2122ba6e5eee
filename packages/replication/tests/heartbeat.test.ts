import { describe, expect, test } from '@jest/globals';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { START_MS, TestSite } from '../../../tests/helpers/test-site.ts';
import { applyBatch } from '../src/apply.ts';
import { heartbeatMs, refusedKeysMax } from '../src/bounds.ts';
import {
  beat,
  hasNotes,
  heardMsAgo,
  leaveNotes,
  NO_NOTES,
  refusedAfter,
  refusedKeys,
  silentPeers,
  sweptTo,
} from '../src/heartbeat.ts';
import { heartbeatKey, understoodBy } from '../src/heartbeat-record.ts';
import { localWrite } from '../src/local-write.ts';
import type { StoredRecord } from '../src/record.ts';
import { isOwnBusiness } from '../src/reserved.ts';
import { SEMANTICS } from '../src/semantics.ts';

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

  test('keeps where the sweeper stopped, who was silent and what is refused, over the next beat, until that is over', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const refused = { [AZURE]: { 'user:2': 'SQS: no', 'user:3': 'SQS: no' } };
    const notes = { sweptTo: { sinceMs: 5, key: 'user:1' }, silent: { [AZURE]: 'expired' }, refused };
    await aws.run(leaveNotes(aws.site, notes));
    aws.nowMs += 10_000;
    const beaten = await aws.run(beat(aws.site));
    expect([sweptTo(beaten), silentPeers(beaten), refusedKeys(beaten)]).toEqual(Object.values(notes));
    expect(hasNotes(beaten)).toBe(true);
    aws.nowMs += 10_000;
    const after = await aws.run(leaveNotes(aws.site, NO_NOTES));
    expect([sweptTo(after), silentPeers(after), refusedKeys(after)]).toEqual([undefined, {}, {}]);
    expect(hasNotes(after)).toBe(false);
  });

  test('is not written again for notes that it holds already', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    await aws.run(beat(aws.site));
    for (const silent of [{}, { [AZURE]: 'expired' }, { [AZURE]: 'expired' }, {}]) {
      aws.nowMs += 1;
      await aws.run(leaveNotes(aws.site, { ...NO_NOTES, silent }));
    }
    expect(aws.store.items.get(heartbeatKey(AWS))?.revision).toBe(3);
  });

  test('names a bounded number of refused records, and fits its message with them', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const keys = Array.from({ length: refusedKeysMax + 1 }, (_, i) => [
      `user:${'x'.repeat(120)}${i}`,
      'why '.repeat(500),
    ]);
    await aws.run(leaveNotes(aws.site, { ...NO_NOTES, refused: { [AZURE]: Object.fromEntries(keys) } }));
    const named = refusedKeys(aws.held(heartbeatKey(AWS)))[AZURE] ?? {};
    expect(Object.keys(named)).toHaveLength(refusedKeysMax);
    expect(aws.outbox.sent).toHaveLength(1);
  });

  test('still names what an earlier run found when the last one did not come to every record', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const notes = { ...NO_NOTES, refused: { [AZURE]: { 'user:1': 'no', 'user:2': 'no' } } };
    const held = await aws.run(leaveNotes(aws.site, notes));
    const refused = { [AZURE]: { 'user:2': 'still no' } };
    const resume = { sinceMs: 5, key: 'user:3' };
    expect(refusedAfter(held, { refused, resume })).toEqual({
      [AZURE]: { 'user:1': 'no', 'user:2': 'still no' },
    });
    expect(refusedAfter(held, { refused, resume: undefined })).toEqual(refused);
  });

  test('says what the release that wrote it last understands, also after the site went back to one that does not say it', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const older = (): Promise<StoredRecord> =>
      aws.run(
        localWrite(aws.site, {
          key: heartbeatKey(AWS),
          operationId: `beat-${aws.nowMs}`,
          decide: () => ({ at: aws.nowMs }),
        }),
      );
    const understood = [understoodBy(await aws.run(beat(aws.site)))];
    for (const next of [() => aws.run(beat(aws.site)), older, () => aws.run(beat(aws.site))]) {
      aws.nowMs += heartbeatMs;
      understood.push(understoodBy(await next()));
    }
    aws.nowMs += 1;
    understood.push(understoodBy(await older()));
    aws.nowMs += 1;
    understood.push(understoodBy(await aws.run(beat(aws.site))));
    expect(understood).toEqual([SEMANTICS, SEMANTICS, 1, SEMANTICS, 1, SEMANTICS]);
  });

  test('is told from records of users by its key', () => {
    expect([isOwnBusiness(heartbeatKey(AWS)), isOwnBusiness('user:heartbeat')]).toEqual([true, false]);
  });
});
