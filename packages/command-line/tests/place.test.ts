import { describe, expect, test } from '@jest/globals';
import { placeOf } from '../src/place.ts';

const ROOT = '/project';
const SCRIPTS = ['tandem'];
const npm = { INIT_CWD: '/home/me', npm_lifecycle_event: 'tandem' };

describe('a path that was typed', () => {
  test.each([
    ['is meant from where the person stood when npm was started', npm, ROOT, '/home/me/x'],
    ['stays as it is without npm', {}, '/home/me', 'x'],
    ['stays as it is in the root of the project', { ...npm, INIT_CWD: ROOT }, ROOT, 'x'],
    [
      'stays as it is below another script, such as npm test',
      { ...npm, npm_lifecycle_event: 'test' },
      ROOT,
      'x',
    ],
    ['stays as it is in a folder that npm has not chosen', npm, '/elsewhere', 'x'],
    ['stays as it is when npm does not say', { npm_lifecycle_event: 'tandem', INIT_CWD: '' }, ROOT, 'x'],
  ])('%s', (_title, env, cwd, expected) => {
    expect(placeOf({ env, cwd, root: ROOT, scripts: SCRIPTS }).resolve('x')).toBe(expected);
  });

  test('stays what it is when it is absolute', () => {
    expect(placeOf({ env: npm, cwd: ROOT, root: ROOT, scripts: SCRIPTS }).resolve('/etc/x')).toBe('/etc/x');
  });
});
