import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeStamp, isStamp, laterStamp, nextStamp, stampMs, stampSite } from '../src/stamp.ts';

const ms = fc.integer({ min: 0, max: 36 ** 9 - 1 });
const counter = fc.integer({ min: 0, max: 36 ** 4 - 1 });
const site = fc.constantFrom('aws-us-east-1', 'azure-eastus', 'aws-eu-west-1');

describe('stamps', () => {
  test('sort as text by milliseconds, then counter, then site', () => {
    fc.assert(
      fc.property(fc.tuple(ms, counter, site), fc.tuple(ms, counter, site), (a, b) => {
        const [x, y] = [encodeStamp(...a), encodeStamp(...b)];
        const order = a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0);
        expect(Math.sign(order)).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
  });

  test('give back their milliseconds and their site', () => {
    fc.assert(
      fc.property(ms, counter, site, (time, count, name) => {
        const stamp = encodeStamp(time, count, name);
        expect([stampMs(stamp), stampSite(stamp), isStamp(stamp)]).toEqual([time, name, true]);
      }),
    );
  });

  test('a new stamp is later than the wall clock and than the one before it, whatever the clocks do', () => {
    fc.assert(
      fc.property(ms, ms, counter, site, site, (wallMs, time, count, mine, theirs) => {
        fc.pre(time < 36 ** 9 - 1 && wallMs < 36 ** 9 - 1);
        const after = encodeStamp(time, count, theirs);
        const stamp = nextStamp({ wallMs, site: mine, after });
        expect(stamp > after).toBe(true);
        expect(stampMs(stamp)).toBeGreaterThanOrEqual(wallMs);
        expect(stampSite(stamp)).toBe(mine);
      }),
    );
  });

  test('the millisecond moves on when the counter is used up', () => {
    const after = encodeStamp(1_000, 36 ** 4 - 1, 'z');
    expect(nextStamp({ wallMs: 5, site: 'a', after })).toBe(encodeStamp(1_001, 0, 'a'));
  });

  test('a part that does not fit is refused', () => {
    expect(() => encodeStamp(36 ** 9, 0, 'a')).toThrow(RangeError);
    expect(() => encodeStamp(-1, 0, 'a')).toThrow(RangeError);
  });

  test('the later of two stamps may be the only one', () => {
    const stamp = encodeStamp(1, 0, 'a');
    expect(laterStamp(undefined, stamp)).toBe(stamp);
    expect(laterStamp(stamp, undefined)).toBe(stamp);
  });

  test.each(['', '0mk3v9x2p0000', '0MK3V9X2P0000.aws', '0mk3v9x2p0000.aws us'])(
    '"%s" is no stamp',
    (text) => {
      expect(isStamp(text)).toBe(false);
    },
  );
});
