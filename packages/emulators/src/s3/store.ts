/**
 * All buckets of one emulator: what they hold in a journal, the bytes in files beside it.
 *
 * Invariants: state changes only in `#apply`, and every entry is in the journal before it is applied, so what is replayed
 * at start is exactly what clients were told. A version, a part and an upload hold their files; whoever wrote a file
 * releases it after the entry, or instead of it.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Journal } from '../core/journal.ts';
import { ObjectFiles } from '../core/object-files.ts';
import { Bucket } from './bucket.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import {
  type Notification,
  NULL_VERSION,
  type Part,
  type Setting,
  type UploadStart,
  type Version,
  type VersionChange,
} from './model.ts';

/** Compaction starts when the file has this many entries more than it needs. */
const COMPACTION_SLACK = 10_000;

type Entry = (
  | { readonly type: 'create'; readonly bucket: string; readonly at: number }
  | { readonly type: 'drop'; readonly bucket: string }
  | { readonly type: 'set'; readonly bucket: string; readonly name: Setting; readonly text: string | null }
  | { readonly type: 'upload'; readonly bucket: string; readonly upload: UploadStart }
  | { readonly type: 'part'; readonly bucket: string; readonly upload: string; readonly part: Part }
  | { readonly type: 'abort'; readonly bucket: string; readonly upload: string }
  /** A new version; `upload` ends with it. */
  | {
      readonly type: 'put';
      readonly bucket: string;
      readonly key: string;
      readonly version: Version;
      readonly upload?: string | undefined;
    }
  | { readonly type: 'remove'; readonly bucket: string; readonly key: string; readonly versionId: string }
  | {
      readonly type: 'change';
      readonly bucket: string;
      readonly key: string;
      readonly versionId: string;
      readonly change: VersionChange;
    }
  | { readonly type: 'delivered'; readonly id: string }
  | { readonly type: 'pending' }
) & { readonly notify?: readonly Notification[] | undefined };

export interface S3StoreOptions {
  /** Absent: in a temporary folder, which goes with the emulator. */
  readonly dataDir: string | undefined;
  readonly region: string;
  readonly now: () => number;
}

export class S3Store {
  readonly region: string;
  readonly now: () => number;
  readonly files: ObjectFiles;
  readonly buckets = new Map<string, Bucket>();
  /** By id, oldest first. */
  readonly pending = new Map<string, Notification>();
  /** Something is pending. */
  onPending: () => void = () => undefined;
  readonly #journal: Journal<Entry>;
  #sequence = 0;

  constructor({ dataDir, region, now }: S3StoreOptions) {
    this.region = region;
    this.now = now;
    const inDataDir = (name: string): string | undefined =>
      dataDir === undefined ? undefined : path.join(dataDir, name);
    this.files = new ObjectFiles(inDataDir('objects'));
    this.#journal = Journal.open<Entry>(inDataDir('s3.jsonl'), (entry) => this.#apply(entry));
    this.files.sweep();
  }

  async close(): Promise<void> {
    this.#journal.close();
    await this.files.close();
  }

