/** The release that was deployed before, as the repository keeps it: its real bundles of both clouds, packed tightly. */
import fs from 'node:fs';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { Cloud } from '@tandem-clouds/local/stack/sites';
import { unzip, zip } from '@tandem-clouds/local/zip';

/** Without source maps; written by `npm run tandem -- release-fixture`. */
export const FIXTURE = path.join(import.meta.dirname, '../../../../tests/fixtures/previous-release.zip.br');

/** What it declares, as data: what today's declarations are compared with (`npm run tandem -- schema check`). */
export const FIXTURE_SCHEMA = path.join(
  import.meta.dirname,
  '../../../../tests/fixtures/previous-release.schema.json',
);
/**
 * Functions that lay elsewhere in that release, at AWS, whose local host goes by today's definition; an Azure app brings its
 * own. Empty with the next fixture.
 */
const MOVED: Readonly<Record<string, string>> = {
  'src/handlers/users.cjs': 'src/handlers/entities/users.cjs',
};
const today = (cloud: Cloud, name: string): string => (cloud === 'aws' ? (MOVED[name] ?? name) : name);

/** Unpacks the artefact of each cloud into a folder, as one package, and returns their folders. */
export function unpackPreviousRelease(folder: string): Readonly<Record<Cloud, string>> {
  const archive = path.join(folder, 'release.zip');
  fs.writeFileSync(archive, brotliDecompressSync(fs.readFileSync(FIXTURE)));
  const files = [...unzip(archive)];
  const artefactOf = (cloud: Cloud): string => {
    const own = files.filter(([name]) => name.startsWith(`${cloud}/`));
    const artefact = path.join(folder, cloud);
    fs.mkdirSync(artefact);
    const content = new Map(own.map(([name, bytes]) => [today(cloud, name.slice(cloud.length + 1)), bytes]));
    fs.writeFileSync(path.join(artefact, 'tandem.zip'), zip(content));
    return artefact;
  };
  return { aws: artefactOf('aws'), azure: artefactOf('azure') };
}
