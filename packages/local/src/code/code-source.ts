/**
 * The code of all sites of a local stack: built at the start and whenever something that it is made of changes.
 *
 * Invariant: sites get whole builds only, and in order. What cannot be built changes nothing: they go on with what they
 * have, and the reason is reported with its file and line.
 */
import path from 'node:path';
import { newestRun } from '../newest-run.ts';
import type { Cloud, SiteName } from '../stack/sites.ts';
import { AppBuild } from './app-build.ts';
import { type ResolvedDefinition, resolvedDefinition } from './definition.ts';
import type { Code } from './messages.ts';
import { Regeneration } from './regeneration.ts';
import { SourceWatch } from './source-watch.ts';
import { Workshop } from './workshop.ts';

/** What a definition is made of; the rest is code. */
const OF_DEFINITIONS = /^(?:infra\/|serverless\.\w+\.yml$|package-lock\.json$)/;
/** What a site runs is made of the files below. */
export const CODE_FOLDERS = ['src', 'packages/replication/src'];
const WATCHED_FOLDERS = [...CODE_FOLDERS, 'infra'];
const WATCHED_FILES = ['serverless.aws.yml', 'serverless.azure.yml', 'host.json', 'package-lock.json'];

export interface CodeSourceOptions {
  /** Absolute. */
  readonly projectDir: string;
  readonly sites: readonly SiteName[];
  /** Where the bundles go; absolute. */
  readonly buildDir: string;
  readonly cacheDir: string;
  /** For what is run to build. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes the code of each site that has other code than before, and what has changed; at the start that is nothing,
   * and when it was noticed (`performance.now`). */
  readonly onCode: (codes: ReadonlyMap<string, Code>, changed: readonly string[], begunAt: number) => void;
  /** Takes a line. */
  readonly onProgress: (line: string) => void;
  /** Takes what has changed since the last build, once it is built, whether or not it makes other code. */
  readonly onBuilt: (changed: readonly string[]) => void;
  /** Takes one line for each mistake. */
  readonly onProblem: (lines: readonly string[], changed: readonly string[]) => void;
  /** Takes a line about changes that will not be noticed. */
  readonly onWarning: (line: string) => void;
}

export class CodeSource {
  readonly #options: CodeSourceOptions;
  readonly #builds: ReadonlyMap<Cloud, AppBuild>;
  readonly #watch: SourceWatch;
  readonly #workshop: Workshop;
  readonly #regeneration: Regeneration;
  readonly #update: () => Promise<void>;
  #changed = new Set<string>();
  #definitions = new Map<string, ResolvedDefinition>();
  readonly #stopping = new AbortController();
  #generation = 0;
  #hasFailed = false;
  /** Changed since the last build. */
  readonly #unbuilt = new Set<string>();
  /** Of an update that failed: what it was about is still to be done. */
  #mustResolve = false;

  constructor(options: CodeSourceOptions) {
    this.#options = options;
    const { projectDir, buildDir, cacheDir, env, sites } = options;
    const clouds = new Set(sites.map(({ cloud }) => cloud));
    this.#builds = new Map(
      [...clouds].map((cloud) => [
        cloud,
        new AppBuild({ projectDir, cloud, cacheDir, appDir: path.join(buildDir, cloud) }),
      ]),
    );
    this.#workshop = new Workshop({ projectDir, env });
    this.#regeneration = new Regeneration({ projectDir, cacheDir, workshop: this.#workshop });
    this.#watch = new SourceWatch({
      projectDir,
      folders: WATCHED_FOLDERS,
      files: WATCHED_FILES,
      onChange: (files) => {
        for (const file of files) this.#changed.add(file);
        void this.#update();
      },
      onProblem: (message) => options.onWarning(message),
    });
    this.#update = newestRun(() => this.#updateNow());
  }

  /** Builds, and from then on whenever something changes. @throws Error when what is there cannot be built. */
  async start(): Promise<void> {
    const begunAt = performance.now();
    // Before the first build reads anything: what changes meanwhile is not missed.
    this.#watch.start();
    await this.#regeneration.atStart();
    await Promise.all(
      [...this.#builds.keys()].map(async (cloud) => {
        const codes = await this.#build(cloud, true);
        this.#options.onProgress(`code of ${cloud} is built`);
        this.#options.onCode(codes, [], begunAt);
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#watch.close();
    await Promise.all([AppBuild.endAll(), this.#workshop.stop()]);
  }

  async #updateNow(): Promise<void> {
    const changed = [...this.#changed].filter((file) => !this.#regeneration.isOwnWriting(file));
    const begunAt = performance.now();
    this.#changed = new Set();
    if (changed.length === 0) return;
    // Who changes one file will change another, perhaps one from which something follows.
    this.#workshop.open();
    for (const file of changed) this.#unbuilt.add(file);
    try {
      const written = await this.#regeneration.after(changed);
      this.#mustResolve ||= [...changed, ...written].some((file) => OF_DEFINITIONS.test(file));
      const resolves = this.#mustResolve;
      const codes = await Promise.all([...this.#builds.keys()].map((cloud) => this.#build(cloud, resolves)));
      this.#mustResolve = false;
      const all = new Map(codes.flatMap((some) => [...some]));
      if (all.size > 0 || this.#hasFailed) this.#options.onCode(all, changed, begunAt);
      this.#hasFailed = false;
      this.#options.onBuilt([...this.#unbuilt]);
      this.#unbuilt.clear();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#hasFailed = true;
      const text = error instanceof Error ? error.message : String(error);
      this.#options.onProblem(text.split('\n'), changed);
    }
  }

  /** @returns The code of those sites of a cloud for which anything is other than before. */
  async #build(cloud: Cloud, resolves: boolean): Promise<Map<string, Code>> {
    const { sites, projectDir, cacheDir, env } = this.#options;
    const workshop = this.#workshop;
    const build = this.#builds.get(cloud);
    const ofCloud = sites.filter((site) => site.cloud === cloud);
    const definitions = await Promise.all(
      ofCloud.map(async ({ site, region }) => {
        const known = this.#definitions.get(site);
        if (known !== undefined && !resolves) return [site, known] as const;
        return [
          site,
          await resolvedDefinition({ projectDir, cloud, region, cacheDir, env, workshop }),
        ] as const;
      }),
    );
    const [first] = definitions;
    if (build === undefined || first === undefined) return new Map();
    const isOther = await build.build(first[1]);
    const appDir = path.join(this.#options.buildDir, cloud);
    const codes = new Map<string, Code>();
    for (const [site, definition] of definitions) {
      const before = this.#definitions.get(site);
      if (!isOther && JSON.stringify(before) === JSON.stringify(definition)) continue;
      this.#definitions.set(site, definition);
      codes.set(site, { generation: (this.#generation += 1), appDir, definition });
    }
    return codes;
  }
}
