/**
 * The generated validators, a third of what is ours: made for their content, and neither built nor evaluated again when
 * anything else changes.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type Plugin, transform, version } from 'esbuild';
import { replaceSharedFile } from '@tandem-clouds/emulators/core/files';
import { forgetOldest } from './forget-oldest.ts';

const VALIDATORS = /\/generated\/validators\.js$/;
const FILE = 'src/shared/generated/validators.js';
const KEY_LENGTH = 20;
const KEPT_MAX = 12;

/** Made at the moment: both clouds have the same. */
const making = new Map<string, Promise<void>>();

export interface ValidatorsApartOptions {
  /** Absolute. */
  readonly projectDir: string;
  /** Where the files go, of this stack alone: one that is served is among those that were used last. Absolute. */
  readonly folder: string;
}

/** Makes a build take the validators from a file of their own. */
export function validatorsApart(options: ValidatorsApartOptions): Plugin {
  return {
    name: 'validators-apart',
    setup(build) {
      let file: Promise<string> | undefined;
      build.onStart(() => {
        file = undefined;
      });
      build.onResolve({ filter: VALIDATORS }, async () => {
        file ??= validatorsFile(options);
        return { path: await file, external: true };
      });
    },
  };
}

/** @returns Its absolute path. @throws Error when they are no JavaScript. */
async function validatorsFile({ projectDir, folder }: ValidatorsApartOptions): Promise<string> {
  const text = fs.readFileSync(path.join(projectDir, FILE), 'utf8');
  const key = createHash('sha256').update(`${version}\0${text}`).digest('hex').slice(0, KEY_LENGTH);
  const file = path.join(folder, `${key}.cjs`);
  if (fs.existsSync(file)) {
    const now = new Date();
    fs.utimesSync(file, now, now);
    return file;
  }
  const made =
    making.get(file) ??
    transform(text, { format: 'cjs', platform: 'node', sourcefile: FILE }).then(({ code }) => {
      replaceSharedFile(file, code);
      forgetOldest(folder, KEPT_MAX);
    });
  making.set(file, made);
  await made.finally(() => making.delete(file));
  return file;
}
