/** Linters from PyPI in a virtual environment of their own, `.peers/lint-infra`. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pythonWith } from '@tandem-clouds/testkit/peers/python';

const ROOT = path.join(import.meta.dirname, '../..');
const REQUIREMENTS = path.join(ROOT, 'infra/lint/requirements.txt');

export interface ToolResult {
  readonly ok: boolean;
  readonly output: string;
}

/**
 * Installs what is pinned unless it is there, and returns the folder of the programs.
 * @throws Unavailable without Python or without a package index
 */
export function installPythonTools(): string {
  const lines = fs.readFileSync(REQUIREMENTS, 'utf8').split('\n');
  return pythonWith(
    'lint-infra',
    lines.filter((line) => line !== '' && !line.startsWith('#')),
  );
}

/** Runs an installed linter from the root of the project. */
export function pythonTool(name: string, args: readonly string[]): ToolResult {
  const program = path.join(installPythonTools(), name);
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' });
  if (error !== undefined) return { ok: false, output: error.message };
  return { ok: status === 0, output: `${stdout}${stderr}` };
}
