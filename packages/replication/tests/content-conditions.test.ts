/** What sites have to do about the content of a record. */
import { describe, expect, test } from '@jest/globals';
import { type ConditionsAt, contentConditions } from '../src/objects/conditions.ts';
import { type Contents, CROSSING, type Held, HOLD } from '../src/objects/content.ts';
import type { RecordState } from '../src/record.ts';

const [AWS, AZURE, THIRD] = ['aws-1', 'azure-1', 'aws-2'] as const;
const NOW = 1_800_000_000_000;
const state: RecordState = { fields: {}, vector: {} };
const content = {
  upload: `${AWS}.0190`,
  bytes: 3,
  crc64: 'AAAAAAAAAAA=',
  contentType: 'text/plain',
  completedMs: NOW - 10,
};

const contentsOf = (held: Held | undefined): Contents => ({ of: () => held, may: () => true });
const heldBy = (...sites: string[]): Contents =>
  contentsOf({ content, heldBy: sites, fromMs: NOW - 5, byMs: NOW + 5 });
const at = (site: string, keptBy: readonly string[] = [AWS, AZURE]): ConditionsAt => ({
  site,
  keptBy,
  nowMs: NOW,
  digest: (text) => `<${text}>`,
});
const namesAt = (contents: Contents, where: ConditionsAt): string[] =>
  contentConditions(contents, 'object:a', state, where).map(
    ({ reaction, origin }) => `${reaction} ${origin}`,
  );

describe('the conditions of content', () => {
  test('are none where there is no content, and none once every site holds it', () => {
    expect(namesAt(contentsOf(undefined), at(AWS))).toEqual([]);
    expect(namesAt(heldBy(AWS, AZURE), at(AWS))).toEqual([]);
  });

  test.each([
    ['the site that lacks it fetches it', AZURE, [AWS, AZURE], [`${HOLD} ${AZURE}`, `${CROSSING} ${AWS}`]],
    ['the site that has it only notes that it is crossing', AWS, [AWS, AZURE], [`${CROSSING} ${AWS}`]],
    [
      'a site that does not keep the record has nothing to fetch',
      THIRD,
      [AWS, AZURE],
      [`${CROSSING} ${AWS}`],
    ],
    ['where only the holder keeps it, nothing crosses', AWS, [AWS], []],
  ])('%s', (_, site, keptBy, expected) => {
    expect(namesAt(heldBy(AWS), at(site, keptBy))).toEqual(expected);
  });

  test('are those of whoever lost it, too, also at the site that it was sent to', () => {
    expect(namesAt(heldBy(AZURE), at(AWS))).toEqual([`${HOLD} ${AWS}`, `${CROSSING} ${AWS}`]);
  });

  test('name what is to be done by key, upload and, of what is fetched, the site', () => {
    const [hold, crossing] = contentConditions(heldBy(AWS), 'object:a', state, at(AZURE));
    expect(hold).toMatchObject({
      effectId: `${HOLD}-<["object:a","${HOLD}","${content.upload}","${AZURE}"]>`,
      fromMs: NOW - 5,
      lasting: true,
    });
    expect(crossing).toMatchObject({
      effectId: `${CROSSING}-<["object:a","${CROSSING}","${content.upload}"]>`,
    });
    expect(crossing?.fromMs).toBeGreaterThan(NOW);
  });
});
