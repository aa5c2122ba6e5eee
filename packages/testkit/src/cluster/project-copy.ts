/**
 * The project as somebody has it who has just cloned it and run `npm ci`: a folder whose sources may be changed, to run a
 * stack with declarations that are none of the product.
 */
import fs from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '../../../..');
const OWN_PACKAGES = '@tandem-clouds';
/** What is not in a clone: what commands of the project have made. */
const NOT_CLONED = new Set([
  'node_modules',
  '.git',
  '.tandem',
  '.esbuild',
  '.artifacts',
  '.serverless',
  '.bench',
  '.peers',
  '.simulate',
  'coverage',
]);

/**
 * Into an empty folder. What is installed is linked, but for the project's own packages: those are the copy's.
 * @param from A checkout with what is installed.
 */
export function copyProject(dir: string, from = ROOT): void {
  for (const name of fs.readdirSync(from)) {
    if (!NOT_CLONED.has(name)) fs.cpSync(path.join(from, name), path.join(dir, name), { recursive: true });
  }
  linkModules(path.join(from, 'node_modules'), path.join(dir, 'node_modules'));
}

function linkModules(from: string, to: string): void {
  fs.mkdirSync(to);
  for (const name of fs.readdirSync(from)) {
    if (name !== OWN_PACKAGES) fs.symlinkSync(path.join(from, name), path.join(to, name));
  }
  fs.mkdirSync(path.join(to, OWN_PACKAGES));
  for (const name of fs.readdirSync(path.join(from, OWN_PACKAGES))) {
    fs.symlinkSync(path.join('../../packages', name), path.join(to, OWN_PACKAGES, name));
  }
}
