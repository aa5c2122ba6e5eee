/** A cache in files, whose names say what they were made of. */
import fs from 'node:fs';
import path from 'node:path';

/** Removes all but so many of the files of a folder, those that were made last; @param prefix Only of these. */
export function forgetOldest(folder: string, keep: number, prefix = ''): void {
  const files = fs
    .readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, at: fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const { file } of files.slice(keep)) fs.rmSync(file, { force: true });
}
