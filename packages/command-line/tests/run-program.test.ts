/** From words to an exit status, with commands of its own. */
import { describe, expect, test } from '@jest/globals';
import { command, type Output, type Program, withContext } from '../src/command.ts';
import { CommandError } from '../src/command-error.ts';
import { choice, file, flag, many, percent, text, whole } from '../src/option.ts';
import { runProgram } from '../src/run-program.ts';
import { UsageError } from '../src/usage-error.ts';
import { WriteError } from '../src/write-file.ts';

const ended = (end: () => number | Promise<number>) =>
  command({ name: 'end', summary: 'ends', examples: [], run: end });

async function run(program: Program<Output>, ...words: string[]) {
  let [out, err] = ['', ''];
  const context = { out: (more: string) => (out += more), err: (more: string) => (err += more) };
  return { status: await runProgram(program, words, context), out, err };
}

const programOf = (...entries: Program<Output>['sections'][number]['entries']): Program<Output> => ({
  call: 'tool',
  summary: 'A tool.',
  sections: [{ title: 'All', entries }],
});

describe('a command ends', () => {
  test.each([
    ['with its own status', () => 0, 0, ''],
    ['with its own status, later', () => Promise.resolve(1), 1, ''],
    [
      'with 1 and a message for what is expected to go wrong',
      fail(new CommandError('no luck')),
      1,
      'no luck\n',
    ],
    ['with 1 when a file cannot be written', fail(new WriteError('x could not')), 1, 'x could not\n'],
    [
      'with 2, the rule and where to read more when it was wrongly used',
      fail(new UsageError('--x: a number')),
      2,
      '--x: a number\ntool end --help says more.\n',
    ],
  ])('%s', async (_title, end, status, err) => {
    expect(await run(programOf(ended(end)), 'end')).toEqual({ status, out: '', err });
  });

  test('with an exception when it has a defect, which nothing hides', async () => {
    const defect = new TypeError('undefined is no function');
    await expect(run(programOf(ended(fail(defect))), 'end')).rejects.toBe(defect);
  });
});

function fail(error: Error): () => Promise<number> {
  return () => Promise.reject(error);
}

describe('a command is given', () => {
  const seen: unknown[] = [];
  const all = command({
    name: 'all',
    summary: 'takes all',
    args: { first: text('one', { placeholder: 'word', required: true }), rest: many(percent('more', {})) },
    options: {
      dryRun: flag('nothing'),
      count: whole('how many', { min: 1, default: '5' }),
      kind: choice('which', ['a', 'b'], {}),
      argument: many(text('for another program', { placeholder: 'argument' })),
      out: file('where', {}),
    },
    examples: [],
    run: (input) => {
      seen.push(input);
      return 0;
    },
  });

  test.each([
    [['x'], { first: 'x', rest: [], dryRun: false, count: 5, kind: undefined, argument: [], out: undefined }],
    [
      ['--dry-run', 'x', '5', '--kind=b', '60%', '--count', '7'],
      { first: 'x', rest: [5, 60], dryRun: true, count: 7, kind: 'b' },
    ],
    [['--argument=--stage=test', 'x', '--argument', 'y'], { argument: ['--stage=test', 'y'] }],
    [['--', '--dry-run'], { first: '--dry-run', dryRun: false }],
    // Not help: it is what the command works on.
    [['--', '-h'], { first: '-h' }],
  ])('for %j: %j', async (words, values) => {
    seen.length = 0;
    expect(await run(programOf(all), 'all', ...words)).toEqual({ status: 0, out: '', err: '' });
    expect(seen).toEqual([expect.objectContaining(values)]);
  });

  test('files from where the person stands, and defaults from where the process runs', async () => {
    const files = command({
      name: 'files',
      summary: 'names files',
      options: { given: file('one', {}), other: file('another', { default: 'dns/policy.yml' }) },
      examples: [],
      run: (input: { given: string | undefined; other: string }, { out }: Output) => {
        out(`${input.given} ${input.other}`);
        return 0;
      },
    });
    let out = '';
    const context = { out: (more: string) => (out += more), err: () => undefined };
    const place = { resolve: (name: string) => `/there/${name}` };
    await runProgram(programOf(files), ['files', '--given', 'x'], context, place);
    expect(out).toBe('/there/x dns/policy.yml');
  });

  test('a context that is made for it, only when it runs', async () => {
    let made = 0;
    const inner = command({
      name: 'inner',
      summary: 'needs more',
      examples: [],
      run: (_input, { who, out }: Output & { who: string }) => {
        out(who);
        return 0;
      },
    });
    const outer = withContext(inner, (context: Output) => {
      made += 1;
      return Promise.resolve({ ...context, who: 'me' });
    });
    expect(await run(programOf(outer), 'inner', '--help')).toMatchObject({ status: 0 });
    expect(await run(programOf(outer), 'inner', '--wrong')).toMatchObject({ status: 2 });
    expect(made).toBe(0);
    expect(await run(programOf(outer), 'inner')).toEqual({ status: 0, out: 'me', err: '' });
  });
});
