import { describe, expect, test } from '@jest/globals';
import {
  type Aim,
  commandLine,
  figure,
  type Report,
  report,
  type Streams,
  thisMachine,
  toJson,
  toTable,
} from '@tandem-clouds/testkit/report/report';

const aReport = (more: Partial<Report> = {}): Report => ({
  title: 'Things measured',
  date: '2026-01-02T03:04:05.000Z',
  machine: { cores: 2, cpu: 'Some CPU', memoryGb: 8, platform: 'linux x64', node: 'v24.0.0' },
  command: 'node scripts/bench/things.ts',
  figures: [
    figure('short', 1234.5, 'ms', { below: 60 }),
    figure('a longer name', 0.25, '×', { atMost: 0.6 }),
    figure('no aim', 7, 'writes/s'),
  ],
  ...more,
});

function captured(): Streams & { readonly stdout: string[]; readonly stderr: string[] } {
  const stdout: string[] = [];
  const stderr: string[] = [];
  return { stdout, stderr, out: (text) => void stdout.push(text), err: (text) => void stderr.push(text) };
}

describe('figure', () => {
  const cases: readonly (readonly [string, number, Aim, string, boolean])[] = [
    ['holds at an upper bound', 10, { atMost: 10 }, '≤ 10', true],
    ['fails above it', 10.01, { atMost: 10 }, '≤ 10', false],
    ['fails at a strict bound', 60, { below: 60 }, '< 60', false],
    ['holds below it', 59.9, { below: 60 }, '< 60', true],
    ['holds at a lower bound', 50, { atLeast: 50 }, '≥ 50', true],
    ['fails below that', 49.9, { atLeast: 50 }, '≥ 50', false],
    ['holds when exact', 0, { exactly: 0 }, '= 0', true],
    ['fails when not exact', 1, { exactly: 0 }, '= 0', false],
  ];
  test.each(cases)('%s', (_title, value, aim, text, holds) => {
    expect(figure('x', value, 'ms', aim)).toEqual({ name: 'x', value, unit: 'ms', aim: text, holds });
  });

  test('says neither yes nor no where nothing is aimed at', () => {
    expect(figure('x', 3, 'ms')).toEqual({ name: 'x', value: 3, unit: 'ms', aim: null, holds: null });
  });

  test.each([Number.NaN, Infinity])('refuses %d, which nobody measured', (value) => {
    expect(() => figure('x', value, 'ms')).toThrow(RangeError);
  });
});

describe('the table', () => {
  test('aligns the values to the right and every other column to the left', () => {
    const lines = toTable(aReport()).split('\n');
    expect(lines.slice(4, 8)).toEqual([
      'figure         value  unit      aim      holds',
      'short          1,235  ms        < 60     NO',
      'a longer name  0.250  ×         ≤ 0.600  yes',
      'no aim             7  writes/s',
    ]);
  });

  test('names the machine, the command and the notes', () => {
    const text = toTable(aReport({ notes: ['measured twice'] }));
    expect(text).toContain('2 cores (Some CPU), 8 GB, linux x64, Node v24.0.0');
    expect(text).toContain('node scripts/bench/things.ts');
    expect(text).toContain('- measured twice');
  });
});

describe('the JSON', () => {
  test('is one line with every figure as it was measured', () => {
    const text = toJson(aReport());
    expect(text).not.toContain('\n');
    expect(JSON.parse(text)).toEqual({ ...aReport(), notes: [] });
  });
});

describe('a run', () => {
  const options = { title: 'Things', json: true, command: 'node things.ts' };

  test('prints exactly one JSON object and exits with 0 although an aim fails', async () => {
    const streams = captured();
    const status = await report(
      options,
      (progress) => {
        progress('half way');
        return Promise.resolve({ figures: [figure('slow', 99, 'ms', { below: 1 })] });
      },
      streams,
    );
    expect(status).toBe(0);
    expect(streams.stdout).toHaveLength(1);
    const printed = JSON.parse(streams.stdout[0]!) as Report;
    expect(printed.figures).toEqual([{ name: 'slow', value: 99, unit: 'ms', aim: '< 1', holds: false }]);
    expect(printed.machine).toEqual(thisMachine());
    expect(streams.stderr).toEqual(['half way\n']);
  });

  test('prints a table without --json', async () => {
    const streams = captured();
    await report(
      { ...options, json: false },
      () => Promise.resolve({ figures: [figure('n', 1, '')] }),
      streams,
    );
    expect(streams.stdout.join('')).toMatch(/^Things\n/);
  });

  test('that breaks exits with 1 and prints nothing on standard output', async () => {
    const streams = captured();
    const status = await report(options, () => Promise.reject(new Error('the stack went away')), streams);
    expect(status).toBe(1);
    expect(streams.stdout).toEqual([]);
    expect(streams.stderr.join('')).toContain('the stack went away');
  });
});

test('the command is given as a person types it in the root of the project', () => {
  const argv = ['/usr/bin/node', '/somewhere/project/scripts/tandem.ts', 'bench', 'http', '--json'];
  expect(commandLine(argv, '/somewhere/project')).toBe('npm run tandem -- bench http --json');
  const other = ['/usr/bin/node', '/somewhere/project/scripts/things.ts', '--json'];
  expect(commandLine(other, '/somewhere/project')).toBe('node scripts/things.ts --json');
});
