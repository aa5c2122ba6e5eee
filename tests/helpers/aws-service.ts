/**
 * A copy of the AWS service in a folder of its own: packaging writes `.serverless` and `.esbuild` next to the
 * definition, and tests that package at the same time must not meet there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../..');
const COPIED = ['package.json', 'serverless.aws.yml', 'infra', 'src'];
const LINKED = ['node_modules', 'packages'];

/** Creates the copy in a temporary folder, which the caller removes. */
export function copyAwsService(): string {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'aws-service-')));
  for (const name of COPIED) fs.cpSync(path.join(ROOT, name), path.join(dir, name), { recursive: true });
  for (const name of LINKED) fs.symlinkSync(path.join(ROOT, name), path.join(dir, name));
  return dir;
}

/** The environment of the test without anything that would point a site elsewhere, and with what is given. */
export function cleanEnvironment(given: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AWS|TANDEM|SLS)_|^NODE_OPTIONS$/.test(name),
  );
  const bin = path.join(ROOT, 'node_modules/.bin');
  return {
    ...Object.fromEntries(kept),
    PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`,
    ...given,
  };
}

/** Starts `sls` in the copy; its output is collected in `output`. */
export function sls(
  dir: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { child: ChildProcess; output: string[] } {
  const output: string[] = [];
  const child = spawn(
    process.execPath,
    [path.join(ROOT, 'node_modules/serverless/bin/serverless.js'), ...args],
    {
      cwd: dir,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  return { child, output };
}

/** Packages the copy into `.artifacts/aws`. @throws Error with the output when it fails. */
export async function packageAws(dir: string): Promise<string> {
  const args = ['package', '-c', 'serverless.aws.yml', '--package', '.artifacts/aws'];
  const { child, output } = sls(dir, args, cleanEnvironment());
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`sls package: exit code ${code ?? ''}\n${output.join('')}`);
  return path.join(dir, '.artifacts/aws');
}
