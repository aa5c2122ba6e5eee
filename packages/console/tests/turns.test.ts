import { describe, expect, test } from '@jest/globals';
import { Turns } from '@tandem-clouds/console/ui/turns';

describe('turns', () => {
  test('are given to so many at once, and to the others in the order they came', async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    const take = async (n: number): Promise<void> => {
      await turns.take();
      begun.push(n);
    };
    await Promise.all([take(1), take(2)]);
    const rest = [take(3), take(4)];
    await Promise.resolve();
    expect(begun).toEqual([1, 2]);
    turns.give();
    await rest[0];
    expect(begun).toEqual([1, 2, 3]);
    turns.give();
    await rest[1];
    expect(begun).toEqual([1, 2, 3, 4]);
  });

  test('of who has left go to the next', async () => {
    const turns = new Turns(1);
    await turns.take();
    const gone = new AbortController();
    const left = turns.take(gone.signal);
    const next = turns.take();
    gone.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    turns.give();
    await next;
    await expect(turns.take(gone.signal)).rejects.toThrow('left');
  });
});
