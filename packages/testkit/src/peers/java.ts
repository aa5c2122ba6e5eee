/** Java, and programs of Maven Central by their coordinates. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { needCommand } from './debian.ts';
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

/**
 * Copies one jar and all that it depends on, native libraries included, into a folder of `.peers/`. Returns the folder.
 * @throws Unavailable without Maven or the artifact, or when the jar's content is another.
 */
export function programFromMaven(name: string, { coordinates, sha256 }: Artifact): string {
  const [group = '', artifact = '', version = ''] = coordinates.split(':');
  const folder = path.join(PEERS, name);
  const jar = path.join(folder, 'lib', `${artifact}-${version}.jar`);
  // Written last, so that an installation that was cut short is made again.
  const done = path.join(folder, 'installed');
  if (fs.existsSync(done) && digestOf(jar) === sha256) return path.dirname(jar);
  needCommand('mvn', ['--version'], 'maven');
  console.log(`installing ${coordinates} into .peers/`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const dependency = `<groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>`;
  fs.writeFileSync(
    path.join(folder, 'pom.xml'),
    `<project><modelVersion>4.0.0</modelVersion><groupId>peers</groupId><artifactId>${name}</artifactId><version>1</version>` +
      `<dependencies><dependency>${dependency}</dependency></dependencies></project>`,
  );
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
  const options = ['--quiet', '--batch-mode', '--file', path.join(folder, 'pom.xml')];
  if (!succeeds('mvn', [...options, ...goal], 'inherit')) {
    throw new Unavailable(`${coordinates} could not be installed`);
  }
  if (digestOf(jar) !== sha256) throw new Unavailable(`${coordinates} is not the file that it should be`);
  fs.writeFileSync(done, '');
  return path.dirname(jar);
}

function digestOf(file: string): string | undefined {
  if (!fs.existsSync(file)) return undefined;
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}
