/** Packages of npm, each in a folder of its own below `.peers/`. */
import fs from 'node:fs';
import path from 'node:path';
import { PEERS, succeeds, Unavailable } from './peer.ts';

/**
 * Installs a package at one version, with its installation scripts, when it is not there. Returns the package's folder.
 * @param built A file that its scripts leave in it.
 * @throws Unavailable when it cannot be installed
 */
export function npmPackage(name: string, { version, built }: { version: string; built: string }): string {
  const root = path.join(PEERS, name, version);
  const folder = path.join(root, 'node_modules', name);
  const done = path.join(folder, built);
  if (fs.existsSync(done)) return folder;
  console.log(`installing ${name}@${version} into .peers/`);
  // Otherwise npm takes the next folder above that has a package for the place to install into.
  fs.mkdirSync(root, { recursive: true });
  fs.writeFileSync(path.join(root, 'package.json'), '{"private":true}\n');
  const options = ['install', '--prefix', root, '--no-audit', '--no-fund', '--loglevel', 'error'];
  if (!succeeds('npm', [...options, `${name}@${version}`], 'inherit') || !fs.existsSync(done)) {
    throw new Unavailable(`${name}@${version} could not be installed`);
  }
  return folder;
}
