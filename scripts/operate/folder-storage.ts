/** A folder of this machine as the storage of an archive: what is exported. A file appears under its name only when it is whole. */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { ArchiveStorage } from '../../src/shared/backup/storage.ts';
import { NotFoundError } from '../../src/shared/errors.ts';
import { check, keyFailures } from '../../src/shared/ports/object-rules.ts';
import type { ObjectHead, ObjectUpload, WrittenObject } from '../../src/shared/ports/objects.ts';

export class FolderStorage implements ArchiveStorage {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = path.resolve(dir);
  }

  close(): void {
    // Nothing is open between two calls.
  }

  put(key: string, body: Uint8Array): Promise<WrittenObject> {
    return this.#write(key, [body]);
  }

  async head({ key }: { readonly key: string }): Promise<ObjectHead | undefined> {
    const stat = await fs.promises.stat(this.#fileOf(key)).catch(() => undefined);
    if (stat === undefined) return undefined;
    const nothing = { metadata: {}, checksums: {}, announced: {} };
    return {
      key,
      bytes: stat.size,
      etag: String(stat.mtimeMs),
      contentType: 'application/octet-stream',
      modifiedMs: stat.mtimeMs,
      ...nothing,
    };
  }

  async read(key: string): ReturnType<ArchiveStorage['read']> {
    const head = await this.head({ key });
    if (head === undefined) throw new NotFoundError(`${key} is not in ${this.#dir}`);
    const stream = fs.createReadStream(this.#fileOf(key));
    const content: AsyncIterable<Uint8Array> = stream;
    return { head, from: 0, bytes: head.bytes, content, cancel: () => stream.destroy() };
  }

  async list({ prefix = '' }: { readonly prefix?: string } = {}): ReturnType<ArchiveStorage['list']> {
    const dir = path.join(this.#dir, path.dirname(`${prefix}x`));
    const entries = await fs.promises.readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
    const keys = entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) =>
        path.relative(this.#dir, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'),
      )
      .filter((key) => key.startsWith(prefix))
      .sort();
    const objects = await Promise.all(
      keys.map(async (key) => {
        const { size, mtimeMs } = await fs.promises.stat(this.#fileOf(key));
        return { key, bytes: size, etag: String(mtimeMs), modifiedMs: mtimeMs };
      }),
    );
    return { objects };
  }

  beginUpload(key: string, attributes: { readonly contentType: string }): Promise<ObjectUpload> {
    return Promise.resolve({ key, id: randomUUID(), ...attributes });
  }

  async putPart(
    { key, id }: ObjectUpload,
    { number, body }: { readonly number: number; readonly body: Uint8Array },
  ): ReturnType<ArchiveStorage['putPart']> {
    const file = this.#partOf(key, id, number);
    await fs.promises.mkdir(path.dirname(file), { recursive: true });
    await fs.promises.writeFile(file, body);
    return { number, bytes: body.length, crc64: '', tag: String(number) };
  }

  async completeUpload(
    { key, id }: ObjectUpload,
    parts: readonly { readonly number: number }[],
  ): Promise<WrittenObject> {
    const files = parts.map(({ number }) => this.#partOf(key, id, number));
    const written = await this.#write(key, files);
    await Promise.all(files.map((file) => fs.promises.rm(file)));
    return written;
  }

  async #write(key: string, bodies: readonly (Uint8Array | string)[]): Promise<WrittenObject> {
    check(keyFailures(key));
    const file = this.#fileOf(key);
    await fs.promises.mkdir(path.dirname(file), { recursive: true });
    const unfinished = path.join(path.dirname(file), `.${randomUUID()}`);
    const handle = await fs.promises.open(unfinished, 'wx');
    try {
      for (const body of bodies)
        await handle.appendFile(typeof body === 'string' ? await fs.promises.readFile(body) : body);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.promises.rename(unfinished, file);
    return { etag: path.basename(unfinished) };
  }

  #fileOf(key: string): string {
    return path.join(this.#dir, ...key.split('/'));
  }

  #partOf(key: string, id: string, number: number): string {
    const file = this.#fileOf(key);
    return path.join(path.dirname(file), `.${id}.${number}`);
  }
}
