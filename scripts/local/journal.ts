/**
 * An append-only file of JSON lines: how a stand-in survives SIGKILL.
 *
 * Invariant: an entry is in the operating system's hands before `append` returns, so what a client was told
 * survives the death of the process (not of the machine: there is no fsync). A torn last line, the mark of a
 * write cut short, is dropped on open.
 */
import fs from 'node:fs';
import path from 'node:path';

export class Journal<Entry> {
  readonly #file: string | undefined;
  #fd: number | undefined;
  #entries = 0;

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
    journal.#fd = fs.openSync(file, 'a');
    return journal;
  }

  /** Entries in the file, to decide when compaction pays. */
  get length(): number {
    return this.#entries;
  }

  append(entry: Entry): void {
    this.#entries += 1;
    if (this.#fd !== undefined) fs.writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
  }

  /** Replaces the file, atomically, by the entries that still matter. */
  compact(entries: Iterable<Entry>): void {
    this.#entries = 0;
    if (this.#file === undefined) return;
    const next = `${this.#file}.next`;
    const fd = fs.openSync(next, 'w');
    for (const entry of entries) {
      fs.writeSync(fd, `${JSON.stringify(entry)}\n`);
      this.#entries += 1;
    }
    fs.closeSync(fd);
    fs.renameSync(next, this.#file);
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = fs.openSync(this.#file, 'a');
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}
