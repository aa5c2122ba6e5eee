/**
 * `npm run generate`, when a schema has changed: validators and documents follow from the sources and are among them.
 *
 * A process of its own, which reads the schemas afresh.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { build } from 'esbuild';

const MAIN = 'scripts/generate/generate-main.ts';
const GENERATOR = 'scripts/generate/generate.ts';
const GENERATED = 'src/shared/generated/';
const MESSAGE_LINES_MAX = 12;

export interface RegenerationOptions {
  /** Absolute. */
  readonly projectDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ends what is going on. */
  readonly signal: AbortSignal;
}

export class Regeneration {
  readonly #options: RegenerationOptions;
  #inputs: ReadonlySet<string> | undefined;

  constructor(options: RegenerationOptions) {
    this.#options = options;
  }

  /** Writes what follows from these files, if anything does. @throws Error of the generator, with file and line. */
  async after(changed: readonly string[]): Promise<void> {
    const sources = changed.filter((file) => file.startsWith('src/') && !file.startsWith(GENERATED));
    if (sources.length === 0) return;
    this.#inputs ??= await this.#readInputs();
    if (!sources.some((file) => this.#inputs?.has(file))) return;
    await this.#generate();
    // What the schemas import may be other files now.
    this.#inputs = undefined;
  }

  /** The sources that the generator imports. @throws Error when they cannot be read as they are. */
  async #readInputs(): Promise<ReadonlySet<string>> {
    const { projectDir } = this.#options;
    const { metafile } = await build({
      absWorkingDir: projectDir,
      entryPoints: [GENERATOR],
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

  async #generate(): Promise<void> {
    const { projectDir, env, signal } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    execFile(
      process.execPath,
      [path.join(projectDir, MAIN)],
      { cwd: projectDir, env, signal },
      (error, _stdout, stderr) => {
        if (error === null) resolve(undefined);
        else reject(new Error(shorten(stderr, projectDir) || error.message, { cause: error }));
      },
    );
    await promise;
  }
}

/** With the paths of the project as a person knows them. */
function shorten(text: string, projectDir: string): string {
  return text
    .trim()
    .replaceAll(`file://${projectDir}/`, '')
    .replaceAll(`${projectDir}/`, '')
    .split('\n')
    .slice(0, MESSAGE_LINES_MAX)
    .join('\n');
}
