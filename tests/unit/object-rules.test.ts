import { describe, expect, test } from '@jest/globals';
import { keyFailures } from '../../src/shared/ports/object-rules.ts';

describe('the key of an object', () => {
  test.each([
    ['a name', 'a.txt'],
    ['1,024 bytes', 'ü'.repeat(512)],
    ['254 segments', 'a/'.repeat(253) + 'a'],
    ['dots in it', 'a./..b/.c'],
    ['characters of all sorts', ` a+b?c#d%e&f;"g"<h>|i^\u{1f600}`],
  ])('may be %s', (_title, key) => {
    expect(keyFailures(key)).toEqual([]);
  });

  test.each([
    ['empty', ''],
    ['of 1,025 bytes', `${'ü'.repeat(512)}a`],
    ['of 255 segments', 'a/'.repeat(254) + 'a'],
    ['with a control character', 'a\u0007'],
    ['with one of C1', 'a\u0085'],
    ['with a backslash', 'a\\b'],
    ['with a noncharacter', 'a\uffff'],
    ['with half a surrogate pair', 'a\ud83d'],
    ['with an empty segment', 'a//b'],
    ['with a slash in front', '/a'],
    ['with a slash at the end', 'a/'],
    ['with a segment that a URL takes away', 'a/../b'],
    ['with a dot at the end', 'a.'],
  ])('is not %s', (_title, key) => {
    expect(keyFailures(key)).toMatchObject([{ pointer: '/key' }]);
  });
});
