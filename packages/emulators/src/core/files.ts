/** Writing files so that a full disk leaves no half of one, and so that the message names the file. */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** A file that cannot be written: which one, why, and what to do. */
export class FileWriteError extends Error {
  override readonly name = 'FileWriteError';

  constructor(file: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${file} cannot be written (${why}); make room or allow it, then try again`, { cause });
  }
}

/**
 * Writes all of the bytes at the end of an open file. One call of the system may write only a part of them, without
 * an error: a disk that is nearly full, a limit, a signal (POSIX, write).
 * @throws Error of the system; a part may have been written then.
 */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += fs.writeSync(fd, bytes, written);
}

/**
 * Replaces a file as a whole: a reader sees the old text or the new one.
 * @param text Or its bytes.
 * @param mode Of the new file; default as the process creates files.
 * @throws FileWriteError The old file is then as it was.
 */
export function replaceFile(file: string, text: string | Uint8Array, mode?: number): void {
  replaceBy(`${file}.next`, { file, text, mode });
}

/** The same for a file that several processes may replace at once. */
export function replaceSharedFile(file: string, text: string): void {
  replaceBy(`${file}.${process.pid}-${randomUUID()}`, { file, text });
}

function replaceBy(
  next: string,
  {
    file,
    text,
    mode,
  }: { readonly file: string; readonly text: string | Uint8Array; readonly mode?: number | undefined },
): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // A file that is there already would keep its mode.
    fs.rmSync(next, { force: true });
    fs.writeFileSync(next, text, { ...(mode !== undefined && { mode }) });
    fs.renameSync(next, file);
  } catch (cause) {
    throw new FileWriteError(file, cause);
  }
}
