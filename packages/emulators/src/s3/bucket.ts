/**
 * One bucket: versions of its keys, newest first, uploads under way, and settings.
 *
 * Invariant: whatever is here holds its files, and releases them when it goes. Nothing here waits: the store calls it
 * entry by entry, so a request sees all of another or nothing.
 */
import type { ObjectFiles } from '../core/object-files.ts';
import { SortedNames } from '../core/sorted-names.ts';
import { parseXml } from '../core/xml.ts';
import { type LockRule, lockRuleIn } from './lock.ts';
import {
  NULL_VERSION,
  type Part,
  type Setting,
  type Upload,
  type UploadStart,
  type Version,
  type VersionChange,
} from './model.ts';
import { type QueueRule, queueRulesIn } from './notification-rules.ts';

/** A write with a condition, from its check to its commit. */
export interface Watch {
  /** The key was deleted meanwhile. */
  isConflict: boolean;
  readonly end: () => void;
}

export class Bucket {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly keys = new SortedNames();
  readonly uploads = new Map<string, Upload>();
  readonly settings = new Map<Setting, string>();
  queueRules: readonly QueueRule[] = [];
  /** Undefined: objects cannot be locked here. */
  lockRule: LockRule | undefined;
  versioning: 'Enabled' | 'Suspended' | undefined;
  /** Entries of a journal that this bucket needs. */
  entries = 1;
  readonly #files: ObjectFiles;
  readonly #versions = new Map<string, Version[]>();
  readonly #watches = new Map<string, Set<Watch>>();

  constructor(name: string, at: number, files: ObjectFiles) {
    this.name = name;
    this.at = at;
    this.#files = files;
  }

  get isEmpty(): boolean {
    return this.keys.size === 0;
  }

  /** Newest first. */
  versions(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  /** Notices that a key is deleted while a write with a condition is under way. Call `end` in any case. */
  watch(key: string): Watch {
    const watches = this.#watches.get(key) ?? new Set();
    const watch: Watch = {
      isConflict: false,
      end: () => {
        watches.delete(watch);
        if (watches.size === 0) this.#watches.delete(key);
      },
    };
    this.#watches.set(key, watches.add(watch));
    return watch;
  }

  set(name: Setting, text: string | undefined): void {
    this.entries += (text === undefined ? 0 : 1) - (this.settings.has(name) ? 1 : 0);
    if (text === undefined) this.settings.delete(name);
    else this.settings.set(name, text);
    if (name === 'notification')
      this.queueRules = text === undefined ? [] : queueRulesIn(parseXml(text).root);
    if (name === 'object-lock')
      this.lockRule = text === undefined ? undefined : lockRuleIn(parseXml(text).root);
    if (name === 'versioning') {
      const status = /<Status>(\w+)</.exec(text ?? '')?.[1];
      this.versioning = status === 'Enabled' || status === 'Suspended' ? status : undefined;
    }
  }

  startUpload(upload: UploadStart): void {
    this.uploads.set(upload.id, { ...upload, parts: new Map() });
    this.entries += 1;
  }

  putPart(id: string, part: Part): void {
    const upload = this.uploads.get(id);
    if (upload === undefined) return;
    const before = upload.parts.get(part.number);
    this.#files.hold(part.content);
    upload.parts.set(part.number, part);
    if (before === undefined) this.entries += 1;
    else this.#files.release(before.content);
  }

  endUpload(id: string): void {
    const upload = this.uploads.get(id);
    if (upload === undefined) return;
    for (const { content } of upload.parts.values()) this.#files.release(content);
    this.entries -= 1 + upload.parts.size;
    this.uploads.delete(id);
  }

  /** The null version takes the place of the one before. */
  put(key: string, version: Version): void {
    if (version.kind === 'object') this.#files.hold(version.content);
    const replaced = version.versionId === NULL_VERSION ? this.#take(key, NULL_VERSION) : undefined;
    const versions = this.#versions.get(key);
    if (versions === undefined) {
      this.#versions.set(key, [version]);
      this.keys.add(key);
    } else versions.unshift(version);
    this.entries += 1;
    if (replaced !== undefined) this.#drop(replaced);
    if (version.kind === 'marker') this.#notice(key);
  }

  remove(key: string, versionId: string): void {
    const removed = this.#take(key, versionId);
    if (removed === undefined) return;
    this.#drop(removed);
    if (this.#versions.get(key)?.length === 0) {
      this.#versions.delete(key);
      this.keys.delete(key);
    }
    this.#notice(key);
  }

  change(key: string, versionId: string, change: VersionChange): void {
    const versions = this.#versions.get(key) ?? [];
    const at = versions.findIndex((version) => version.versionId === versionId);
    const version = versions[at];
    if (version?.kind === 'object') versions[at] = { ...version, ...change };
  }

  clear(): void {
    for (const versions of this.#versions.values()) versions.forEach((version) => this.#drop(version));
    for (const id of [...this.uploads.keys()]) this.endUpload(id);
    this.#versions.clear();
  }

  /** Out of the list; an empty list may stay behind. */
  #take(key: string, versionId: string): Version | undefined {
    const versions = this.#versions.get(key) ?? [];
    const at = versions.findIndex((version) => version.versionId === versionId);
    return at < 0 ? undefined : versions.splice(at, 1)[0];
  }

  #drop(version: Version): void {
    this.entries -= 1;
    if (version.kind === 'object') this.#files.release(version.content);
  }

  #notice(key: string): void {
    for (const watch of this.#watches.get(key) ?? []) watch.isConflict = true;
  }
}
