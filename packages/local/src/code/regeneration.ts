/**
 * `npm run generate`, when something has changed that it reads: functions of entities, validators and documents follow from
 * the sources and are among them.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { replaceSharedFile } from '@tandem-clouds/emulators/core/files';
import type { Workshop } from './workshop.ts';

const GENERATOR = 'scripts/generate/generate.ts';
/** One file an entity, or routes: which there are, the generator finds out. */
const DECLARATIONS = ['src/shared/entities/', 'src/shared/routes/'];
const GENERATED = [
  'src/shared/generated/',
  'src/shared/registry/',
  'src/handlers/entities/',
  'src/handlers/routes/',
];
/** All that the generator reads, and what it writes for the functions. */
const FOLDERS = ['src', 'packages/replication/src', 'packages/emulators/src', 'scripts/generate'];
const DATA = ['infra/entities.json', 'infra/routes.json'];
/** Of a defect of the generator: its stack. */
const STACK_LINES_MAX = 12;
const KEY_LENGTH = 20;
/** Marks of states in which there was nothing to write; the others are the oldest. */
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
  #inputs: ReadonlySet<string> | undefined;
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
    if (fs.existsSync(path.join(folder, this.#stateKey()))) return;
    await this.#generate();
    replaceSharedFile(path.join(folder, this.#stateKey()), '');
    forgetOldest(folder);
  }

  /**
   * Writes what follows from these files, if anything does.
   * @returns What was written or deleted, relative to the project.
   * @throws Error of the generator, with file and line.
   */
  async after(changed: readonly string[]): Promise<readonly string[]> {
    const sources = changed.filter(
      (file) => file.startsWith('src/') && !GENERATED.some((folder) => file.startsWith(folder)),
    );
    if (sources.length === 0) return [];
    if (!sources.some((file) => DECLARATIONS.some((folder) => file.startsWith(folder)))) {
      this.#inputs ??= await this.#readInputs();
      if (!sources.some((file) => this.#inputs?.has(file))) return [];
    }
    const written = await this.#generate();
    // What the declarations import may be other files now.
    this.#inputs = undefined;
    return written;
  }

  /** Whether a file is as the last generation left it: what reports its change says nothing new. */
  isOwnWriting(file: string): boolean {
    return this.#written.has(file) && this.#written.get(file) === this.#changedAt(file);
  }

  /** Undefined when there is no such file. */
  #changedAt(file: string): number | undefined {
    return fs.statSync(path.join(this.#options.projectDir, file), { throwIfNoEntry: false })?.mtimeMs;
  }

  /** The sources that the generator imports. @throws Error when they cannot be read as they are. */
  async #readInputs(): Promise<ReadonlySet<string>> {
    const { projectDir } = this.#options;
    const { metafile } = await build({
      absWorkingDir: projectDir,
      entryPoints: [GENERATOR, 'src/shared/registry/entities.ts', 'src/shared/registry/routes.ts'],
      outdir: projectDir,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
    return new Set(Object.keys(metafile.inputs));
  }

  async #generate(): Promise<readonly string[]> {
    const { workshop, projectDir } = this.#options;
    try {
      const written = await workshop.generate();
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

function forgetOldest(folder: string): void {
  const files = fs
    .readdirSync(folder)
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, at: fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const { file } of files.slice(KEPT_MAX)) fs.rmSync(file, { force: true });
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
