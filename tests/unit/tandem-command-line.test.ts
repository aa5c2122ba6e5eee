import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../../scripts/command/usage-error.ts';
import { parseCommandLine } from '../../scripts/tandem/command-line.ts';

describe('the command line of tandem', () => {
  test('asks the stack of this folder by default', () => {
    expect(parseCommandLine(['status'])).toEqual({
      command: 'status',
      stack: '.tandem/stack.json',
      sites: [],
      json: false,
      watch: false,
      keys: false,
    });
    expect(parseCommandLine(['status', '--keys'])).toMatchObject({ command: 'status', keys: true });
  });

  test('takes a stack, or several sites, each once', () => {
    expect(parseCommandLine(['status', '--stack', 'x/stack.json'])).toMatchObject({ stack: 'x/stack.json' });
    const sites = ['https://a.example', 'http://b.example', 'https://a.example'];
    expect(parseCommandLine(['status', ...sites.flatMap((url) => ['--site', url])])).toMatchObject({
      sites: ['https://a.example', 'http://b.example'],
    });
  });

  test('asks for a token with all scopes, or with some', () => {
    expect(parseCommandLine(['token'])).toMatchObject({ command: 'token', scope: undefined });
    expect(parseCommandLine(['token', '--scope', 'tandem/read'])).toMatchObject({ scope: 'tandem/read' });
    expect(() => parseCommandLine(['token', 'x'])).toThrow(/takes no argument/);
    expect(() => parseCommandLine(['status', '--scope', 'x'])).toThrow(/takes no option --scope/);
  });

  test('names a direction to pause or to resume', () => {
    const line = { command: 'pause', from: 'aws-us-east-1', to: 'azure-eastus', json: true };
    expect(parseCommandLine(['pause', 'aws-us-east-1', 'azure-eastus', '--json'])).toMatchObject(line);
    expect(parseCommandLine(['resume', 'a', 'b'])).toMatchObject({ command: 'resume', from: 'a', to: 'b' });
  });

  test('chooses dead letters by id, by cause, or all of them', () => {
    expect(parseCommandLine(['dlq', 'list'])).toMatchObject({ command: 'dlq', action: 'list', ids: [] });
    expect(parseCommandLine(['dlq', 'show', 'dead-7', '--at', 'azure-eastus'])).toMatchObject({
      action: 'show',
      ids: ['dead-7'],
      at: 'azure-eastus',
    });
    const cause = ['--source', 'tandem-in', '--reason', 'malformed'];
    expect(parseCommandLine(['dlq', 'replay', ...cause, '--dry-run', '--rate', '5'])).toMatchObject({
      action: 'replay',
      source: 'tandem-in',
      reason: 'malformed',
      dryRun: true,
      rate: 5,
    });
    expect(parseCommandLine(['dlq', 'discard', '--all'])).toMatchObject({ action: 'discard', all: true });
  });

  test('gives help before anything else', () => {
    expect(parseCommandLine(['anything', '--help'])).toEqual({ command: 'help' });
  });

  test.each([
    [[], 'a command is needed'],
    [['stats'], "'stats' is not a command"],
    [['status', 'now'], "status takes no argument 'now'"],
    [['status', '--rate', '5'], 'status takes no option --rate'],
    [['pause', 'a'], 'pause takes two sites'],
    [['resume', 'a', 'b', 'c'], 'resume takes two sites'],
    [['dlq'], 'dlq needs list, show, replay or discard'],
    [['dlq', 'eat'], "'dlq eat' is not a command"],
    [['dlq', 'list', 'x'], "dlq list takes no argument 'x'"],
    [['dlq', 'show'], 'dlq show takes one id'],
    [['dlq', 'replay'], 'dlq replay: name letters by id, --source or --reason, or say --all'],
    [['dlq', 'discard', '--all', '--edit', 'x'], 'dlq discard takes no option --edit'],
    [['dlq', 'replay', '--all', '--edit', 'x'], '--edit: name the one letter'],
    [['dlq', 'replay', '--all', '--rate', '0'], '--rate: a whole number of at least 1'],
    [['status', '--colour'], "Unknown option '--colour'"],
    [['status', '--stack'], '--stack'],
    [['status', '--stack', ''], '--stack: a file is needed'],
    [['status', '--site', 'aws'], "--site: 'aws' is not an http(s) URL"],
    [['status', '--site', 'file:///x'], 'is not an http(s) URL'],
    [['status', '--stack', 'x', '--site', 'http://b.example'], 'exclude each other'],
  ])('refuses %j, saying why', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(UsageError);
    expect(() => parseCommandLine(args)).toThrow(message);
  });
});
