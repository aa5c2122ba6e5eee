/**
 * Reports which files of a project have changed, those together that were saved together.
 *
 * Invariant: a file is reported after its last change, and within half a second of its first one; one whose content is as
 * before may be reported too.
 */
import fs from 'node:fs';
import path from 'node:path';

/** Editors write a file in several steps, and a branch is changed in many. */
const SETTLED_AFTER_MS = 25;
/** What is written without a pause is reported all the same, so long after its first change. */
const REPORTED_WITHIN_MS = 500;
/** What a project is made of; editors put files of other names beside one while they save it, and hidden ones. */
const SOURCE = /(?:^|\/)[^./#][^/#]*\.(?:[cm]?[jt]s|json|ya?ml|kql)$/;

export interface SourceWatchOptions {
  /** Absolute. */
  readonly projectDir: string;
  /** Folders with all that is in them, relative to the project. */
  readonly folders: readonly string[];
  /** Files directly in the project's folder. */
  readonly files: readonly string[];
  /** Takes names relative to the project, with slashes. */
  readonly onChange: (files: readonly string[]) => void;
  readonly onProblem: (message: string) => void;
}

export class SourceWatch {
  readonly #options: SourceWatchOptions;
  /** By folder, relative to the project. */
  readonly #watchers = new Map<string, fs.FSWatcher>();
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** Of the first change that is not reported yet. */
  #changedAt: number | undefined;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { folders, files } = this.#options;
    this.#watch('', (name) => {
      if (files.includes(name)) this.#add(name);
    });
    for (const folder of folders) this.#watchAll(folder);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /**
   * A watcher for each folder. Node's recursive ones on Linux watch each file, and lose one that an editor replaces.
   * @see https://github.com/nodejs/node/blob/v24.x/lib/internal/fs/recursive_watch.js
   */
  #watchAll(folder: string): void {
    // It may be gone again.
    if (!this.#isFolder(folder)) return;
    this.#watch(folder, (name) => {
      const changed = `${folder}/${name}`;
      if (this.#isFolder(changed)) this.#watchNew(changed);
      // A folder that was moved away takes its files along without an event for any of them.
      else if (SOURCE.test(name) || this.#watchers.has(changed)) this.#add(changed);
    });
    for (const entry of fs.readdirSync(this.#absolute(folder), { withFileTypes: true })) {
      if (entry.isDirectory()) this.#watchAll(`${folder}/${entry.name}`);
    }
  }

  /** What is in it already has come without an event. */
  #watchNew(folder: string): void {
    this.#watchAll(folder);
    if (!this.#isFolder(folder)) return;
    const entries = fs.readdirSync(this.#absolute(folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !SOURCE.test(entry.name)) continue;
      const file = path.join(entry.parentPath, entry.name);
      this.#add(slashed(path.relative(this.#options.projectDir, file)));
    }
  }

  #watch(folder: string, add: (name: string) => void): void {
    this.#watchers.get(folder)?.close();
    const lost = (error: unknown): void => {
      this.#watchers.get(folder)?.close();
      this.#watchers.delete(folder);
      if (!this.#isFolder(folder)) return;
      const why = error instanceof Error ? error.message : String(error);
      this.#options.onProblem(`${folder || 'the project'} is not watched: ${why}`);
    };
    try {
      const watcher = fs.watch(this.#absolute(folder), (_event, name) => {
        if (name !== null) add(slashed(name));
      });
      watcher.on('error', lost);
      this.#watchers.set(folder, watcher);
    } catch (error) {
      // A system has so many watches; what runs does without.
      lost(error);
    }
  }

  #absolute(name: string): string {
    return path.join(this.#options.projectDir, name);
  }

  #isFolder(name: string): boolean {
    return fs.statSync(this.#absolute(name), { throwIfNoEntry: false })?.isDirectory() === true;
  }

  #add(name: string): void {
    this.#changed.add(name);
    this.#changedAt ??= performance.now();
    const left = this.#changedAt + REPORTED_WITHIN_MS - performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(), Math.max(0, Math.min(SETTLED_AFTER_MS, left)));
  }

  #report(): void {
    const files = [...this.#changed].sort();
    this.#changed.clear();
    this.#changedAt = undefined;
    this.#options.onChange(files);
  }
}

const slashed = (name: string): string => name.split(path.sep).join('/');
