import { describe, expect, test } from '@jest/globals';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { delivered, START_MS, TestSite } from '../../../tests/helpers/test-site.ts';
import { applyBatch } from '../src/apply.ts';
import { clockAheadMaxMs, heartbeatMs, inboundAttemptsMax } from '../src/bounds.ts';
import type { ReplicationEvent } from '../src/event.ts';
import { beat, heardMsAgo } from '../src/heartbeat.ts';
import { heartbeatKey, understoodBy } from '../src/heartbeat-record.ts';
import { inventoryKey } from '../src/objects/inventory-record.ts';
import { pausedPeers, pauseKey, setPaused } from '../src/paused-peers.ts';
import { increment } from '../src/policies/counter.ts';
import type { Disposition } from '../src/ports/queue.ts';
import { SEMANTICS } from '../src/semantics.ts';
import { encodeStamp } from '../src/stamp.ts';

const [AWS, AZURE, OTHER, RETIRED] = [
  'aws-us-east-1',
  'azure-eastus',
  'aws-eu-west-1',
  'aws-retired',
] as const;
const KEY = 'user:1';

/** Azure has written the record after AWS, and its last event is genuine. */
async function met(): Promise<{ aws: TestSite; azure: TestSite; genuine: ReplicationEvent }> {
  const aws = new TestSite(AWS, [AZURE, OTHER]);
  const azure = new TestSite(AZURE, [AWS, OTHER]);
  await aws.write(KEY, { name: 'of aws', note: 'first' });
  await aws.write(KEY, {}, { decide: () => ({ visits: increment(1), note: 'second' }) });
  await azure.run(applyBatch(azure.site, aws.outboxDeliveries(), checkEvent));
  azure.nowMs += 10;
  await azure.write(KEY, { email: 'of azure' });
  const genuine = JSON.parse(azure.outbox.sent.at(-1)?.body ?? '') as ReplicationEvent;
  return { aws, azure, genuine };
}

async function receive(
  site: TestSite,
  event: ReplicationEvent,
  attempts = 1,
): Promise<Disposition | undefined> {
  const message = { ...delivered({ id: 'm', body: JSON.stringify(event) }), attempts };
  return (await site.run(applyBatch(site.site, [message], checkEvent))).dispositions[0];
}

/** With a register more, under a stamp that the vector then covers. */
function forged(event: ReplicationEvent, site: string, stamp: string, field = 'name'): ReplicationEvent {
  const { stamps, vector } = event.state;
  const covering = (vector[site] ?? '') > stamp ? vector : { ...vector, [site]: stamp };
  return {
    ...event,
    payload: { ...event.payload, [field]: 'forged' },
    state: { ...event.state, stamps: { ...stamps, [field]: stamp }, vector: covering },
  };
}

