/** Files that a person names on a command line: written whole, or a message that names the file. */
import fs from 'node:fs';
import path from 'node:path';
import { CommandError } from './command-error.ts';

/** A file that a command should have written; the message names it and the reason. */
export class WriteError extends CommandError {
  override readonly name = 'WriteError';
}

/** Replaces what the file held, and makes its folder. @throws WriteError */
export function writeFile(file: string, text: string): void {
  named(file, () => {
    makeFolder(path.dirname(path.resolve(file)));
    fs.writeFileSync(file, text);
  });
}

/** Makes sure that `writeFile` will find its folder and may write there, before anything else is done. @throws WriteError */
export function prepareFile(file: string): void {
  named(file, () => {
    makeFolder(path.dirname(path.resolve(file)));
    fs.closeSync(fs.openSync(file, 'a'));
  });
}

/** Makes a folder with those above it. @throws WriteError */
export function prepareFolder(folder: string): void {
  named(folder, () => makeFolder(path.resolve(folder)));
}

/** All bytes, in as many calls as it takes. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at);
}

/** Not `mkdir` with `recursive`, which never ends below a folder such as /proc that refuses every name. */
function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function named(file: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw new WriteError(`${file} could not be written: ${(cause as Error).message}`, { cause });
  }
}
