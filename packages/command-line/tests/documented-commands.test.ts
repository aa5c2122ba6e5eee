/** What documents, workflows and messages tell somebody to type is a command line of this project. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { PROGRAM } from '../../../scripts/commands/program.ts';
import { shellWords } from '../../../tests/helpers/shell-words.ts';
import { readCommandLine } from '../src/run-program.ts';

const ROOT = path.join(import.meta.dirname, '../../..');

interface Named {
  readonly file: string;
  readonly line: string;
}

/** From `npm run tandem --` to what ends a command in a text or a shell. */
const CALLS = /npm run (?:-s |--silent )?(tandem|bench|generate|package) -- ([^`\n#;|&()]*)/g;

function namedIn(file: string): Named[] {
  // A shell goes on in the next line after a backslash.
  const text = fs.readFileSync(path.join(ROOT, file), 'utf8').replaceAll(/\\\n\s*/g, '');
  return [...text.matchAll(CALLS)].map(([, script = '', rest = '']) => ({
    file,
    line: `${script === 'tandem' ? '' : `${script} `}${rest.replace(/, .*|"\$@"/, '')}`.trim(),
  }));
}

/** Decisions are about their time. */
const files = execFileSync('git', ['ls-files', '*.md', '*.yml', '.ci', '.github'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter(
    (file) => file !== '' && !file.startsWith('docs/decisions/') && fs.existsSync(path.join(ROOT, file)),
  );
const named = files.flatMap(namedIn);

/** `<url>` and `$URL` stand for what a person knows. */
function filledIn(line: string): string {
  return line
    .replaceAll(/"?\$\w*URL"?|<url>/gi, 'http://127.0.0.1:3000')
    .replaceAll(/<site>/g, 'aws-us-east-1')
    .replaceAll(/"?\$\w+"?|<\w+>/g, 'x')
    .replace(/[.,:]$/, '');
}

test('documents name commands', () => {
  expect(named.length).toBeGreaterThan(50);
});

/** The longest beginning that is a command or a group; what is after it in a sentence is not. */
function isInSentence(line: string): boolean {
  const words = line.split(' ').filter((word) => /^[a-z][a-z-]*$/.test(word));
  return [words.slice(0, 2), words.slice(0, 1)].some((name) => {
    try {
      return name.length > 0 && readCommandLine(PROGRAM, ['help', ...name]).kind === 'text';
    } catch {
      return false;
    }
  });
}

test.each(named.map(({ file, line }) => [file, line] as const))('%s: %s', (_file, line) => {
  if (/^(<command>|…|--)/.test(line)) return;
  expect({ line, isCommand: isInSentence(line) }).toEqual({ line, isCommand: true });
  // Where options are named the whole line has to be right.
  if (line.includes(' --')) expect(readCommandLine(PROGRAM, shellWords(filledIn(line)))).toBeDefined();
});
