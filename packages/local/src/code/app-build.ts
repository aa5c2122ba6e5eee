/**
 * All functions of one cloud in one bundle, built again when the sources change: our own code only, the SDKs stand
 * beside it (vendors.ts).
 *
 * Invariant: a folder always holds a whole build; a failed one changes nothing.
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  type BuildContext,
  type BuildFailure,
  type BuildOptions,
  context,
  formatMessages,
  stop,
} from 'esbuild';
import { replaceFile } from '@tandem-clouds/emulators/core/files';
import type { Cloud } from '../stack/sites.ts';
import { appEntry } from './bundle-app.ts';
import type { ResolvedDefinition } from './definition.ts';
import { BUNDLE, GIVEN_BY_WORKER, writeAppFolder } from './entry-point.ts';
import { type VendorOptions, vendorsApart, vendorsBeside, vendorsFile } from './vendors.ts';

/** Options of `custom.esbuild` that are esbuild's own and change what the code does. */
const OF_ESBUILD = ['conditions', 'define', 'format', 'loader', 'mainFields', 'target'] as const;

export interface AppBuildOptions {
  readonly projectDir: string;
  readonly cloud: Cloud;
  /** Where the bundle goes; absolute. */
  readonly appDir: string;
  readonly cacheDir: string;
}

/** What is wrong with the sources, each with its file and line where there is one. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export class AppBuild {
  readonly #options: AppBuildOptions;
  readonly #vendors = new Set<string>();
  #builtFor = '';
  #context: BuildContext<{ write: false }> | undefined;
  #written = new Map<string, string>();

  constructor(options: AppBuildOptions) {
    this.#options = options;
  }

  /**
   * Builds the functions of a definition.
   * @returns Whether anything is other than before.
   * @throws BuildError and changes nothing when the sources are wrong.
   */
  async build(definition: ResolvedDefinition): Promise<boolean> {
    const { projectDir, appDir, cacheDir } = this.#options;
    const options = this.#optionsFor(definition);
    const builtFor = JSON.stringify([definition.functions, definition.custom.esbuild]);
    if (this.#context === undefined || this.#builtFor !== builtFor) {
      await this.#context?.dispose();
      this.#context = await context(options);
      this.#builtFor = builtFor;
    }
    const result = await this.#context.rebuild().catch(async (error: unknown) => {
      throw await readable(error);
    });
    const vendors = await vendorsFile({
      projectDir,
      cacheDir,
      names: [...this.#vendors],
      options: vendorOptionsOf(options),
    });
    const files = new Map(result.outputFiles.map(({ path: file, text }) => [file, text]));
    files.set('', vendors);
    if (isSame(files, this.#written)) return false;
    if (this.#written.size === 0) this.#layOut(definition);
    vendorsBeside(appDir, vendors);
    for (const { path: file, text } of result.outputFiles) replaceFile(file, text);
    this.#written = files;
    return true;
  }

  /** Ends also what is being built, in all builds of this process. */
  static async endAll(): Promise<void> {
    await stop();
  }

  /** What is there besides the bundle; on AWS nothing. */
  #layOut({ service }: ResolvedDefinition): void {
    const { appDir, cloud, projectDir } = this.#options;
    fs.rmSync(appDir, { recursive: true, force: true });
    fs.mkdirSync(appDir, { recursive: true });
    if (cloud === 'azure')
      writeAppFolder(appDir, { name: service, hostJson: path.join(projectDir, 'host.json') });
  }

  #optionsFor(definition: ResolvedDefinition): BuildOptions & { write: false } {
    const { projectDir, appDir, cloud } = this.#options;
    const { esbuild } = definition.custom;
    const chosen: [string, unknown][] = OF_ESBUILD.filter((name) => name in esbuild).map((name) => [
      name,
      esbuild[name],
    ]);
    const outfile = path.join(appDir, `${BUNDLE}.cjs`);
    const entry =
      cloud === 'azure'
        ? appEntry(definition.functions, { resolveDir: projectDir, outfile })
        : awsEntry(definition, { resolveDir: projectDir, outfile });
    return {
      ...(Object.fromEntries(chosen) as BuildOptions),
      ...entry,
      absWorkingDir: projectDir,
      bundle: true,
      platform: 'node',
      external: [GIVEN_BY_WORKER],
      plugins: [vendorsApart(this.#vendors)],
      // Stack traces and breakpoints go by the sources; these are on this machine.
      sourcemap: 'linked',
      sourcesContent: false,
      write: false,
      logLevel: 'silent',
    };
  }
}

/** An export for every source of a function, under its name without the extension: `src/handlers/items`. */
function awsEntry(
  { functions }: ResolvedDefinition,
  { resolveDir, outfile }: { readonly resolveDir: string; readonly outfile: string },
): Pick<BuildOptions, 'stdin' | 'outfile'> {
  const sources = [...new Set(Object.values(functions).map(({ handler }) => sourceOf(handler)))];
  const contents = sources.map((source) => `export * as ${JSON.stringify(source)} from './${source}';`);
  return {
    stdin: { contents: contents.join('\n'), resolveDir, sourcefile: 'entry-point.ts', loader: 'ts' },
    outfile,
  };
}

/** `src/handlers/items.handler` → `src/handlers/items` */
export function sourceOf(handler: string): string {
  return handler.slice(0, handler.lastIndexOf('.'));
}

function vendorOptionsOf({ conditions, mainFields, target }: BuildOptions): VendorOptions {
  return {
    ...(conditions && { conditions }),
    ...(mainFields && { mainFields }),
    ...(target && { target }),
  };
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
}

/** One line each: `src/handlers/items.ts:12:3: Expected ";" but found "}"`. */
async function readable(error: unknown): Promise<unknown> {
  const { errors } = error as Partial<BuildFailure>;
  if (errors === undefined || errors.length === 0) return error;
  const elsewhere = errors.filter(({ location }) => location === null);
  const rest = await formatMessages(elsewhere, { kind: 'error' });
  return new BuildError([
    ...errors.flatMap(({ location, text }) =>
      location === null ? [] : [`${location.file}:${location.line}:${location.column + 1}: ${text}`],
    ),
    ...rest.map((text) => text.trim()),
  ]);
}
