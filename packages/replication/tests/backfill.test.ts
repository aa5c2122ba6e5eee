import { describe, expect, test } from '@jest/globals';
import { START_MS, TestSite } from '../../../tests/helpers/test-site.ts';
import { backfillKeys, backfillState } from '../src/anti-entropy/backfill.ts';
import type { Job, Side } from '../src/anti-entropy/job.ts';
import { noteBegin, noteEnd } from '../src/anti-entropy/verification.ts';

const REBUILT = 'aws-us-east-1b';
const PEERS = ['azure-eastus', 'aws-eu-west-1'];

/** A comparison that one site began, as far as it got. */
interface Comparison {
  readonly from: string;
  readonly to: string;
  /** Differences of each side that has ended. */
  readonly ended: readonly number[];
}

async function stateAfter(comparisons: readonly Comparison[], peers = PEERS): Promise<object> {
  const rebuilt = new TestSite(REBUILT, peers);
  for (const [index, { from, to, ended }] of comparisons.entries()) {
    const job: Job = { id: `job-${index}`, from, to, atMs: START_MS, repair: true };
    // Only the site that begins it writes it; here, where it is read.
    const keeper = { ...rebuilt.site, site: from };
    await rebuilt.run(noteBegin(keeper, job));
    for (const [at, differing] of ended.entries()) {
      const side: Side = at === 0 ? 'from' : 'to';
      const result = { checked: differing, differing, repaired: differing, examples: [], counted: 7 };
      await rebuilt.run(noteEnd(keeper, job, side, result));
    }
  }
  return backfillState(rebuilt.site, await rebuilt.store.getMany(backfillKeys(rebuilt.site)));
}

const [AZURE = '', AWS = ''] = PEERS;
const clean = (from: string, to: string): Comparison => ({ from, to, ended: [0, 0] });

describe('a site that was rebuilt', () => {
  test.each<[string, readonly Comparison[], string]>([
    ['nothing was compared', [], `${AZURE}, ${AWS}`],
    ['a comparison has not ended', [{ from: AZURE, to: REBUILT, ended: [0] }, clean(AWS, REBUILT)], AZURE],
    [
      'a comparison found differences',
      [{ from: AZURE, to: REBUILT, ended: [3, 0] }, clean(AWS, REBUILT)],
      AZURE,
    ],
    ['one peer was compared and the other not', [clean(REBUILT, AZURE)], AWS],
    ['the peers were compared with each other', [clean(AZURE, AWS), clean(AWS, AZURE)], `${AZURE}, ${AWS}`],
  ])('has not been filled while %s', async (_, comparisons, open) => {
    expect(await stateAfter(comparisons)).toEqual({
      ok: false,
      detail: `not yet compared without a difference with ${open}`,
    });
  });

  test('has been filled when it was found equal to every peer, whoever began the comparison', async () => {
    expect(await stateAfter([clean(AZURE, REBUILT), clean(REBUILT, AWS)])).toMatchObject({ ok: true });
  });

  test('stays filled while the next comparison runs, and when that finds a difference', async () => {
    const first = [clean(AZURE, REBUILT), clean(AWS, REBUILT)];
    expect(await stateAfter([...first, { from: AZURE, to: REBUILT, ended: [] }])).toMatchObject({ ok: true });
    expect(await stateAfter([...first, { from: AZURE, to: REBUILT, ended: [1, 0] }])).toMatchObject({
      ok: true,
    });
  });

  test('cannot be filled from nobody', async () => {
    expect(await stateAfter([], [])).toEqual({ ok: false, detail: 'there is no peer to be filled from' });
  });
});
