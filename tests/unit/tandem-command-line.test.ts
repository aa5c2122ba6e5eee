import { describe, expect, test } from '@jest/globals';
import { parseCommandLine, UsageError } from '../../scripts/tandem/command-line.ts';

describe('the command line of tandem', () => {
  test('asks the stack of this folder by default', () => {
    expect(parseCommandLine(['status'])).toEqual({
      command: 'status',
      stack: '.tandem/stack.json',
      sites: [],
      json: false,
      watch: false,
    });
  });

  test('takes a stack, or several sites, each once', () => {
    expect(parseCommandLine(['status', '--stack', 'x/stack.json'])).toMatchObject({ stack: 'x/stack.json' });
    const sites = ['https://a.example', 'http://b.example', 'https://a.example'];
    expect(parseCommandLine(['status', ...sites.flatMap((url) => ['--site', url])])).toMatchObject({
      sites: ['https://a.example', 'http://b.example'],
    });
  });

  test('gives help before anything else', () => {
    expect(parseCommandLine(['anything', '--help'])).toEqual({ command: 'help' });
  });

  test.each([
    [[], 'a command is needed'],
    [['stats'], "'stats' is not a command"],
    [['status', 'now'], "status takes no argument 'now'"],
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
