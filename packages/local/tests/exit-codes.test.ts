import { execFile } from 'node:child_process';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { CANNOT_START } from '../src/exit-codes.ts';

const MODULE = path.join(import.meta.dirname, '../src/exit-codes.ts');

test.each([
  ['a damaged file', `new Error('x.jsonl: line 1 is damaged')`, CANNOT_START],
  ['a port that is taken', `Object.assign(new Error('in use'), { code: 'EADDRINUSE' })`, CANNOT_START],
  ['a full disk', `Object.assign(new Error('no space'), { code: 'ENOSPC' })`, 1],
  [
    'a full disk, behind a message that names the file',
    `new Error('x', { cause: Object.assign(new Error(), { code: 'ENOSPC' }) })`,
    1,
  ],
  [
    'a full disk and a damaged file',
    `new AggregateError([Object.assign(new Error(), { code: 'ENOSPC' }), new Error('damaged')])`,
    CANNOT_START,
  ],
])(
  '%s at the start ends the process so that the supervisor knows what to do',
  async (_title, error, code) => {
    const script = `import { endAtStart } from ${JSON.stringify(MODULE)}; endAtStart(${error});`;
    const ended = await new Promise((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', script], (failure) => resolve(failure?.code));
    });
    expect(ended).toBe(code);
  },
);
