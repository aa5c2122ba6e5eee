/** Looks: one for everybody, none for nobody, and no more of them than the last ten minutes. */
import net, { type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Look, POINTS_MAX, Watch } from '@tandem-clouds/console/server/watch';

/** Where nobody listens. */
let nowhere: string;

beforeAll(async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  nowhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise((resolve) => server.close(resolve));
});

/** Resolves with the so-manyth look. */
function looks(watch: Watch, wanted: number): Promise<Look> {
  return new Promise((resolve) => {
    let seen = 0;
    const leave = watch.watch((look) => {
      seen += 1;
      if (seen < wanted) return;
      leave();
      resolve(look);
    });
  });
}

describe('what is looked at', () => {
  test('is kept for ten minutes, and no longer', async () => {
    const watch = new Watch({ targets: () => [], everyMs: 0 });
    await looks(watch, POINTS_MAX + 50);
    expect(watch.points.length).toBe(POINTS_MAX);
    await watch.close();
  });

  test('is nothing while a stack is being stopped, and then goes on', async () => {
    let isThere = false;
    const watch = new Watch({
      targets: () => {
        if (!isThere) throw new Error('no stack runs here');
        return [{ url: nowhere, site: 'aws-us-east-1' }];
      },
      everyMs: 0,
    });
    expect((await looks(watch, 1)).reports).toEqual([]);
    isThere = true;
    const { reports, point } = await looks(watch, 2);
    expect(reports).toMatchObject([{ site: 'aws-us-east-1', problem: 'connection refused' }]);
    expect(point.sites['aws-us-east-1']).toMatchObject({ responds: false, dead: null });
    await watch.close();
  });

  test('is asked for once, however many look on', async () => {
    let asked = 0;
    const watch = new Watch({
      targets: () => {
        asked += 1;
        return [];
      },
      everyMs: 0,
    });
    const [first, second] = await Promise.all([looks(watch, 20), looks(watch, 20)]);
    expect(first).toBe(second);
    await watch.close();
    // One is under way when it is closed.
    expect(asked).toBeLessThanOrEqual(22);
  });

  test('has rates of requests from one look to the next, and none where a collector begins anew', async () => {
    const served = [10, 30, 5];
    const watch = new Watch({
      targets: () => [{ url: nowhere, site: 'a' }],
      local: () => Promise.resolve({ healthy: {}, faults: [], served: { a: served.shift() ?? 5 } }),
      everyMs: 0,
    });
    await looks(watch, 3);
    await watch.close();
    const [first, second, third] = watch.points.map(({ sites }) => sites['a']?.perSecond);
    expect([first, third]).toEqual([null, null]);
    expect(second).toBeGreaterThan(0);
  });
});
