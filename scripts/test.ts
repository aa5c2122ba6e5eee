/** `npm test`: checks that generated files are current, then runs jest on native ES modules. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const run = (...args: string[]): number =>
  spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

const generated = run('scripts/generate/generate.ts', '--check');
const tests = run(
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  ...process.argv.slice(2),
);
process.exitCode = generated !== 0 ? generated : tests;
