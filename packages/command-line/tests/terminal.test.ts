import { describe, expect, test } from '@jest/globals';
import { hasColour, isTerminal } from '../src/terminal.ts';

const TERMINAL = { isTTY: true };

describe('colour', () => {
  test.each([
    ['at a terminal', TERMINAL, {}, true],
    ['not in a pipe or a file', {}, {}, false],
    ['not with NO_COLOR', TERMINAL, { NO_COLOR: '1' }, false],
    ['whatever NO_COLOR says', TERMINAL, { NO_COLOR: 'false' }, false],
    ['with an empty NO_COLOR, which counts as none', TERMINAL, { NO_COLOR: '' }, true],
    ['not at a dumb terminal', TERMINAL, { TERM: 'dumb' }, false],
    ['at any other', TERMINAL, { TERM: 'xterm' }, true],
  ])('%s', (_title, stream, env, expected) => {
    expect(hasColour(stream, env)).toBe(expected);
  });

  test('is not what moves the cursor', () => {
    expect(isTerminal(TERMINAL, { NO_COLOR: '1' })).toBe(true);
    expect(isTerminal(TERMINAL, { TERM: 'dumb' })).toBe(false);
  });
});
