/** What a person waits for comes first: types are checked when nothing is built and nothing is on its way. */
import { beforeEach, expect, test } from '@jest/globals';
import { CheckTurn } from '../../src/types/check-turn.ts';

let events: string[];
let isSettled: boolean;
let turn: CheckTurn;

beforeEach(() => {
  events = [];
  isSettled = true;
  turn = new CheckTurn({
    types: {
      hold: () => events.push('hold'),
      release: () => events.push('release'),
      check: (files) => events.push(`check ${files.join()}`),
    },
    isSettled: () => isSettled,
  });
});

test('the compiler stands still from the begin of a change until the last site has it', () => {
  turn.begun();
  expect(events).toEqual(['hold']);
  isSettled = false;
  turn.ended(['a.ts']);
  expect(events).toEqual(['hold']);
  isSettled = true;
  turn.next();
  expect(events).toEqual(['hold', 'check a.ts', 'release']);
});

test('it does not go on when sites have one change and the next is being built', () => {
  turn.begun();
  isSettled = false;
  turn.ended(['a.ts']);
  turn.begun();
  isSettled = true;
  turn.next();
  expect(events).toEqual(['hold', 'hold']);
  turn.ended(['b.ts']);
  expect(events.slice(2)).toEqual(['check a.ts,b.ts', 'release']);
});

test('it goes on after a change that could not be built', () => {
  turn.begun();
  turn.ended([]);
  expect(events).toEqual(['hold', 'check ', 'release']);
});

test('what is checked is checked once', () => {
  turn.begun();
  turn.ended(['a.ts']);
  turn.begun();
  turn.ended(['b.ts']);
  expect(events.filter((event) => event.startsWith('check'))).toEqual(['check a.ts', 'check b.ts']);
});
