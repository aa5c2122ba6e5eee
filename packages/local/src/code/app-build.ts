/**
 * All functions of one cloud in one bundle, built again when the sources change: our own code only, packages and
 * validators stand beside it (vendors.ts, validators-apart.ts).
 *
 * Invariant: what a site finds in the folder is a whole build that was placed there; one that is not placed, or fails,
 * changes nothing. Each build has a file name of its own: a breakpoint, which is bound to a name and a line, never meets
 * an older build.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
  type BuildContext,
  type BuildFailure,
  type BuildOptions,
  type BuildResult,
  context,
  formatMessages,
  type Plugin,
  type StdinOptions,
  stop,
} from 'esbuild';
import { replaceFile } from '@tandem-clouds/emulators/core/files';
import type { Cloud } from '../stack/sites.ts';
import { within } from '../within.ts';
import { appEntry } from './bundle-app.ts';
import type { ResolvedDefinition } from './definition.ts';
import { BUNDLE, GIVEN_BY_WORKER, writeAppFolder } from './entry-point.ts';
import { type Bundle, KeptBundles } from './kept-bundles.ts';
import {
  VALIDATORS_FILE,
  validatorsApart,
  type ValidatorsApartOptions,
  validatorsFile,
} from './validators-apart.ts';
import {
  type VendorOptions,
  vendorsApart,
  vendorsBeside,
  vendorsFile,
  workerBeside,
  workerFile,
} from './vendors.ts';

/** What is built: a module that registers, or exports, the functions of the definition. */
const ENTRY = 'tandem:entry';

/** Options of `custom.esbuild` that are esbuild's own and change what the code does. */
const OF_ESBUILD = ['conditions', 'define', 'format', 'loader', 'mainFields', 'target'] as const;

/** Enough to tell builds apart. */
const HASH_LENGTH = 10;
/** The last builds stay: debuggers and the stacks of what is under way read their source maps. */
const BUILDS_KEPT = 5;
/** A build takes a second when the SDKs are bundled first; beyond this something does not answer. */
const BUILT_WITHIN_MS = 60_000;

export interface AppBuildOptions {
  readonly projectDir: string;
  readonly cloud: Cloud;
  /** Where the bundle goes; absolute. Beside it is what the clouds share. */
  readonly appDir: string;
  readonly cacheDir: string;
  /** Default 60 s. */
  readonly builtWithinMs?: number;
}

/** Code that is built, and that no site finds yet. */
export interface Built {
  /** The same for the same code. */
  readonly version: string;
  /** Whoever loads the folder from now on loads this. */
  readonly place: () => void;
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
  readonly #kept: KeptBundles;
  readonly #vendors = new Set<string>();
  /** The build before, however it ends. */
  #turn: Promise<unknown> = Promise.resolve();
  #entry: StdinOptions = { contents: '' };
  #builtFor = '';
  #context: BuildContext<{ write: false; metafile: true }> | undefined;
  /** What was built last, or taken as it was kept. */
  #last: ResolvedDefinition | undefined;
  readonly #validatorsUsed = new Set<string>();
  #placed: string | undefined;
  /** Bundles of the last builds, the newest first. */
  #bundles: readonly string[] = [];

  constructor(options: AppBuildOptions) {
    this.#options = options;
    this.#kept = new KeptBundles(options);
  }

