/** Commands that Debian's packages bring. */
import { succeeds, Unavailable } from './peer.ts';

/** Installs a package of Debian when the command is not there and this may be done. @throws Unavailable */
export function needCommand(command: string, test: readonly string[], debianPackage: string): void {
  if (succeeds(command, test, 'ignore')) return;
  console.log(`installing ${debianPackage}`);
  const install = ['install', '--yes', '--no-install-recommends', debianPackage];
  if (!succeeds('apt-get', install, 'ignore') || !succeeds(command, test, 'ignore')) {
    throw new Unavailable(
      `there is no ${command} on this machine, and ${debianPackage} could not be installed`,
    );
  }
}
