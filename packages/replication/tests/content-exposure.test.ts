/** Which contents are not everywhere yet, as a site knows of it. */
import { describe, expect, test } from '@jest/globals';
import { START_MS, TestSite } from '../../../tests/helpers/test-site.ts';
import { contentConditions } from '../src/objects/conditions.ts';
import type { Contents, Held } from '../src/objects/content.ts';
import { contentExposure, NO_TALLY } from '../src/objects/exposure.ts';
import { plainValues } from '../src/record.ts';

const [AWS, AZURE, THIRD] = ['aws-1', 'azure-1', 'aws-2'] as const;

/** Of records whose one field says who holds so many bytes, and by when all should. */
const contents: Contents = {
  may: (key) => key.startsWith('object:'),
  of(_, state) {
    const { held } = plainValues(state) as unknown as {
      held?: Pick<Held, 'heldBy' | 'byMs'> & { bytes: number };
    };
    if (held === undefined) return undefined;
    const upload = `${held.heldBy[0] ?? AWS}.1`;
    const content = { upload, bytes: held.bytes, crc64: '', contentType: '', completedMs: held.byMs - 10 };
    return { content, heldBy: held.heldBy, fromMs: held.byMs - 5, byMs: held.byMs };
  },
};

function place(): TestSite {
  const test = new TestSite(AWS, [AZURE, THIRD]);
  test.site = {
    ...test.site,
    reactions: {
      knows: () => true,
      conditions: (key, state, nowMs) =>
        key.startsWith('object:')
          ? contentConditions(contents, key, state, {
              site: AWS,
              keptBy: [AWS, AZURE, THIRD],
              nowMs,
              digest: (text) => text,
            })
          : [],
    },
  };
  return test;
}

const write = (
  site: TestSite,
  id: string,
  bytes: number,
  heldBy: string[],
  byMs = START_MS + 10,
): Promise<unknown> => site.write(`object:${id}`, { held: { bytes, heldBy, byMs } });

describe('exposure of contents', () => {
  test('asks the index once, and reads no record, where there is nothing', async () => {
    const site = place();
    await write(site, 'everywhere', 1, [AWS, AZURE, THIRD]);
    const asked: string[] = [];
    site.store.before = (operation) => void asked.push(operation);
    const exposure = await site.run(contentExposure(site.site, contents));
    expect(exposure).toEqual({
      lacking: NO_TALLY,
      held: { nowhere: NO_TALLY, by: new Map() },
      atRisk: new Map(),
      atLeast: false,
    });
    expect(asked).toEqual(['due']);
  });

  test('counts what is lacking here by who has it, and what is here by who lacks it', async () => {
    const site = place();
    await write(site, 'here', 5, [AWS]);
    await write(site, 'here-and-there', 7, [AWS, AZURE]);
    await write(site, 'there', 11, [AZURE], START_MS - 1);
    await write(site, 'both', 13, [AZURE, THIRD]);
    await write(site, 'nowhere', 17, []);
    await site.write('user:1', { held: { bytes: 1, heldBy: [], byMs: 0 } });
    const { lacking, held, atRisk, atLeast } = await site.run(contentExposure(site.site, contents));
    const oldestMs = START_MS;
    expect(lacking).toEqual({ objects: 3, bytes: 41, overdue: 1, oldestMs: START_MS - 11 });
    expect(held.nowhere).toEqual({ objects: 1, bytes: 17, overdue: 0, oldestMs });
    expect(Object.fromEntries(held.by)).toEqual({
      [AZURE]: { objects: 2, bytes: 24, overdue: 1, oldestMs: START_MS - 11 },
      [THIRD]: { objects: 1, bytes: 13, overdue: 0, oldestMs },
    });
    expect(Object.fromEntries(atRisk)).toEqual({
      [AZURE]: { objects: 1, bytes: 5, overdue: 0, oldestMs },
      [THIRD]: { objects: 2, bytes: 12, overdue: 0, oldestMs },
    });
    expect(atLeast).toBe(false);
  });

  test('says that there may be more beyond its bound', async () => {
    const site = place();
    for (let i = 0; i < 5; i += 1) await write(site, String(i), 1, [AZURE]);
    const { lacking, atLeast } = await site.run(contentExposure(site.site, contents, { keysMax: 3 }));
    expect({ lacking, atLeast }).toMatchObject({ lacking: { objects: 3 }, atLeast: true });
  });
});
