/** Records that one site writes at a time: who may, what a move changes and when, and what an older clock or epoch cannot do. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { reactionPausedMs } from '@tandem-clouds/replication/bounds';
import {
  AmbiguousError,
  NotWriterHereError,
  OvertakenError,
  WriterMovingError,
} from '@tandem-clouds/replication/errors';
import { closeWriter, openWriter } from '@tandem-clouds/replication/move-writer';
import type { Condition } from '@tandem-clouds/replication/reactions/condition';
import { driveReact } from '@tandem-clouds/replication/reactions/drive-react';
import { react } from '@tandem-clouds/replication/reactions/react';
import { entityOf } from '@tandem-clouds/replication/record';
import { writerIn, writerKey } from '@tandem-clouds/replication/writer-record';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { AWS, AZURE, Mesh } from '../../../tests/helpers/mesh.ts';
import { delivered, type TestSite } from '../../../tests/helpers/test-site.ts';

let aws: TestSite;
let azure: TestSite;

const move = (epoch: number) => ({ entity: 'account', declared: AWS, epoch });
const reasonOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const writerAt = (site: TestSite): object => writerIn(site.held(writerKey('account')), AWS);

/** All that a site has published arrives at the other. */
async function cross(from: TestSite, to: TestSite): Promise<void> {
  await to.run(applyBatch(to.site, from.outbox.sent.splice(0).map(delivered), checkEvent));
}

/** What a site holds of who writes, from now on. */
function note({ store }: TestSite, writer: { site: string; epoch: number }): void {
  const key = writerKey('account');
  const state = { fields: { writer: ['0', writer] as const }, vector: {} };
  store.items.set(key, { record: { key, state, pending: {}, operations: [] }, revision: 0 });
}

beforeEach(() => {
  const mesh = new Mesh();
  [aws, azure] = [mesh.site(AWS), mesh.site(AZURE)];
  for (const site of [aws, azure])
    site.site = {
      ...site.site,
      declaredWriter: (key) => (entityOf(key) === 'account' ? AWS : undefined),
    };
});

describe('the site that writes', () => {
  test('is the declared one; another refuses, names it, and has written nothing', async () => {
    await aws.write('account:1', { a: 1 });
    await cross(aws, azure);
    const error = await reasonOf(azure.write('account:1', { a: 2 }));
    expect(error).toBeInstanceOf(NotWriterHereError);
    expect(error).toMatchObject({ sites: [AWS] });
    expect(azure.held('account:1')).toEqual(expect.objectContaining({ pending: {} }));
    expect((await azure.write('user:1', { a: 1 })).version).toBeDefined();
  });

  test('is another one once it has closed and that has opened; between the two it is nobody', async () => {
    await aws.run(closeWriter(aws.site, move(0), AZURE));
    expect(await reasonOf(aws.write('account:1', { a: 1 }))).toBeInstanceOf(WriterMovingError);
    expect(await reasonOf(azure.write('account:1', { a: 1 }))).toMatchObject({ sites: [AWS] });
    await cross(aws, azure);
    expect(await reasonOf(azure.write('account:1', { a: 1 }))).toBeInstanceOf(WriterMovingError);
    await azure.run(openWriter(azure.site, move(1)));
    await azure.write('account:1', { a: 1 });
    await cross(azure, aws);
    expect(await reasonOf(aws.write('account:1', { a: 2 }))).toMatchObject({ sites: [AZURE] });
    expect(writerAt(aws)).toEqual({ site: AZURE, epoch: 1_001 });
  });

  test('is asked for at every attempt, so that a write which lost a race is not taken after a move', async () => {
    await aws.write('account:1', { a: 1 });
    let isRaced = false;
    const result = await reasonOf(
      aws.write(
        'account:1',
        {},
        {
          decide: () => {
            if (!isRaced) {
              isRaced = true;
              const held = aws.store.items.get('account:1')!;
              aws.store.items.set('account:1', { ...held, revision: held.revision + 1_000 });
              note(aws, { site: AZURE, epoch: 1 });
            }
            return { a: 2 };
          },
        },
      ),
    );
    expect(result).toBeInstanceOf(NotWriterHereError);
    expect(aws.held('account:1')!.state.fields['a']![1]).toBe(1);
  });

  test('is not said to be another one by a write that may have taken effect here', async () => {
    await aws.write('account:1', { a: 1 });
    let isLost = false;
    aws.store.before = (operation) => {
      if (operation !== 'putMany' || isLost) return;
      isLost = true;
      note(aws, { site: AZURE, epoch: 1 });
      throw new AmbiguousError('no answer');
    };
    const error = await reasonOf(aws.write('account:1', { a: 2 }));
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(String(error)).toContain('may have taken effect');
  });
});

