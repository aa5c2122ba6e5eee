/**
 * An append-only file of JSON lines: how an emulator survives SIGKILL.
 *
 * Invariants: an entry is in the operating system's hands before `append` returns, so what a client was told
 * survives the death of the process (not of the machine: there is no fsync). An entry that cannot be written as a
 * whole is refused and leaves nothing in the file. A torn last line, the mark of a process that died while it wrote,
 * is dropped on open.
 */
import fs from 'node:fs';
import path from 'node:path';
import { FileWriteError, writeWhole } from './files.ts';

export class Journal<Entry> {
  readonly #file: string | undefined;
  #fd: number | undefined;
  #entries = 0;
  /** Bytes of the whole entries in the file. */
  #bytes = 0;
  /** A refused entry may have left a part of itself behind `#bytes`. */
  #torn = false;
  /** After a compaction that failed: how many entries there must be before the next one is tried. */
  #compactFrom = 0;

  private constructor(file: string | undefined) {
    this.#file = file;
  }

  /**
   * Opens the journal and replays what it holds, oldest first.
   * @param file Where it lives; `undefined` keeps nothing (for tests and `--ephemeral`).
   * @throws Error naming the file and the line when an entry before the last one is not JSON.
   */
  static open<Entry>(file: string | undefined, replay: (entry: Entry) => void): Journal<Entry> {
    const journal = new Journal<Entry>(file);
    if (file === undefined) return journal;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (fs.existsSync(file)) {
      const text = fs.readFileSync(file, 'utf8');
      const complete = text.lastIndexOf('\n') + 1;
      if (complete < text.length) fs.truncateSync(file, Buffer.byteLength(text.slice(0, complete)));
      let lineNumber = 0;
      for (const line of text.slice(0, complete).split('\n')) {
        lineNumber += 1;
        if (line === '') continue;
        let entry: Entry;
        try {
          entry = JSON.parse(line) as Entry;
        } catch (cause) {
          throw new Error(`${file}: line ${lineNumber} is damaged; move the file away to start empty`, {
            cause,
          });
        }
        replay(entry);
        journal.#entries += 1;
      }
    }
    journal.#openForAppend(file);
    return journal;
  }

  /** Entries in the file, to decide when compaction pays. */
  get length(): number {
    return this.#entries;
  }

  /** @throws FileWriteError when the entry could not be written; the file is then as if it had not been tried. */
  append(entry: Entry): void {
    if (this.#fd !== undefined) this.#write(this.#fd, Buffer.from(`${JSON.stringify(entry)}\n`));
    this.#entries += 1;
  }

  /**
   * Replaces the file, atomically, by the entries that still matter. When that cannot be written the file stays as it
   * is, and nothing is tried again before it has twice as many entries: no entry depends on it.
   */
  compact(entries: Iterable<Entry>): void {
    if (this.#entries < this.#compactFrom) return;
    this.#compactFrom = 0;
    if (this.#file === undefined) {
      this.#entries = 0;
      return;
    }
    const next = `${this.#file}.next`;
    try {
      const count = writeEntries(next, entries);
      fs.renameSync(next, this.#file);
      this.#entries = count;
    } catch (cause) {
      fs.rmSync(next, { force: true });
      this.#compactFrom = 2 * this.#entries;
      console.error(new FileWriteError(next, cause).message);
      return;
    }
    this.close();
    this.#openForAppend(this.#file);
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #openForAppend(file: string): void {
    this.#fd = fs.openSync(file, 'a');
    this.#bytes = fs.fstatSync(this.#fd).size;
    this.#torn = false;
  }

  #write(fd: number, bytes: Uint8Array): void {
    try {
      if (this.#torn) fs.ftruncateSync(fd, this.#bytes);
      this.#torn = true;
      writeWhole(fd, bytes);
      this.#torn = false;
    } catch (cause) {
      this.#dropTornEntry(fd);
      throw new FileWriteError(this.#file ?? '', cause);
    }
    this.#bytes += bytes.length;
  }

  /** A disk that refuses this as well is tried again before the next entry. */
  #dropTornEntry(fd: number): void {
    try {
      fs.ftruncateSync(fd, this.#bytes);
      this.#torn = false;
    } catch {
      this.#torn = true;
    }
  }
}

/** @returns How many there are. */
function writeEntries(file: string, entries: Iterable<unknown>): number {
  const fd = fs.openSync(file, 'w');
  let count = 0;
  try {
    for (const entry of entries) {
      writeWhole(fd, Buffer.from(`${JSON.stringify(entry)}\n`));
      count += 1;
    }
  } finally {
    fs.closeSync(fd);
  }
  return count;
}
