/** Examples of the packages, run in a folder where they are installed. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.join(import.meta.dirname, '../..');
const run = promisify(execFile);
const TIMEOUT_MS = 280_000;

/** What a script or a test runner inherits of this run of jest would change it. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS|AZURE|JEST|NODE|npm|TANDEM|VITEST)_/i.test(name)),
  );
}

/** Output of a program that has succeeded. @throws Error with all that it wrote. */
export async function output(
  folder: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout, stderr } = await run(program, args, {
    cwd: folder,
    env: { ...cleanEnvironment(), ...env },
    timeout: TIMEOUT_MS,
  });
  return stdout + stderr;
}

export const node = (folder: string, ...args: readonly string[]): Promise<string> =>
  output(folder, process.execPath, args);

/** The first block of code in the README of a package, as a file of that folder. */
export function exampleOf(name: string, folder: string): string {
  const readme = fs.readFileSync(path.join(ROOT, 'packages', name, 'README.md'), 'utf8');
  const [, language, example] = /```([jt]s)\n([\s\S]*?)```/.exec(readme) ?? [];
  if (language === undefined || example === undefined)
    throw new Error(`packages/${name}/README.md has no example`);
  const file = path.join(folder, `example-${name}.m${language}`);
  fs.writeFileSync(file, example);
  return file;
}

/** The examples of the package come with it; a test runner wants them outside of node_modules. */
export function copyExamples(folder: string): string {
  const examples = path.join(folder, 'examples');
  fs.cpSync(path.join(folder, 'node_modules/@tandem-clouds/emulators/examples'), examples, {
    recursive: true,
  });
  return examples;
}