  /** @throws S3Error */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket !== undefined) return bucket;
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', {
      elements: { BucketName: name },
    });
  }

  create(bucket: string): void {
    if (this.buckets.size >= LIMITS.bucketsMax)
      throw new S3Error('TooManyBuckets', 'You have attempted to create more buckets than allowed');
    this.#commit({ type: 'create', bucket, at: this.now() });
  }

  drop(bucket: Bucket): void {
    this.#commit({ type: 'drop', bucket: bucket.name });
  }

  /** @param text undefined: none any more. */
  set(bucket: Bucket, name: Setting, text: string | undefined): void {
    this.#commit({ type: 'set', bucket: bucket.name, name, text: text ?? null });
  }

  startUpload(bucket: Bucket, upload: UploadStart): void {
    this.#commit({ type: 'upload', bucket: bucket.name, upload });
  }

  putPart(bucket: Bucket, upload: string, part: Part): void {
    this.#commit({ type: 'part', bucket: bucket.name, upload, part });
  }

  abortUpload(bucket: Bucket, upload: string): void {
    this.#commit({ type: 'abort', bucket: bucket.name, upload });
  }

  /** A new version of the key, which is the current one then. */
  put(
    bucket: Bucket,
    key: string,
    version: Version,
    more: { readonly upload?: string; readonly notify: readonly Notification[] },
  ): void {
    this.#commit({ type: 'put', bucket: bucket.name, key, version, ...more });
  }

  /** For ever. */
  remove(bucket: Bucket, key: string, { versionId }: Version, notify: readonly Notification[]): void {
    this.#commit({ type: 'remove', bucket: bucket.name, key, versionId, notify });
  }

  change(bucket: Bucket, key: string, { versionId }: Version, change: VersionChange): void {
    this.#commit({ type: 'change', bucket: bucket.name, key, versionId, change });
  }

  delivered(id: string): void {
    this.#commit({ type: 'delivered', id });
  }

  /** Of a new version: opaque, or `null` while versioning is not enabled. */
  newVersionId(bucket: Bucket): string {
    return bucket.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : NULL_VERSION;
  }

  /** Rises with every event: the order of those of one key. */
  nextSequencer(): string {
    this.#sequence = Math.max(this.#sequence + 1, this.now() * 1000);
    return this.#sequence.toString(16).toUpperCase().padStart(18, '0');
  }

  #commit(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
    if ((entry.notify?.length ?? 0) > 0) this.onPending();
    const needed = this.#entriesNeeded();
    if (this.#journal.length > 2 * needed + COMPACTION_SLACK) this.#journal.compact(this.#snapshot());
  }

  #apply(entry: Entry): void {
    for (const notification of entry.notify ?? []) this.pending.set(notification.id, notification);
    if (entry.type === 'pending') return;
    if (entry.type === 'delivered') {
      this.pending.delete(entry.id);
      return;
    }
    if (entry.type === 'create') {
      this.buckets.set(entry.bucket, new Bucket(entry.bucket, entry.at, this.files));
      return;
    }
    const bucket = this.buckets.get(entry.bucket);
    if (bucket === undefined) return;
    switch (entry.type) {
      case 'drop':
        bucket.clear();
        this.buckets.delete(entry.bucket);
        break;
      case 'set':
        bucket.set(entry.name, entry.text ?? undefined);
        break;
      case 'upload':
        bucket.startUpload(entry.upload);
        break;
      case 'part':
        bucket.putPart(entry.upload, entry.part);
        break;
      case 'abort':
        bucket.endUpload(entry.upload);
        break;
      case 'put':
        bucket.put(entry.key, entry.version);
        if (entry.upload !== undefined) bucket.endUpload(entry.upload);
        break;
      case 'remove':
        bucket.remove(entry.key, entry.versionId);
        break;
      case 'change':
        bucket.change(entry.key, entry.versionId, entry.change);
        break;
    }
  }

  #entriesNeeded(): number {
    let needed = this.pending.size;
    for (const { entries } of this.buckets.values()) needed += entries;
    return needed;
  }

  *#snapshot(): Generator<Entry> {
    for (const bucket of this.buckets.values()) {
      const { name } = bucket;
      yield { type: 'create', bucket: name, at: bucket.at };
      for (const [setting, text] of bucket.settings) yield { type: 'set', bucket: name, name: setting, text };
      for (const { parts, ...upload } of bucket.uploads.values()) {
        yield { type: 'upload', bucket: name, upload };
        for (const part of parts.values()) yield { type: 'part', bucket: name, upload: upload.id, part };
      }
      for (const key of bucket.keys.from('')) {
        for (const version of bucket.versions(key).toReversed())
          yield { type: 'put', bucket: name, key, version };
      }
    }
    yield { type: 'pending', notify: [...this.pending.values()] };
  }
}
