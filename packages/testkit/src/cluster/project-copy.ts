/** The project in another folder, as somebody has it who has just cloned it and run `npm ci`: its files may be changed. */
import fs from 'node:fs';
import path from 'node:path';

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

/** @param from A checkout with what is installed. @param to A folder that is empty. */
export function copyProject(from: string, to: string): void {
  for (const name of fs.readdirSync(from)) {
    if (!NOT_CLONED.has(name)) {
      fs.cpSync(path.join(from, name), path.join(to, name), { recursive: true });
    }
  }
  linkModules(path.join(from, 'node_modules'), path.join(to, 'node_modules'));
}

/** What is installed, but for the project's own packages: those are the copy's. */
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
