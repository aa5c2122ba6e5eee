/**
 * What one process writes, on disk.
 *
 * Invariant: at most two files of `bytesMax`, `<name>.log` and the one before it, `<name>.log.1`. Each run of the
 * stack begins a new file, so the run before it can still be read.
 */
import fs from 'node:fs';
import path from 'node:path';

const BYTES_MAX = 16 * 1024 * 1024;

export class LogFile {
  readonly path: string;
  readonly #bytesMax: number;
  #fd: number | undefined;
  #bytes = 0;

  constructor(file: string, bytesMax = BYTES_MAX) {
    this.path = file;
    this.#bytesMax = bytesMax;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    this.#fd = this.#begin();
  }

  /** Nothing happens once it is closed. */
  write(chunk: Uint8Array): void {
    if (this.#fd === undefined) return;
    if (this.#bytes > 0 && this.#bytes + chunk.length > this.#bytesMax) {
      fs.closeSync(this.#fd);
      this.#fd = this.#begin();
    }
    this.#bytes += chunk.length;
    fs.writeSync(this.#fd, chunk);
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #begin(): number {
    this.#bytes = 0;
    if (fs.existsSync(this.path)) fs.renameSync(this.path, `${this.path}.1`);
    return fs.openSync(this.path, 'w');
  }
}