describe('an event of a peer', () => {
  test('is believed when it says what the peer may know', async () => {
    const { aws, genuine } = await met();
    expect(await receive(aws, genuine)).toEqual({ kind: 'done' });
    expect(aws.held(KEY)?.state.fields['email']?.[1]).toBe('of azure');
  });

  test.each<[string, (event: ReplicationEvent) => ReplicationEvent]>([
    [
      'a write of this site that it has not made',
      (e) => forged(e, AWS, encodeStamp(START_MS + 1_000, 0, AWS)),
    ],
    ['another value under a stamp of this site', (e) => forged(e, AWS, e.state.vector[AWS] ?? '', 'name')],
    ['a field that this site never wrote', (e) => forged(e, AWS, e.state.vector[AWS] ?? '', 'role')],
    [
      'a count of this site that it has not made',
      (e) => ({
        ...e,
        state: { ...e.state, counters: { points: { [AWS]: [e.state.vector[AWS] ?? '', 1_000] } } },
      }),
    ],
    ['a later life in which this site has written', (e) => ({ ...e, state: { ...e.state, incarnation: 7 } })],
  ])('that holds %s is set aside as forged and changes nothing', async (_, forge) => {
    const { aws, genuine } = await met();
    const before = aws.held(KEY);
    expect(await receive(aws, forge(genuine))).toMatchObject({ kind: 'dead', reason: 'forged_stamp' });
    expect(aws.held(KEY)).toEqual(before);
  });

  test.each([`pause:${AWS}`, `heartbeat:${OTHER}`, `verification:${AWS}.${AZURE}`, inventoryKey(AWS)])(
    'about %s, which only that site writes, is set aside as forged',
    async (key) => {
      const { aws, azure } = await met();
      await azure.write(key, { [AZURE]: START_MS });
      const event = JSON.parse(azure.outbox.sent.at(-1)?.body ?? '') as ReplicationEvent;
      expect(await receive(aws, event)).toMatchObject({ kind: 'dead', reason: 'forged_stamp' });
      expect(aws.held(key)).toBeUndefined();
    },
  );

  test.each([heartbeatKey(AZURE), pauseKey(AZURE), inventoryKey(AZURE), `verification:${AZURE}.${AWS}`])(
    'about %s, which the peer writes about itself, is believed',
    async (key) => {
      const { aws, azure } = await met();
      await azure.write(key, { seen: START_MS });
      const event = JSON.parse(azure.outbox.sent.at(-1)?.body ?? '') as ReplicationEvent;
      expect(await receive(aws, event)).toEqual({ kind: 'done' });
    },
  );

  test('with stamps of a site that is not known waits for the configuration, and is then set aside', async () => {
    const { aws, genuine } = await met();
    const event = forged(genuine, RETIRED, encodeStamp(START_MS, 0, RETIRED));
    expect((await receive(aws, event))?.kind).toBe('retry');
    expect(await receive(aws, event, inboundAttemptsMax)).toMatchObject({
      kind: 'dead',
      reason: 'forged_stamp',
    });
    Object.assign(aws.site, { retired: [RETIRED] });
    expect(await receive(aws, event)).toEqual({ kind: 'done' });
    expect(aws.held(KEY)?.state.vector).toHaveProperty(RETIRED);
  });

  test('about a record that was removed here may bear what this site wrote, up to its clock', async () => {
    const { aws, genuine } = await met();
    aws.store.items.delete(KEY);
    const ahead = forged(genuine, AWS, encodeStamp(START_MS + 1_000, 0, AWS));
    expect((await receive(aws, ahead))?.kind).toBe('retry');
    expect(await receive(aws, ahead, inboundAttemptsMax)).toMatchObject({
      kind: 'dead',
      reason: 'forged_stamp',
    });
    expect(await receive(aws, genuine)).toEqual({ kind: 'done' });
  });
});

describe('a site whose clock was ahead', () => {
  test('is heard again at once when it is right, and none of its reports is set aside', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const azure = new TestSite(AZURE, [AWS]);
    const deliver = async (attempts = 1): Promise<Disposition[]> => {
      const messages = aws.outboxDeliveries().map((message) => ({ ...message, attempts }));
      aws.outbox.sent.length = 0;
      return [...(await azure.run(applyBatch(azure.site, messages, checkEvent))).dispositions];
    };
    await aws.run(beat(aws.site));
    await deliver();
    aws.nowMs += 600_000;
    await aws.run(beat(aws.site));
    await aws.run(setPaused(aws.site, AZURE, true));
    expect(await deliver(inboundAttemptsMax)).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(azure.held(pauseKey(AWS))).toBeUndefined();
    aws.nowMs += heartbeatMs - 600_000;
    azure.nowMs += heartbeatMs;
    await aws.run(beat(aws.site));
    expect(await deliver()).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(heardMsAgo(azure.held(heartbeatKey(AWS)), azure.nowMs)).toBe(0);
    expect(understoodBy(azure.held(heartbeatKey(AWS)))).toBe(SEMANTICS);
    expect(pausedPeers(azure.held(pauseKey(AWS)))).toHaveProperty(AZURE);
  });

  test('is heard by a peer whose clock was ahead too and had accepted its report', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const azure = new TestSite(AZURE, [AWS]);
    for (const offset of [600_000, -600_000]) {
      aws.nowMs += offset + heartbeatMs;
      azure.nowMs += offset + heartbeatMs;
      await aws.run(beat(aws.site));
      const messages = aws.outboxDeliveries().slice(-1);
      await azure.run(applyBatch(azure.site, messages, checkEvent));
    }
    expect(heardMsAgo(azure.held(heartbeatKey(AWS)), azure.nowMs)).toBe(0);
  });

  test('keeps its records of users where they are until their time has come', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    const azure = new TestSite(AZURE, [AWS]);
    aws.nowMs += clockAheadMaxMs + 1;
    await aws.write(KEY, { name: 'ahead' });
    const [message] = aws.outboxDeliveries();
    const { dispositions } = await azure.run(applyBatch(azure.site, message ? [message] : [], checkEvent));
    expect(dispositions[0]?.kind).toBe('retry');
  });
});
