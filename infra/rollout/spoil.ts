/** A bad release for a drill: a real artefact in which one function fails every request. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { unzip, zip } from '@tandem-clouds/local/zip';
import { entities } from '../../src/shared/registry/entities.ts';

/** That of the first entity, which the smoke test writes to. */
const BUNDLE = `src/handlers/${entities[0] === undefined ? 'items' : `entities/${entities[0].collection}`}.cjs`;
const DEFECT = `
module.exports = { ...module.exports, handler: () => Promise.reject(new Error('a release that fails')) };
`;

/** Copies an artefact's packages with the defect in them. Returns the folder, which the caller removes. */
export function spoiled(artefact: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-bad-release-'));
  for (const name of fs.readdirSync(artefact).filter((file) => file.endsWith('.zip'))) {
    const files = unzip(path.join(artefact, name));
    const bundle = files.get(BUNDLE);
    if (bundle !== undefined) files.set(BUNDLE, Buffer.concat([bundle, Buffer.from(DEFECT)]));
    fs.writeFileSync(path.join(folder, name), zip(files));
  }
  return folder;
}
