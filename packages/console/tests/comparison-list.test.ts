import { describe, expect, test } from '@jest/globals';
import { mergeComparisons } from '@tandem-clouds/console/ui/views/replication/comparison-list';
import type { VerificationView } from '@tandem-clouds/operator/operator-api';

function view(id: string, second: number, more: Partial<VerificationView> = {}): VerificationView {
  const begunAt = new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();
  return { id, from: 'aws', to: 'azure', repair: false, begunAt, ended: false, sides: {}, ...more };
}

describe('comparisons of several sites', () => {
  test('are listed once, the latest first', () => {
    const found = mergeComparisons([view('a', 1)], [view('b', 2), view('a', 1), view('c', 3)]);
    expect(found.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });

  test('are taken from the site that knows more of them', () => {
    const side = { checked: 5, differing: 1, repaired: 0, examples: [] };
    const further = view('a', 1, { sides: { aws: side } });
    const ended = view('a', 1, { ended: true });
    expect(mergeComparisons([further], [view('a', 1)])).toEqual([further]);
    expect(mergeComparisons([further, ended], [further])).toEqual([ended]);
  });

  test('are forgotten beyond twenty', () => {
    const many = Array.from({ length: 30 }, (_, index) => view(`v${index}`, index));
    const kept = mergeComparisons(many, []);
    expect([kept.length, kept[0]?.id, kept.at(-1)?.id]).toEqual([20, 'v29', 'v10']);
  });
});
