/** Java, and programs of Maven Central by their coordinates. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { PEERS, succeeds, Unavailable } from './peer.ts';

/** Sees to it that there is a Java, by Debian's package if need be. @throws Unavailable when there is none to be had. */
export function needJava(): void {
  needCommand('java', ['-version'], 'default-jre-headless');
}

export interface Artifact {
  /** `<group>:<artifact>:<version>` */
  readonly coordinates: string;
  /** The file must have just this content. */
  readonly sha256: string;
}

/**
 * Copies one jar into a folder of `.peers/`, from the repository that Maven is configured for. Returns its path.
 * @throws Unavailable without Maven or the artifact, or when its content is another.
 */
export function jarFromMaven(name: string, { coordinates, sha256 }: Artifact): string {
  const [, artifact = '', version = ''] = coordinates.split(':');
  const folder = path.join(PEERS, name);
  const jar = path.join(folder, `${artifact}-${version}.jar`);
  if (digestOf(jar) === sha256) return jar;
  needCommand('mvn', ['--version'], 'maven');
  console.log(`installing ${coordinates} into .peers/`);
  const goal = ['dependency:copy', `-Dartifact=${coordinates}`, `-DoutputDirectory=${folder}`];
  if (!succeeds('mvn', ['--quiet', '--batch-mode', ...goal], 'inherit')) {
    throw new Unavailable(`${coordinates} could not be installed`);
  }
  if (digestOf(jar) !== sha256) throw new Unavailable(`${coordinates} is not the file that it should be`);
  return jar;
}

function digestOf(file: string): string | undefined {
  if (!fs.existsSync(file)) return undefined;
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}

/** Installs a package of Debian when the command is not there and this may be done. @throws Unavailable */
function needCommand(command: string, test: readonly string[], debianPackage: string): void {
  if (succeeds(command, test, 'ignore')) return;
  console.log(`installing ${debianPackage}`);
  const install = ['install', '--yes', '--no-install-recommends', debianPackage];
  if (!succeeds('apt-get', install, 'ignore') || !succeeds(command, test, 'ignore')) {
    throw new Unavailable(
      `there is no ${command} on this machine, and ${debianPackage} could not be installed`,
    );
  }
}