describe('a move', () => {
  test('goes by the epoch, whatever the clocks show: a lost site that comes back obeys', async () => {
    aws.nowMs += 3_600_000;
    await aws.run(closeWriter(aws.site, move(0), AZURE));
    await aws.run(openWriter(aws.site, move(1)));
    azure.nowMs += 3_600_000;
    await cross(aws, azure);
    // AWS is lost with this, and has been promoted over by the time that it is back.
    aws.nowMs += 7_200_000;
    await azure.run(openWriter(azure.site, move(2)));
    await azure.run(closeWriter(azure.site, move(1_002), AWS));
    await azure.run(openWriter(azure.site, move(1_003)));
    await aws.run(closeWriter(aws.site, move(2), AZURE));
    aws.nowMs -= 7_200_000;
    azure.nowMs = aws.nowMs = Math.max(azure.nowMs, aws.nowMs) + 7_200_000;
    const late = aws.outbox.sent.splice(0).map(delivered);
    await cross(azure, aws);
    await azure.run(applyBatch(azure.site, late, checkEvent));
    expect([writerAt(aws), writerAt(azure)]).toEqual([
      { site: AZURE, epoch: 1_004 },
      { site: AZURE, epoch: 1_004 },
    ]);
    expect(await reasonOf(aws.write('account:1', { a: 1 }))).toBeInstanceOf(NotWriterHereError);
  });

  test('to the next site stands over what was given back to the one before, unheard', async () => {
    await aws.run(closeWriter(aws.site, move(0), AZURE));
    await cross(aws, azure);
    // Lost with this, or at the same moment as somebody else goes on with the move.
    await aws.run(openWriter(aws.site, move(1)));
    await azure.run(openWriter(azure.site, move(1)));
    aws.nowMs += 60_000;
    await aws.run(closeWriter(aws.site, move(2), AZURE));
    await aws.run(openWriter(aws.site, move(3)));
    const late = aws.outbox.sent.splice(0).map(delivered);
    await cross(azure, aws);
    await azure.run(applyBatch(azure.site, late, checkEvent));
    for (const site of [aws, azure]) expect(writerAt(site)).toMatchObject({ site: AZURE });
  });

  test('is refused at another epoch than it has seen, or where nobody writes; twice it is once', async () => {
    await aws.run(closeWriter(aws.site, move(0), AZURE));
    const { version } = aws.held(writerKey('account'))!;
    await aws.run(closeWriter(aws.site, move(0), AZURE));
    expect(aws.held(writerKey('account'))!.version).toBe(version);
    for (const wrong of [
      aws.run(closeWriter(aws.site, move(1), AZURE)),
      aws.run(openWriter(aws.site, move(0))),
      azure.run(closeWriter(azure.site, move(0), AWS)),
    ])
      expect(await reasonOf(wrong)).toBeInstanceOf(OvertakenError);
  });
});

test('what is to be done waits at both sites, and is done by the one that writes', async () => {
  const condition: Condition = {
    reaction: 'mail',
    effectId: 'e',
    site: 'origin',
    origin: AWS,
    madeMs: aws.nowMs,
    canLookUp: true,
  };
  const holds = (state: { fields: object }): boolean => 'due' in state.fields && !('done' in state.fields);
  for (const site of [aws, azure])
    site.site = {
      ...site.site,
      reactions: { knows: () => true, conditions: (_, state) => (holds(state) ? [condition] : []) },
    };
  await aws.write('account:1', { due: 1 });
  await cross(aws, azure);
  const entry = () => azure.held('account:1')!.reactions!['mail']!;
  expect(entry().dueMs).toBe(azure.nowMs + reactionPausedMs);
  const ran: string[] = [];
  const act = (site: TestSite): Promise<unknown> =>
    driveReact(react(site.site, 'account:1'), {
      resources: site.resources,
      run: () => {
        ran.push(site.site.site);
        return Promise.resolve(() => ({ done: 1 }));
      },
    });
  azure.nowMs += reactionPausedMs + 1;
  await act(azure);
  expect([ran, entry().dueMs]).toEqual([[], azure.nowMs + reactionPausedMs]);
  await azure.run(openWriter(azure.site, move(0)));
  azure.nowMs += reactionPausedMs + 1;
  await act(azure);
  expect(ran).toEqual([AZURE]);
  expect(azure.held('account:1')!.state.fields['done']![1]).toBe(1);
});
