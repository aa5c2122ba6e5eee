import { describe, expect, test } from '@jest/globals';
import type { Input } from '@tandem-clouds/command-line/command';
import { readCommandLine } from '@tandem-clouds/command-line/run-program';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { PROGRAM } from '../../scripts/commands/program.ts';

function read(...words: string[]): Input {
  const request = readCommandLine(PROGRAM, words);
  if (request.kind !== 'run') throw new Error('it is a text');
  return request.input;
}

describe('the commands that operate sites', () => {
  test('ask the stack of this folder by default', () => {
    expect(read('status')).toEqual({ stack: undefined, site: [], json: false, watch: false, keys: false });
    expect(read('status', '--keys')).toMatchObject({ keys: true });
  });

  test('take a stack, or several sites', () => {
    expect(read('status', '--stack', 'x/stack.json')).toMatchObject({ stack: 'x/stack.json' });
    const sites = ['https://a.example', 'http://b.example'];
    expect(read('status', ...sites.flatMap((url) => ['--site', url]))).toMatchObject({ site: sites });
  });

  test('name a direction to pause or to resume', () => {
    expect(read('pause', 'aws-us-east-1', 'azure-eastus', '--json')).toMatchObject({
      from: 'aws-us-east-1',
      to: 'azure-eastus',
      json: true,
    });
    expect(read('resume', 'a', 'b')).toMatchObject({ from: 'a', to: 'b' });
  });

  test('choose dead letters by id, by cause, or all of them', () => {
    expect(read('dlq', 'show', 'dead-7', '--at', 'azure-eastus')).toMatchObject({
      id: 'dead-7',
      at: 'azure-eastus',
    });
    const cause = ['--source', 'tandem-in', '--reason', 'malformed'];
    expect(read('dlq', 'replay', ...cause, '--dry-run', '--rate', '5')).toMatchObject({
      ids: [],
      source: 'tandem-in',
      reason: 'malformed',
      dryRun: true,
      rate: 5,
    });
    expect(read('dlq', 'discard', 'one', 'two')).toMatchObject({ ids: ['one', 'two'], rate: 50 });
    expect(read('dlq', 'discard', '--all')).toMatchObject({ all: true });
  });

  test.each([
    [['status', 'now'], "status takes no argument 'now'"],
    [['status', '--rate', '5'], 'status takes no option --rate'],
    [['status', '--scope', 'x'], 'status takes no option --scope'],
    [['token', 'x'], "token takes no argument 'x'"],
    [['pause', 'a'], '<to> is needed: the site that it sends to'],
    [['resume', 'a', 'b', 'c'], "resume takes no argument 'c'; it takes <from> <to>"],
    [['dlq'], 'dlq needs list, show, replay or discard'],
    [['dlq', 'eat'], "'dlq eat' is not a command; dlq needs list, show, replay or discard"],
    [['dlq', 'list', 'x'], "dlq list takes no argument 'x'"],
    [['dlq', 'show'], '<id> is needed: as dlq list names it'],
    [['dlq', 'replay'], 'dlq replay: name letters by id, --source or --reason, or say --all'],
    [['dlq', 'discard', '--all', '--edit', 'x'], 'dlq discard takes no option --edit'],
    [['dlq', 'replay', '--all', '--edit', 'x'], '--edit: name the one letter'],
    [['dlq', 'replay', '--all', '--rate', '0'], '--rate: a whole number of at least 1'],
    [['conflicts', 'override', 'x', '--value', 'Hedy'], '--value: JSON is needed'],
    [['status', '--stack'], '--stack needs a value: <file>'],
    [['status', '--stack', ''], '--stack: a file is needed'],
    [['status', '--site', 'aws'], "--site: 'aws' is not an http(s) URL"],
    [['status', '--site', 'file:///x'], 'is not an http(s) URL'],
    [['status', '--stack', 'x', '--site', 'http://b.example'], 'exclude each other'],
  ])('refuse %j, saying why', (words, message) => {
    expect(() => read(...words)).toThrow(UsageError);
    expect(() => read(...words)).toThrow(message);
  });
});
