/** Type errors that a change brings while `npm start` runs: which are reported, and what the compiler's process costs. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TypeCheck } from '@tandem-clouds/local/types/type-check';
import { TypeChecker, type TypeReport } from '@tandem-clouds/local/types/type-checker';
import { isAlive } from '../helpers/alive.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    module: 'nodenext',
    types: [],
    lib: ['es5'],
    allowImportingTsExtensions: true,
  },
  include: ['everything'],
};

let dir: string;

const write = (name: string, text: string): void => fs.writeFileSync(path.join(dir, name), text);

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-types-')));
  fs.mkdirSync(path.join(dir, 'src'));
  write('tsconfig.json', JSON.stringify(TSCONFIG));
  write('src/a.ts', 'export const a = 1;\n');
  write('src/user.ts', "import { a } from './a.ts';\nexport const twice: number = a * 2;\n");
  write('src/wrong.ts', "export const wrong: number = 'since long ago';\n");
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

describe('what is reported', () => {
  const checker = (): TypeChecker => new TypeChecker({ projectDir: dir, folders: ['src'] });

  test('an error in the file that was changed, with its line', () => {
    write('src/a.ts', "\nexport const a: number = 'one';\n");
    expect(checker().check(['src/a.ts']).problems).toEqual([
      "src/a.ts:2:14: Type 'string' is not assignable to type 'number'. (TS2322)",
    ]);
  });

  test('an error that the change brings to a file that imports it', () => {
    write('src/a.ts', "export const a = 'one';\n");
    expect(checker().check(['src/a.ts']).problems).toEqual([
      expect.stringMatching(/^src\/user\.ts:2:30: .*TS2362/),
    ]);
  });

  test('not what was wrong before anything was changed; but once that file is changed', () => {
    const one = checker();
    expect(one.check(['src/a.ts'])).toEqual({ problems: [], isMended: false });
    write('src/wrong.ts', "// moved\nexport const wrong: number = 'since long ago';\n");
    expect(one.check(['src/wrong.ts']).problems).toEqual([expect.stringContaining('src/wrong.ts:2:14')]);
  });

  test('each error once, and that all are mended once', () => {
    const one = checker();
    one.check(['src/a.ts']);
    write('src/a.ts', "export const a = 'one';\n");
    expect(one.check(['src/a.ts']).problems).toHaveLength(1);
    expect(one.check(['src/a.ts'])).toEqual({ problems: [], isMended: false });
    write('src/a.ts', 'export const a = 2;\n');
    expect(one.check(['src/a.ts'])).toEqual({ problems: [], isMended: true });
    expect(one.check(['src/a.ts'])).toEqual({ problems: [], isMended: false });
  });

  test('an error in a file that is new', () => {
    const one = checker();
    one.check(['src/a.ts']);
    write('src/new.ts', "import { b } from './a.ts';\nexport default b;\n");
    expect(one.check(['src/new.ts']).problems).toEqual([
      expect.stringMatching(/^src\/new\.ts:1:10: .*TS2305/),
    ]);
  });
});

test('others get the processor between two steps of a check, while it reads and while it checks', () => {
  const steps: number[] = [];
  let step = 0;
  write('src/functions.ts', 'export function one() { return 1; }\nexport interface Two { two: 2 }\n');
  const one = new TypeChecker({ projectDir: dir, folders: ['src'], giveWay: () => void (step += 1) });
  for (const text of ['1', '2']) {
    write('src/a.ts', `export const a = ${text};\nexport function three() { return a; }\n`);
    step = 0;
    one.check(['src/a.ts']);
    steps.push(step);
  }
  // At first the four files, the library's and what they declare; then one file, and its function.
  expect(steps[0]).toBeGreaterThan(6);
  expect(steps[1]).toBeGreaterThan(1);
});

describe('the process of the compiler', () => {
  let reports: TypeReport[];
  let problems: string[];
  let check: TypeCheck;

  beforeEach(() => {
    reports = [];
    problems = [];
    check = new TypeCheck({
      projectDir: dir,
      folders: ['src'],
      env: { PATH: process.env['PATH'] ?? '' },
      onReport: (report) => reports.push(report),
      onProblem: (message) => problems.push(message),
    });
  });

  afterEach(async () => {
    await check.stop();
  });

  const firstReport = () => waitUntil('a report', () => reports[0]);

  test('is there from the first change on after the stack is up, for all until then, and gives way to others', async () => {
    write('src/a.ts', "export const a: number = 'one';\n");
    check.check(['src/a.ts']);
    expect(check.pid).toBeUndefined();
    check.open();
    expect((await firstReport()).problems).toHaveLength(1);
    expect(os.getPriority(check.pid)).toBeGreaterThan(os.constants.priority.PRIORITY_NORMAL);
  });

  test('is not there for files without types', () => {
    check.open();
    check.check(['serverless.aws.yml', 'infra/aws/site.yml']);
    expect(check.pid).toBeUndefined();
  });

  test('reports nothing while it is held, and reports when it is released', async () => {
    const free: TypeReport[] = [];
    const other = new TypeCheck({
      projectDir: dir,
      folders: ['src'],
      env: { PATH: process.env['PATH'] ?? '' },
      onReport: (report) => free.push(report),
      onProblem: (message) => problems.push(message),
    });
    try {
      check.open();
      check.hold();
      check.check(['src/a.ts']);
      other.open();
      other.check(['src/a.ts']);
      await waitUntil('a report of the one that is not held', () => free[0]);
      expect(reports).toEqual([]);
      check.release();
      await firstReport();
      // It checks already when it is held again, and ends all the same.
      check.check(['src/a.ts']);
      check.hold();
    } finally {
      await other.stop();
    }
    expect(problems).toEqual([]);
  });

  test('ends with the stack, also while it checks', async () => {
    check.open();
    check.check(['src/a.ts']);
    const { pid = 0 } = check;
    await check.stop();
    expect(isAlive(pid)).toBe(false);
    check.check(['src/a.ts']);
    expect(check.pid).toBeUndefined();
  });

  test('says why types cannot be checked, once', async () => {
    write('tsconfig.json', '{ "compilerOptions": [ }');
    check.open();
    check.check(['src/a.ts']);
    await waitUntil('a problem', () => problems[0]);
    await waitUntil('its end', () => (check.pid === undefined ? true : undefined));
    check.check(['src/a.ts']);
    expect(check.pid).toBeUndefined();
    expect(problems).toHaveLength(1);
  });
});
