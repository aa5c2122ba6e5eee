/**
 * Content of objects in files: written and read in pieces, so that memory does not grow with an object. An object is a
 * list of ranges of files, which is why multipart uploads, block lists and copies move no bytes.
 *
 * Invariants: a file never changes once `write` has returned, and is in the operating system's hands by then, so a
 * journal entry that names it (`core/journal.ts`) publishes it as a whole, and it survives the death of the process (not
 * of the machine: no fsync, as in the journal). A file exists as long as somebody holds it: an object, an upload or a
 * reader. What nobody holds after a journal was replayed was never published, and goes (`sweep`).
 */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Digested, type DigestName, Digests } from './digests.ts';
import { FileWriteError } from './files.ts';

/** Bytes `from` (inclusive) to `from + bytes` of one file. */
export interface Segment {
  /** Below the folder: `a7/a7c1…`. */
  readonly file: string;
  readonly from: number;
  readonly bytes: number;
}

/** What an object consists of, in order; plain data, for a journal. Nothing: no bytes. */
export type Content = readonly Segment[];

export interface Written {
  /** Held once by whoever wrote it, until it is released. */
  readonly content: Content;
  readonly digests: Digested;
}

export interface WriteOptions {
  /** Computed on the way. */
  readonly digests: Iterable<DigestName>;
  readonly bytesMax: number;
}

/** Half-open, from the beginning of the content. */
export interface ByteRange {
  readonly from: number;
  readonly bytes: number;
}

/** More came than may be written. */
export class ContentTooLongError extends Error {
  override readonly name = 'ContentTooLongError';

  constructor(bytesMax: number) {
    super(`the content has more than ${bytesMax} bytes`);
  }
}

/** What is read at once. */
const PIECE_BYTES = 256 * 1024;

export function bytesOf(content: Content): number {
  return content.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A part of the content. What is beyond its end is left out. */
export function sliced(content: Content, range: ByteRange): Content {
  const end = range.from + range.bytes;
  let at = 0;
  return content.flatMap(({ file, from, bytes }) => {
    const [first, last] = [Math.max(at, range.from), Math.min(at + bytes, end)];
    const segment = { file, from: from + first - at, bytes: last - first };
    at += bytes;
    return segment.bytes > 0 ? [segment] : [];
  });
}

/** Folders of emulators without one of their own, to go with the process should nobody close them. */
const temporary = new Set<string>();
let isExitAwaited = false;

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-objects-'));
  if (!isExitAwaited)
    process.once('exit', () => {
      for (const left of temporary) fs.rmSync(left, { recursive: true, force: true });
    });
  isExitAwaited = true;
  temporary.add(folder);
  return folder;
}

export class ObjectFiles {
  readonly #folder: string;
  readonly #isTemporary: boolean;
  readonly #holders = new Map<string, number>();
  readonly #shards = new Set<string>();
  readonly #removals = new Set<Promise<void>>();
  #writing = 0;

  /** @param folder Where the files are; undefined: a temporary folder, which `close` removes. */
  constructor(folder: string | undefined) {
    this.#isTemporary = folder === undefined;
    this.#folder = folder ?? temporaryFolder();
    fs.mkdirSync(this.#folder, { recursive: true });
  }

  /** Files that are being written. */
  get writing(): number {
    return this.#writing;
  }

  /**
   * Writes a new file from what the source gives, at the pace of the disk.
   * @throws ContentTooLongError, FileWriteError, and whatever the source throws. No file is left then.
   */
  async write(source: AsyncIterable<Uint8Array>, { digests, bytesMax }: WriteOptions): Promise<Written> {
    const running = new Digests(digests);
    const file = this.#newFile();
    const at = path.join(this.#folder, file);
    const handle = await open(at, 'wx').catch((cause: unknown) => {
      throw new FileWriteError(at, cause);
    });
    let bytes = 0;
    this.#writing += 1;
    try {
      for await (const piece of source) {
        bytes += piece.length;
        if (bytes > bytesMax) throw new ContentTooLongError(bytesMax);
        running.update(piece);
        for (let done = 0; done < piece.length;) done += (await handle.write(piece, done)).bytesWritten;
      }
      await handle.close();
    } catch (cause) {
      await handle.close().catch(() => undefined);
      fs.rmSync(at, { force: true });
      throw isOfTheSystem(cause) ? new FileWriteError(at, cause) : cause;
    } finally {
      this.#writing -= 1;
    }
    if (bytes === 0) fs.rmSync(at, { force: true });
    const content = bytes === 0 ? [] : [{ file, from: 0, bytes }];
    this.hold(content);
    return { content, digests: await running.digest() };
  }

  /** The bytes, or a range of them, in pieces. They are held until the reader is through or gives up. */
  async *read(content: Content, range?: ByteRange): AsyncGenerator<Buffer, void, undefined> {
    const wanted = range === undefined ? content : sliced(content, range);
    this.hold(wanted);
    try {
      for (const { file, from, bytes } of wanted) yield* this.#readSegment(file, from, from + bytes);
    } finally {
      this.release(wanted);
    }
  }

  /** Reads all of it. */
  async digest(content: Content, names: Iterable<DigestName>): Promise<Digested> {
    const running = new Digests(names);
    for await (const piece of this.read(content)) running.update(piece);
    return await running.digest();
  }

  /** Once more: another object, or another version, that has the same bytes. */
  hold(content: Content): void {
    for (const { file } of content) this.#holders.set(file, (this.#holders.get(file) ?? 0) + 1);
  }

  /** The files that nobody holds any more are removed. */
  release(content: Content): void {
    for (const { file } of content) {
      const left = (this.#holders.get(file) ?? 0) - 1;
      if (left > 0) this.#holders.set(file, left);
      else {
        this.#holders.delete(file);
        this.#remove(file);
      }
    }
  }

  /** Removes the files that nobody holds: call it when everything that a journal names is held. */
  sweep(): void {
    for (const shard of fs.readdirSync(this.#folder)) {
      for (const name of fs.readdirSync(path.join(this.#folder, shard))) {
        const file = `${shard}/${name}`;
        if (!this.#holders.has(file)) fs.rmSync(path.join(this.#folder, file), { force: true });
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#removals);
    if (!this.#isTemporary) return;
    await fs.promises.rm(this.#folder, { recursive: true, force: true });
    temporary.delete(this.#folder);
  }

  /** Of one of 256 folders, because a folder of 100,000 files is slow in many a tool. */
  #newFile(): string {
    const name = randomUUID();
    const shard = name.slice(0, 2);
    if (!this.#shards.has(shard)) fs.mkdirSync(path.join(this.#folder, shard), { recursive: true });
    this.#shards.add(shard);
    return `${shard}/${name}`;
  }

  async *#readSegment(file: string, from: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    const handle = await open(path.join(this.#folder, file), 'r');
    try {
      for (let at = from; at < end;) {
        const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, end - at));
        const { bytesRead } = await handle.read(piece, 0, piece.length, at);
        if (bytesRead === 0) throw new Error(`${file} is shorter than ${end} bytes`);
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  #remove(file: string): void {
    const removal = fs.promises
      .rm(path.join(this.#folder, file), { force: true })
      // It is swept at the next start.
      .catch(() => undefined)
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }
}

/** Of a write; what a source throws is the source's. */
function isOfTheSystem(error: unknown): boolean {
  const { syscall } = error as { readonly syscall?: unknown };
  return syscall === 'write' || syscall === 'close';
}