  /**
   * Builds the functions of a definition, one build after the other: a second one that is asked for meanwhile would get
   * the result of the first (https://esbuild.github.io/api/#rebuild).
   * @throws BuildError when the sources are wrong.
   */
  async build(definition: ResolvedDefinition): Promise<Built> {
    const { cloud, builtWithinMs = BUILT_WITHIN_MS } = this.#options;
    const before = this.#turn;
    const mine = before.then(() => within(builtWithinMs, `the bundle of ${cloud}`, this.#build(definition)));
    this.#turn = mine.catch(() => undefined);
    try {
      return await mine;
    } catch (error) {
      // One whose process has ended, or that does not answer, never builds again.
      if (!(error instanceof BuildError)) this.#context = undefined;
      throw error;
    }
  }

  /** Ends also what is being built, in all builds of this process. */
  static async endAll(): Promise<void> {
    await stop();
  }

  /** What a first change would wait for, where the code was kept and nothing had to be built. */
  async warm(): Promise<void> {
    if (this.#context === undefined && this.#last !== undefined) await this.build(this.#last);
  }

  async #build(definition: ResolvedDefinition): Promise<Built> {
    const { projectDir, cacheDir, cloud, appDir } = this.#options;
    const options = this.#optionsFor(definition);
    this.#entry =
      cloud === 'azure' ? appEntry(definition.functions, projectDir) : awsEntry(definition, projectDir);
    const isFirst = this.#last === undefined;
    this.#last = definition;
    const bundle =
      (isFirst ? await this.#keptFor(definition) : undefined) ?? (await this.#built(definition, options));
    const input = { projectDir, cacheDir, options: vendorOptionsOf(options) };
    const [vendors, worker] = await Promise.all([
      vendorsFile({ ...input, names: bundle.vendors }),
      cloud === 'azure' ? workerFile(input) : undefined,
    ]);
    const name = `${BUNDLE}-${hashOf(bundle)}.cjs`;
    const version = JSON.stringify([vendors, worker, name]);
    return {
      version,
      place: () => {
        if (this.#placed === version) return;
        if (this.#placed === undefined) this.#layOut(definition);
        vendorsBeside(appDir, vendors);
        if (worker !== undefined) workerBeside(appDir, worker);
        this.#place(name, bundle);
        this.#placed = version;
      },
    };
  }

  /** What decides over the bundle beside the files that it is made of. */
  #how({ custom }: ResolvedDefinition): unknown {
    return [this.#options.cloud, this.#entry, custom.esbuild];
  }

  async #keptFor(definition: ResolvedDefinition): Promise<Bundle | undefined> {
    const kept = this.#kept.read(this.#how(definition));
    if (kept?.inputs.includes(VALIDATORS_FILE) === true) await validatorsFile(this.#validators());
    return kept;
  }

  async #built(
    definition: ResolvedDefinition,
    options: BuildOptions & { write: false; metafile: true },
  ): Promise<Bundle> {
    const { projectDir, appDir } = this.#options;
    const { outputFiles, metafile } = await this.#rebuild(definition, options);
    const [code = '', map = ''] = ['.cjs', '.map'].map(
      (end) => outputFiles.find(({ path: file }) => file.endsWith(end))?.text,
    );
    const bundle = { code, map: withSources(map, appDir, projectDir), vendors: [...this.#vendors] };
    const inputs = Object.keys(metafile.inputs).filter((input) => !input.includes(':'));
    if (this.#validatorsUsed.has(VALIDATORS_FILE)) inputs.push(VALIDATORS_FILE);
    this.#kept.keep(this.#how(definition), bundle, inputs);
    return bundle;
  }

  async #rebuild(
    definition: ResolvedDefinition,
    options: BuildOptions & { write: false; metafile: true },
  ): Promise<BuildResult<{ write: false; metafile: true }>> {
    // Not by its functions: what has been read for them stays known.
    const builtFor = JSON.stringify(definition.custom.esbuild);
    let current = this.#context;
    if (current === undefined || this.#builtFor !== builtFor) {
      // It builds no more, whatever becomes of the next one.
      this.#context = undefined;
      await current?.dispose();
      current = await context(options);
      this.#context = current;
      this.#builtFor = builtFor;
    }
    return current.rebuild().catch(async (error: unknown) => {
      throw await readable(error);
    });
  }

  /** What is there besides the bundle; on AWS nothing. */
  #layOut({ service }: ResolvedDefinition): void {
    const { appDir, cloud, projectDir } = this.#options;
    fs.rmSync(appDir, { recursive: true, force: true });
    fs.mkdirSync(appDir, { recursive: true });
    if (cloud === 'azure')
      writeAppFolder(appDir, { name: service, hostJson: path.join(projectDir, 'host.json') });
  }

  #place(bundle: string, { code, map }: Bundle): void {
    const { appDir, projectDir } = this.#options;
    replaceFile(path.join(appDir, `${bundle}.map`), withSources(map, projectDir, appDir));
    replaceFile(path.join(appDir, bundle), `${code}//# sourceMappingURL=${bundle}.map\n`);
    // What sites and their bridges load, at whichever time; it is evaluated anew with the bundle.
    const entry = `module.exports = require(${JSON.stringify(`./${bundle}`)});\n`;
    replaceFile(path.join(appDir, `${BUNDLE}.cjs`), entry);
    const all = [bundle, ...this.#bundles.filter((known) => known !== bundle)];
    this.#bundles = all.slice(0, BUILDS_KEPT);
    for (const old of all.slice(BUILDS_KEPT))
      for (const file of [old, `${old}.map`]) fs.rmSync(path.join(appDir, file), { force: true });
  }

  #validators(): ValidatorsApartOptions {
    const { projectDir, appDir } = this.#options;
    return { projectDir, appDir };
  }

  #optionsFor(definition: ResolvedDefinition): BuildOptions & { write: false; metafile: true } {
    const { projectDir, appDir } = this.#options;
    const { esbuild } = definition.custom;
    const chosen: [string, unknown][] = OF_ESBUILD.filter((name) => name in esbuild).map((name) => [
      name,
      esbuild[name],
    ]);
    return {
      ...(Object.fromEntries(chosen) as BuildOptions),
      entryPoints: [ENTRY],
      outdir: appDir,
      entryNames: BUNDLE,
      outExtension: { '.js': '.cjs' },
      absWorkingDir: projectDir,
      bundle: true,
      platform: 'node',
      external: [GIVEN_BY_WORKER],
      plugins: [
        entryPoint(() => this.#entry),
        vendorsApart(this.#vendors),
        validatorsApart(this.#validators(), this.#validatorsUsed),
      ],
      // Stack traces and breakpoints go by the sources; these are on this machine.
      sourcemap: 'external',
      sourcesContent: false,
      metafile: true,
      write: false,
      logLevel: 'silent',
    };
  }
}

/** Of code and lines, wherever it was built. */
function hashOf({ code, map }: Bundle): string {
  return createHash('sha256').update(code).update(map).digest('hex').slice(0, HASH_LENGTH);
}

/** A source map whose sources are relative to another folder than before. */
function withSources(map: string, from: string, to: string): string {
  const parsed = JSON.parse(map) as { readonly sources: readonly string[] };
  const sources = parsed.sources.map((source) => path.relative(to, path.resolve(from, source)));
  return JSON.stringify({ ...parsed, sources });
}

/** Gives what is to be built, as it is at each build. */
function entryPoint(entry: () => StdinOptions): Plugin {
  return {
    name: 'entry-point',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${ENTRY}$`) }, ({ path: name }) => ({
        path: name,
        namespace: 'entry-point',
      }));
      build.onLoad({ filter: /.*/, namespace: 'entry-point' }, () => {
        const { contents, resolveDir = '', loader = 'ts' } = entry();
        return { contents, resolveDir, loader };
      });
    },
  };
}

/** An export for every source of a function, under its name without the extension: `src/handlers/items`. */
function awsEntry({ functions }: ResolvedDefinition, resolveDir: string): StdinOptions {
  const sources = [...new Set(Object.values(functions).map(({ handler }) => sourceOf(handler)))];
  const contents = sources.map((source) => `export * as ${JSON.stringify(source)} from './${source}';`);
  return { contents: contents.join('\n'), resolveDir, sourcefile: 'entry-point.ts', loader: 'ts' };
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
