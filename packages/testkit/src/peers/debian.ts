/** Commands that Debian's packages bring. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { succeeds, Unavailable } from './peer.ts';

/** Installs a package of Debian when the command is not there and this may be done. @throws Unavailable */
export function needCommand(command: string, test: readonly string[], debianPackage: string): void {
  if (succeeds(command, test, 'ignore')) return;
  needPackage(debianPackage);
  if (!succeeds(command, test, 'ignore'))
    throw new Unavailable(`${debianPackage} was installed, and there is no ${command}`);
}

/** Installs a package of Debian. @throws Unavailable */
export function needPackage(debianPackage: string): void {
  console.log(`installing ${debianPackage}`);
  const install = ['install', '--yes', '--no-install-recommends', debianPackage];
  if (!succeeds('apt-get', install, 'ignore'))
    throw new Unavailable(`${debianPackage} is not on this machine, and could not be installed`);
}

/**
 * Unpacks a package of Debian into a folder: for one that would start a service where it is installed.
 * @throws Unavailable
 */
export function unpackPackage(debianPackage: string, folder: string): void {
  console.log(`unpacking ${debianPackage}`);
  fs.mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, stdio: 'ignore' } as const;
  const downloaded = spawnSync('apt-get', ['download', debianPackage], options).status === 0;
  const [file] = fs.readdirSync(folder).filter((name) => name.endsWith('.deb'));
  const isUnpacked =
    downloaded && file !== undefined && succeeds('dpkg', ['-x', path.join(folder, file), folder], 'ignore');
  if (file !== undefined) fs.rmSync(path.join(folder, file));
  if (!isUnpacked) throw new Unavailable(`${debianPackage} of Debian could not be downloaded and unpacked`);
}
