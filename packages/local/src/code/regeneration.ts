/**
 * `npm run generate`, when something has changed that it reads: functions of entities, validators and documents follow from
 * the sources and are among them.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { replaceSharedFile } from '@tandem-clouds/emulators/core/files';
import { forgetOldest } from './forget-oldest.ts';
import type { Workshop } from './workshop.ts';

/** One file an entity, or routes: which there are, the generator finds out. */
const DECLARATIONS = ['src/shared/entities/', 'src/shared/routes/'];
const GENERATED = [
  'src/shared/generated/',
  'src/shared/registry/',
  'src/handlers/entities/',
  'src/handlers/routes/',
];
const SOURCES = ['src/', 'packages/replication/src/'];
/** All that the generator reads, and what it writes for the functions. */
const FOLDERS = [
  'src',
  'packages/replication/src',
  'packages/emulators/src',
  'scripts/generate',
  'scripts/schema',
];
const DATA = ['infra/entities.json', 'infra/routes.json'];
/** Of a defect of the generator: its stack. */
const STACK_LINES_MAX = 12;
const KEY_LENGTH = 20;
/** Marks of states in which there was nothing to write, with the modules that say so; the others are the oldest. */
const KEPT_MAX = 50;

export interface RegenerationOptions {
  /** Absolute. */
  readonly projectDir: string;
  /** Absolute. */
  readonly cacheDir: string;
  readonly workshop: Pick<Workshop, 'generate'>;
}

export class Regeneration {
  readonly #options: RegenerationOptions;
  #inputs: ReadonlySet<string> = new Set();
  /** The last generation failed: it is still to be done. */
  #isDue = false;
  /** What the last generation wrote, as it left it. */
  #written = new Map<string, number | undefined>();

  constructor(options: RegenerationOptions) {
    this.#options = options;
  }

  /**
   * Writes what is not as it follows from the sources. What was found whole once is not generated again to see that.
   * @throws Error of the generator, with file and line.
   */
  async atStart(): Promise<void> {
    const folder = path.join(this.#options.cacheDir, 'generated');
    const kept = readInputs(path.join(folder, this.#stateKey()));
    if (kept !== undefined) {
      this.#inputs = kept;
      return;
    }
    await this.#generate();
    replaceSharedFile(path.join(folder, this.#stateKey()), JSON.stringify([...this.#inputs]));
    forgetOldest(folder, KEPT_MAX);
  }

  /**
   * Writes what follows from these files, if anything does, or from those before them of which it could not be said.
   * @returns What was written or deleted, relative to the project.
   * @throws Error of the generator, with file and line.
   */
  async after(changed: readonly string[]): Promise<readonly string[]> {
    this.#isDue ||= changed.some((file) => this.#isInput(file));
    if (!this.#isDue) return [];
    const written = await this.#generate();
    this.#isDue = false;
    return written;
  }

  #isInput(file: string): boolean {
    if (!SOURCES.some((folder) => file.startsWith(folder))) return false;
    if (GENERATED.some((folder) => file.startsWith(folder))) return false;
    return DECLARATIONS.some((folder) => file.startsWith(folder)) || this.#inputs.has(file);
  }

  /** Whether a file is as the last generation left it: what reports its change says nothing new. */
  isOwnWriting(file: string): boolean {
    return this.#written.has(file) && this.#written.get(file) === this.#changedAt(file);
  }

  /** Undefined when there is no such file. */
  #changedAt(file: string): number | undefined {
    try {
      return fs.statSync(path.join(this.#options.projectDir, file)).mtimeMs;
    } catch {
      return undefined;
    }
  }

  async #generate(): Promise<readonly string[]> {
    const { workshop, projectDir } = this.#options;
    try {
      const { written, inputs } = await workshop.generate();
      this.#inputs = new Set(inputs);
      this.#written = new Map(written.map((file) => [file, this.#changedAt(file)]));
      return written;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(shorten(text, projectDir), { cause: error });
    }
  }

  /** Of the sources as they are now, generated ones included. */
  #stateKey(): string {
    const { projectDir } = this.#options;
    const hash = createHash('sha256').update(process.version);
    for (const file of [...FOLDERS.flatMap((folder) => filesBelow(projectDir, folder)), ...DATA]) {
      hash.update(`${file}\0`).update(readOrEmpty(path.join(projectDir, file)));
    }
    return hash.digest('hex').slice(0, KEY_LENGTH);
  }
}

/** Undefined when nothing is kept. */
function readInputs(file: string): ReadonlySet<string> | undefined {
  try {
    return new Set(JSON.parse(fs.readFileSync(file, 'utf8')) as string[]);
  } catch {
    return undefined;
  }
}

function filesBelow(projectDir: string, folder: string): string[] {
  return fs
    .readdirSync(path.join(projectDir, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(projectDir, path.join(entry.parentPath, entry.name)))
    .sort();
}

function readOrEmpty(file: string): Buffer {
  return fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0);
}

/** With the paths of the project as a person knows them. */
function shorten(text: string, projectDir: string): string {
  const lines = text
    .trim()
    .replaceAll(`file://${projectDir}/`, '')
    .replaceAll(`${projectDir}/`, '')
    .split('\n');
  const isStack = lines.some((line) => line.startsWith('    at '));
  return lines.slice(0, isStack ? STACK_LINES_MAX : undefined).join('\n');
}
