/**
 * What one process writes, on disk.
 *
 * Invariants: at most two files of `bytesMax`, `<name>.log` and the one before it, `<name>.log.1`. Each run of the
 * stack begins a new file, so the run before it can still be read. A log that cannot be written ends nothing: it is
 * reported once, what is written meanwhile is lost, and the next write tries again.
 */
import fs from 'node:fs';
import path from 'node:path';
import { FileWriteError, writeWhole } from '@tandem-clouds/emulators/core/files';

const BYTES_MAX = 16 * 1024 * 1024;

export interface LogFileOptions {
  readonly bytesMax?: number;
  /** Called when the log cannot be written, once until it can be again. */
  readonly onProblem: (message: string) => void;
}

export class LogFile {
  readonly path: string;
  readonly #bytesMax: number;
  readonly #onProblem: (message: string) => void;
  #fd: number | undefined;
  #bytes = 0;
  #closed = false;
  #failing = false;

  constructor(file: string, { bytesMax = BYTES_MAX, onProblem }: LogFileOptions) {
    this.path = file;
    this.#bytesMax = bytesMax;
    this.#onProblem = onProblem;
    this.#attempt(() => this.#begin());
  }

  /** Nothing happens once it is closed. */
  write(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#attempt(() => {
      if (this.#fd === undefined || (this.#bytes > 0 && this.#bytes + chunk.length > this.#bytesMax)) {
        this.#begin();
      }
      this.#bytes += chunk.length;
      if (this.#fd !== undefined) writeWhole(this.#fd, chunk);
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #attempt(write: () => void): void {
    try {
      write();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#onProblem(new FileWriteError(this.path, error).message);
      this.#failing = true;
    }
  }

  #begin(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
    this.#bytes = 0;
    fs.mkdirSync(path.dirname(this.path), { recursive: true });
    if (fs.existsSync(this.path)) fs.renameSync(this.path, `${this.path}.1`);
    this.#fd = fs.openSync(this.path, 'w');
  }
}
