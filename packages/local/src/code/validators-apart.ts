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
/** Relative to the project. */
export const VALIDATORS_FILE = 'src/shared/generated/validators.js';
/** Beside the folders of the apps: of this stack alone, so one that is served is among those that were used last. */
const FOLDER = '../validators';
const KEY_LENGTH = 20;
const KEPT_MAX = 12;

/** Made at the moment: both clouds have the same. */
const making = new Map<string, Promise<void>>();

export interface ValidatorsApartOptions {
  /** Absolute, both. */
  readonly projectDir: string;
  /** Where the bundle will be. */
  readonly appDir: string;
}

/** Makes a build take the validators from a file of their own. @param used Where they are named, if they are. */
export function validatorsApart(options: ValidatorsApartOptions, used: Set<string>): Plugin {
  return {
    name: 'validators-apart',
    setup(build) {
      let file: Promise<string> | undefined;
      build.onStart(() => {
        file = undefined;
        used.clear();
      });
      build.onResolve({ filter: VALIDATORS }, async () => {
        file ??= validatorsFile(options);
        used.add(VALIDATORS_FILE);
        return { path: await file, external: true };
      });
    },
  };
}

/** @returns Its path from the bundle. @throws Error when they are no JavaScript. */
export async function validatorsFile({ projectDir, appDir }: ValidatorsApartOptions): Promise<string> {
  const folder = path.join(appDir, FOLDER);
  const text = fs.readFileSync(path.join(projectDir, VALIDATORS_FILE), 'utf8');
  const key = createHash('sha256').update(`${version}\0${text}`).digest('hex').slice(0, KEY_LENGTH);
  const file = path.join(folder, `${key}.cjs`);
  const fromApp = `${FOLDER}/${key}.cjs`;
  if (fs.existsSync(file)) {
    const now = new Date();
    fs.utimesSync(file, now, now);
    return fromApp;
  }
  const made =
    making.get(file) ??
    transform(text, { format: 'cjs', platform: 'node', sourcefile: VALIDATORS_FILE }).then(({ code }) => {
      replaceSharedFile(file, code);
      forgetOldest(folder, KEPT_MAX);
    });
  making.set(file, made);
  await made.finally(() => making.delete(file));
  return fromApp;
}
