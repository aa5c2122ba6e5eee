/**
 * Releases that are kept: what `npm run package` made, by version, so that an earlier one can be deployed again.
 *
 * Invariant: a release is whole or not there; its artefacts are never changed afterwards.
 */
import fs from 'node:fs';
import path from 'node:path';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import type { Cloud } from '@tandem-clouds/local/stack/sites';

const ARTIFACTS = path.join(import.meta.dirname, '../../.artifacts');
const RELEASES = path.join(ARTIFACTS, 'releases');
/** Of each release both artefacts are kept, some 13 MB. */
const KEPT_MAX = 5;
const CLOUDS: readonly Cloud[] = ['aws', 'azure'];

export interface Release {
  readonly version: string;
  /** RFC 3339. */
  readonly madeAt: string;
}

/** What a release declares, beside its packages. */
const SCHEMA = 'schema.json';

/**
 * Moves a packaged release to the others; the oldest go. The latest packages stay where they are, too.
 * @param schema What it declares (`scripts/schema/describe.ts`).
 */
export function keepRelease(release: Release, schema: string, artifacts = ARTIFACTS): void {
  const next = path.join(artifacts, 'releases', `.${release.version}`);
  fs.rmSync(next, { recursive: true, force: true });
  for (const cloud of CLOUDS) {
    fs.cpSync(path.join(artifacts, cloud), path.join(next, cloud), { recursive: true });
  }
  fs.writeFileSync(path.join(next, 'release.json'), `${JSON.stringify(release)}\n`);
  fs.writeFileSync(path.join(next, SCHEMA), schema);
  const place = path.join(artifacts, 'releases', release.version);
  fs.rmSync(place, { recursive: true, force: true });
  fs.renameSync(next, place);
  for (const { version } of keptReleases(path.join(artifacts, 'releases')).slice(KEPT_MAX)) {
    fs.rmSync(path.join(artifacts, 'releases', version), { recursive: true, force: true });
  }
}

/** What a kept release declares, as text; undefined: it is not kept, or is older than that it says so. */
export function schemaOf(version: string, folder = RELEASES): string | undefined {
  // A version is one name in the folder, whatever was typed.
  if (!keptReleases(folder).some((release) => release.version === version)) return undefined;
  const file = path.join(folder, version, SCHEMA);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

/** The latest first. */
export function keptReleases(folder = RELEASES): readonly Release[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name, 'release.json'), 'utf8')) as Release)
    .sort((a, b) => (a.madeAt < b.madeAt ? 1 : -1));
}

/** What was made before `version`; the latest other one when `version` is not among those that are kept. */
export function releaseBefore(version: string, kept: readonly Release[]): string | undefined {
  const index = kept.findIndex((release) => release.version === version);
  return kept.slice(index + 1).find((release) => release.version !== version)?.version;
}

/** The folder of its packages. @throws UsageError when the release is not kept. */
export function artefactOf(version: string, cloud: Cloud, folder = RELEASES): string {
  const place = path.join(folder, version, cloud);
  if (fs.existsSync(place)) return place;
  const kept = keptReleases(folder).map((release) => release.version);
  throw new UsageError(
    `release ${version} is not in .artifacts/releases; kept are: ${kept.join(', ') || 'none, run npm run package'}`,
  );
}
