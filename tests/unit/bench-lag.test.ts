import { describe, expect, test } from '@jest/globals';
import { Watcher } from '@tandem-clouds/testkit/observe/watcher';
import { openLoop, type Time } from '../../scripts/bench/lag/open-loop.ts';

/** A clock that moves only when somebody sleeps, and then at once. */
function virtualTime(): Time & { elapse(ms: number): void } {
  let now = 0;
  const elapse = (ms: number): void => {
    now += ms;
  };
  return {
    now: () => now,
    sleep: (ms) => {
      elapse(ms);
      return Promise.resolve();
    },
    elapse,
  };
}

describe('an open loop', () => {
  const schedule = { rate: 10, seconds: 0.5, offsetMs: 20 };

  test('starts every call at its time', async () => {
    const time = virtualTime();
    const starts = await openLoop(schedule, time, (n, dueAt) => Promise.resolve([n, dueAt, time.now()]));
    expect(starts).toEqual([
      [0, 20, 20],
      [1, 120, 120],
      [2, 220, 220],
      [3, 320, 320],
      [4, 420, 420],
    ]);
  });

  test('does not wait for a slow answer before the next call', async () => {
    const responses = Promise.withResolvers<string>();
    let called = 0;
    const all = openLoop(schedule, virtualTime(), (n) => {
      called += 1;
      if (n === 4) responses.resolve('now');
      return responses.promise;
    });
    await expect(all).resolves.toHaveLength(5);
    expect(called).toBe(5);
  });

  test('catches up after a pause, and still says when each call was due', async () => {
    const time = virtualTime();
    const late = await openLoop(schedule, time, (n, dueAt) => {
      if (n === 0) time.elapse(1_000);
      return Promise.resolve(time.now() - dueAt);
    });
    expect(late).toEqual([1_000, 900, 800, 700, 600]);
  });

  test('fails with the first failure, after every call has settled', async () => {
    let settled = 0;
    const all = openLoop(schedule, virtualTime(), (n) => {
      settled += 1;
      return n === 1 ? Promise.reject(new Error('refused')) : Promise.resolve(n);
    });
    await expect(all).rejects.toThrow('refused');
    expect(settled).toBe(5);
  });
});

describe('the watcher', () => {
  /** A store whose requests take `latencyMs` and in which each key shows from a certain time. */
  function watcherOf(time: ReturnType<typeof virtualTime>, visibleFrom: Readonly<Record<string, number>>) {
    const requests: string[][] = [];
    const watcher = new Watcher({
      probe: {
        visible(keys) {
          requests.push([...keys]);
          const now = time.now();
          time.elapse(2);
          return Promise.resolve(new Set(keys.filter((key) => now >= (visibleFrom[key] ?? Infinity))));
        },
      },
      intervalMs: 10,
      timeoutMs: 100,
      ...time,
    });
    return { watcher, requests };
  }

  test('says when a key was seen, and by how much that may be too late', async () => {
    const { watcher } = watcherOf(virtualTime(), { a: 15 });
    // Asked at 0 and 10 in vain, and at 20, answered at 22.
    await expect(watcher.watch('a', 0)).resolves.toEqual({ lagMs: 22, windowMs: 12 });
  });

  test('cannot say more than the lag itself about a key that the first request finds', async () => {
    const { watcher } = watcherOf(virtualTime(), { a: 0 });
    await expect(watcher.watch('a', 0)).resolves.toEqual({ lagMs: 2, windowMs: 2 });
  });

  test('asks for all outstanding keys together and for none that has been seen', async () => {
    const { watcher, requests } = watcherOf(virtualTime(), { a: 0, b: 10, c: 25 });
    await Promise.all(['a', 'b', 'c'].map((key) => watcher.watch(key, 0)));
    expect(requests).toEqual([['a'], ['b', 'c'], ['c'], ['c']]);
  });

  test('asks nothing while nothing is outstanding, and again when something is', async () => {
    const { watcher, requests } = watcherOf(virtualTime(), { a: 0, b: 0 });
    await watcher.watch('a', 0);
    await new Promise(setImmediate);
    expect(requests).toEqual([['a']]);
    await watcher.watch('b', 12);
    expect(requests).toEqual([['a'], ['b']]);
  });

  test('asks less often for what has been outstanding for long, where that is wanted, and not after the end', async () => {
    const time = virtualTime();
    const asked: number[] = [];
    const ended = new AbortController();
    const probe = {
      visible: (): Promise<ReadonlySet<string>> => {
        asked.push(time.now());
        return Promise.resolve(new Set());
      },
    };
    const sleep = async (ms: number): Promise<void> => {
      await time.sleep(ms);
      if (time.now() > 200) ended.abort();
    };
    const watcher = new Watcher({
      probe,
      intervalMs: 10,
      timeoutMs: Infinity,
      patience: 0.5,
      signal: ended.signal,
      now: time.now,
      sleep,
    });
    void watcher.watch('a', 0);
    while (!ended.signal.aborted) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(asked).toEqual([0, 10, 20, 30, 50, 80, 120, 180]);
  });

  test('fails a write that is never seen', async () => {
    const { watcher } = watcherOf(virtualTime(), {});
    await expect(watcher.watch('lost', 0)).rejects.toThrow(
      'lost was acknowledged and not seen within 100 ms',
    );
  });

  test('fails every outstanding key when the store cannot be asked', async () => {
    const watcher = new Watcher({
      probe: { visible: () => Promise.reject(new Error('gone')) },
      intervalMs: 10,
      timeoutMs: 100,
      ...virtualTime(),
    });
    await expect(watcher.watch('a', 0)).rejects.toThrow('the probe failed');
  });
});
