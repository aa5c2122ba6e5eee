/**
 * Secrets of a `.env` file: what the emulators of both vaults are filled from. `SECRET_STRIPE_KEY=…` is the secret
 * `stripe-key`; what does not begin with `SECRET_` is somebody else's. Nothing is written to the file.
 *
 * Invariant: a call sees what the file held when it was made, without a restart: the file is read again when its time or
 * its size has changed. A file that is not there holds nothing; one that cannot be read leaves what was known.
 */
import fs from 'node:fs';
import { parseEnv } from 'node:util';

const PREFIX = 'SECRET_';
/** Of a file that people write by hand. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Value by name, in the spelling of the vaults: lower case, dashes. */
export type FileSecrets = ReadonlyMap<string, string>;

/** The secrets in the text of a `.env` file. A secret without a value is none. */
export function secretsIn(text: string): FileSecrets {
  return new Map(
    Object.entries(parseEnv(text)).flatMap(([variable, value]) => {
      if (!variable.startsWith(PREFIX) || value === undefined || value === '') return [];
      return [[variable.slice(PREFIX.length).toLowerCase().replaceAll('_', '-'), value] as const];
    }),
  );
}

/**
 * Reads a file again whenever it has changed; undefined: there is nothing new.
 * @param file Absolute.
 * @param given Values by name that are there beside the file, which wins.
 */
export function watchSecretsFile(
  file: string | undefined,
  given: Readonly<Record<string, string>> = {},
): () => FileSecrets | undefined {
  let seen = '';
  return () => {
    if (file === undefined) {
      if (seen === 'given') return undefined;
      seen = 'given';
      return new Map(Object.entries(given));
    }
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    const now = stat === undefined ? 'absent' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    if (now === seen) return undefined;
    try {
      if ((stat?.size ?? 0) > FILE_BYTES_MAX)
        throw new RangeError(`it has more than ${FILE_BYTES_MAX} bytes`);
      const found = stat === undefined ? new Map<string, string>() : secretsIn(fs.readFileSync(file, 'utf8'));
      seen = now;
      return new Map([...Object.entries(given), ...found]);
    } catch (error) {
      seen = now;
      console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
}
