/** What holds for every command of the project, also for one that is added. */
import { describe, expect, test } from '@jest/globals';
import { PROGRAM } from '../../../scripts/commands/program.ts';
import { shellWords } from '../../../tests/helpers/shell-words.ts';
import { commandsOf, entriesOf, flagOf, isGroup } from '../src/command.ts';
import { readCommandLine, runProgram } from '../src/run-program.ts';
import { UsageError } from '../src/usage-error.ts';

const COMMANDS = commandsOf(PROGRAM).map((command) => [command.name, command] as const);
const GROUPS = entriesOf(PROGRAM)
  .filter(isGroup)
  .map((group) => [group.name, group] as const);

async function run(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const status = await runProgram(PROGRAM, words, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    isTerminal: false,
    colour: false,
    signal: new AbortController().signal,
  });
  return { status, out, err };
}

test('what the project can be told to do is here', () => {
  const wanted =
    'start status compare conflicts dlq token dns monitor runbook drill chaos simulate rollout rollback smoke contract ' +
    'rehearse cost bench generate';
  expect(entriesOf(PROGRAM).map(({ name }) => name)).toEqual(expect.arrayContaining(wanted.split(' ')));
  const names = [...COMMANDS, ...GROUPS].map(([name]) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('the help of the program names everything', async () => {
  const { status, out } = await run('--help');
  expect(status).toBe(0);
  for (const { name, summary } of entriesOf(PROGRAM)) {
    expect(out).toMatch(new RegExp(`^  ${name} .*`, 'm'));
    expect(out).toContain(summary);
  }
  for (const words of [['-h'], ['help']]) expect(await run(...words)).toEqual({ status: 0, out, err: '' });
});

describe.each(COMMANDS)('%s', (name, command) => {
  const words = name.split(' ');

  test('answers --help, -h and help with all of its options', async () => {
    const { status, out, err } = await run(...words, '--help');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toContain(`Usage: npm run tandem -- ${name}`);
    for (const option of Object.keys(command.options)) expect(out).toContain(`  ${flagOf(option)} `);
    for (const argument of Object.keys(command.args)) expect(out).toContain(`  <${argument}> `);
    expect(await run(...words, '-h')).toEqual({ status, out, err });
    expect(await run('help', ...words)).toEqual({ status, out, err });
    // Also to somebody who has typed the rest already, right or wrong.
    expect(await run(...words, '--unknown', 'x', '-h')).toEqual({ status, out, err });
  });

  test('has examples, and each is right', () => {
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { line } of command.examples) {
      expect(line.split(' ').slice(0, words.length)).toEqual(words);
      expect(readCommandLine(PROGRAM, shellWords(line))).toMatchObject({ kind: 'run', command: { name } });
    }
  });

  test('refuses an option that it does not know, by name, with the one that was meant', async () => {
    const { status, out, err } = await run(...words, '--colour-scheme=dark');
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(`${name} takes no option --colour-scheme`);
    expect(err).toContain(`npm run tandem -- ${name} --help says more.`);
    for (const option of Object.keys(command.options)) {
      const flag = flagOf(option);
      const misspelt = `${flag.slice(0, -1)}x${flag.slice(-1)}`;
      const { err: reported } = await run(...words, misspelt);
      expect(reported).toMatch(new RegExp(`takes no option ${misspelt}; did you mean '--[a-z-]+'\\?`));
    }
  });

  test('takes a value for each option that needs one, none for the others, and once', () => {
    for (const [option, { placeholder, isMany }] of Object.entries(command.options)) {
      const flag = flagOf(option);
      const refusal = (...more: string[]): string => {
        try {
          readCommandLine(PROGRAM, [...words, ...more]);
          return '';
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          return (error as Error).message;
        }
      };
      if (placeholder === undefined) {
        expect(refusal(`${flag}=false`)).toContain(`${flag} takes no value`);
      } else {
        expect(refusal(flag)).toContain(`${flag} needs a value`);
        expect(refusal(flag, '--json')).toContain(`${flag} needs a value`);
        expect(refusal(`${flag}=`)).toContain(`${flag}: `);
        if (!isMany) expect(refusal(`${flag}=1`, `${flag}=1`)).toContain(`${flag} is given 2 times`);
      }
    }
  });

  test('is suggested when it is misspelt', async () => {
    const misspelt = [...words.slice(0, -1), `${words.at(-1)?.slice(0, -1)}q`];
    const { status, err } = await run(...misspelt);
    expect(status).toBe(2);
    expect(err).toMatch(/did you mean '.+'\?/);
  });
});

describe.each(GROUPS)('the commands of %s', (name, { commands }) => {
  test('are listed by --help, -h and help', async () => {
    const { status, out, err } = await run(name, '--help');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    for (const one of commands) expect(out).toMatch(new RegExp(`^  ${one.name} .*`, 'm'));
    expect(await run(name, '-h')).toEqual({ status, out, err });
    expect(await run('help', name)).toEqual({ status, out, err });
  });

  test('begin with its name, and one of them is needed', async () => {
    for (const one of commands) expect(one.name.startsWith(`${name} `)).toBe(true);
    expect(await run(name)).toMatchObject({ status: 2, err: expect.stringContaining(`${name} needs `) });
    expect(await run(name, '--json')).toMatchObject({ status: 2 });
  });
});

test.each([
  [[], 'a command is needed'],
  [['stats'], "'stats' is not a command; did you mean 'status'?"],
  [['conf'], "'conf' is not a command; did you mean 'conflicts'?"],
  [['plan'], "'plan' is not a command; did you mean 'dns plan' or 'bench plan'?"],
  [['bench:lag'], "'bench:lag' is not a command; did you mean 'bench lag'?"],
  [['constructor'], "'constructor' is not a command"],
  [['dns', '__proto__'], "'dns __proto__' is not a command"],
  [['--json', 'status'], "the command comes first, so not '--json'"],
  [['stats', '--help'], "'stats' is not a command"],
  [['help', 'stats'], "'stats' is not a command"],
  [['help', 'status', 'more'], "help takes no argument 'more'"],
  [['drill', 'awslost'], "<drill>: 'awslost' is not one of aws-lost, azure-lost; did you mean 'aws-lost'?"],
  [['status', '--constructor'], 'status takes no option --constructor'],
  [['status', '--__proto__'], 'status takes no option --__proto__'],
])('%j is a wrong command line', async (words, message) => {
  const { status, out, err } = await run(...words);
  expect({ status, out }).toEqual({ status: 2, out: '' });
  expect(err).toContain(message);
  expect(err).not.toMatch(/^ +at /m);
});

test('every mistake of a line is named at once', async () => {
  const { err } = await run('cost', '--requests', '1e6', '--aws-percent=200', '--jsn', 'more');
  for (const part of ['--requests: ', '--aws-percent: ', '--jsn', "'more'"]) expect(err).toContain(part);
});

test('the version is that of package.json', async () => {
  expect(await run('--version')).toEqual({
    status: 0,
    out: expect.stringMatching(/^tandem \d+\.\d+\.\d+\n$/),
    err: '',
  });
});
