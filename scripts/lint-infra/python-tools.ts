/**
 * Linters from PyPI in a virtual environment of their own, `.peers/lint-infra`, made on demand and again whenever the
 * pinned versions change.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Unavailable } from './check.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const REQUIREMENTS = path.join(ROOT, 'infra/lint/requirements.txt');
const VENV = path.join(ROOT, '.peers/lint-infra');
/** Names the versions that the environment was made for; written last, so that one cut short is made again. */
const INSTALLED = path.join(VENV, 'installed.txt');

export interface ToolResult {
  readonly ok: boolean;
  readonly output: string;
}

function run(command: string, args: readonly string[]): ToolResult {
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  if (error !== undefined) return { ok: false, output: error.message };
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

/** Installs what is pinned unless it is there. @throws Unavailable without Python or without a package index. */
export function installPythonTools(): void {
  const wanted = fs.readFileSync(REQUIREMENTS, 'utf8');
  if (fs.existsSync(INSTALLED) && fs.readFileSync(INSTALLED, 'utf8') === wanted) return;
  fs.rmSync(VENV, { recursive: true, force: true });
  console.log('installing linters into .peers/lint-infra');
  const made = run('python3', ['-m', 'venv', VENV]);
  if (!made.ok) throw new Unavailable(`no Python environment: ${made.output.trim()}`);
  const pip = ['install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
  const installed = run(path.join(VENV, 'bin/pip'), pip);
  if (!installed.ok) throw new Unavailable(`not installed: ${installed.output.trim()}`);
  fs.writeFileSync(INSTALLED, wanted);
}

/** Runs an installed linter from the root of the project. */
export function pythonTool(name: string, args: readonly string[]): ToolResult {
  return run(path.join(VENV, 'bin', name), args);
}
