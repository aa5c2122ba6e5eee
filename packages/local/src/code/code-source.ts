/** The code of all sites of a local stack: watched, generated, and built at the start and whenever something changes. */
import path from 'node:path';
import type { Cloud, SiteName } from '../stack/sites.ts';
import { AppBuild } from './app-build.ts';
import { type CodeListener, CodeUpdates } from './code-updates.ts';
import { resolvedDefinition } from './definition.ts';
import { Regeneration } from './regeneration.ts';
import { SourceWatch } from './source-watch.ts';
import { Workshop } from './workshop.ts';

/** What a site runs is made of the files below. */
export const CODE_FOLDERS = ['src', 'packages/replication/src'];
const WATCHED_FOLDERS = [...CODE_FOLDERS, 'infra'];
const WATCHED_FILES = ['serverless.aws.yml', 'serverless.azure.yml', 'host.json', 'package-lock.json'];

export interface CodeSourceOptions extends CodeListener {
  /** Absolute. */
  readonly projectDir: string;
  readonly sites: readonly SiteName[];
  /** Where the bundles go; absolute. */
  readonly buildDir: string;
  readonly cacheDir: string;
  /** For what is run to build. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes a line about changes that will not be noticed. */
  readonly onWarning: (line: string) => void;
}

export class CodeSource {
  readonly #watch: SourceWatch;
  readonly #workshop: Workshop;
  readonly #updates: CodeUpdates;
  readonly #builds: ReadonlyMap<Cloud, AppBuild>;

  constructor(options: CodeSourceOptions) {
    const { projectDir, buildDir, cacheDir, env, sites } = options;
    const workshop = new Workshop({ projectDir, env });
    const clouds = new Set(sites.map(({ cloud }) => cloud));
    this.#workshop = workshop;
    const appDirOf = (cloud: Cloud): string => path.join(buildDir, cloud);
    this.#builds = new Map(
      [...clouds].map((cloud) => [
        cloud,
        new AppBuild({ projectDir, cloud, cacheDir, appDir: appDirOf(cloud) }),
      ]),
    );
    this.#updates = new CodeUpdates({
      ...options,
      regeneration: new Regeneration({ projectDir, cacheDir, workshop }),
      builds: new Map(
        [...this.#builds].map(([cloud, build]) => [
          cloud,
          { appDir: appDirOf(cloud), build: (definition) => build.build(definition) },
        ]),
      ),
      definitionOf: ({ cloud, region }) =>
        resolvedDefinition({ projectDir, cloud, region, cacheDir, env, workshop }),
    });
    this.#watch = new SourceWatch({
      projectDir,
      folders: WATCHED_FOLDERS,
      files: WATCHED_FILES,
      onChange: (files) => this.#updates.changed(files),
      onProblem: (message) => options.onWarning(message),
    });
  }

  /** Builds, and from then on whenever something changes. @throws Error when what is there cannot be built. */
  async start(): Promise<void> {
    // Before the first build reads anything: what changes meanwhile is not missed.
    this.#watch.start();
    await this.#updates.start();
  }

  /** A change is served. Who changes one file will change another, perhaps one from which something follows. */
  expectMore(): void {
    this.#workshop.open();
  }

  /** Nobody waits for anything: the first change of a schema shall be as quick as the next ones. */
  async warm(): Promise<void> {
    await Promise.all([this.#workshop.warm(), ...[...this.#builds.values()].map((build) => build.warm())]);
  }

  async stop(): Promise<void> {
    this.#updates.stop();
    this.#watch.close();
    await Promise.all([AppBuild.endAll(), this.#workshop.stop()]);
  }
}
