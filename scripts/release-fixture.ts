/**
 * `release-fixture <version>`: makes a kept release the one that tests/e2e/previous-release.test.ts holds
 * today's code to. Run it when a release has been deployed everywhere (docs/decisions/0027-the-release-before.md).
 */
import fs from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { unzip, zip } from '@tandem-clouds/local/zip';
import { FIXTURE, FIXTURE_SCHEMA } from '@tandem-clouds/testkit/cluster/previous-release';
import { artefactOf, schemaOf } from '../infra/rollout/releases.ts';

/** The bundles of one cloud hold the same libraries: most of them is found again within 16 MB. */
const WINDOW_BITS = 24;

/** Returns the exit status. */
export function makeReleaseFixture({ version }: { readonly version: string }): number {
  const files = new Map<string, Buffer>();
  for (const cloud of ['aws', 'azure'] as const) {
    const folder = artefactOf(version, cloud);
    for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.zip'))) {
      for (const [file, content] of unzip(path.join(folder, name))) {
        if (!file.endsWith('.map')) files.set(`${cloud}/${file}`, content);
      }
    }
  }
  const archive = zip(new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))));
  const packed = brotliCompressSync(archive, {
    params: {
      [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: archive.length,
    },
  });
  const schema = schemaOf(version);
  if (schema === undefined)
    throw new UsageError(`release ${version} does not say what it declares; package it again`);
  fs.mkdirSync(path.dirname(FIXTURE), { recursive: true });
  fs.writeFileSync(FIXTURE, packed);
  fs.writeFileSync(FIXTURE_SCHEMA, schema);
  console.log(`${version}: ${files.size} files, ${Math.round(packed.length / 1024)} kB`);
  return 0;
}
