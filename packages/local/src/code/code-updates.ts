/**
 * What follows from a change of the sources, step by step: generated, built for every cloud, handed out.
 *
 * Invariants: one update runs at a time, and begins only when all that the one before has begun is over. Sites get whole
 * builds, in order, and none of a cloud unless all clouds could be built. What failed changes nothing and stays to be
 * done: the next update does it too.
 */
import { newestRun } from '../newest-run.ts';
import type { Cloud, SiteName } from '../stack/sites.ts';
import type { AppBuild, Built } from './app-build.ts';
import { OWN_SETTINGS, type ResolvedDefinition } from './definition.ts';
import type { Code } from './messages.ts';
import type { Regeneration } from './regeneration.ts';

/** What a definition is made of; the rest is code. */
const OF_DEFINITIONS = /^(?:infra\/|serverless\.\w+\.yml$|package-lock\.json$)/;

const isOfDefinitions = (file: string): boolean => OF_DEFINITIONS.test(file) || file === OWN_SETTINGS;

export interface CodeListener {
  /** Takes the code of each site that has other code than before, and what has changed; at the start that is nothing,
   * and when it was noticed (`performance.now`). */
  readonly onCode: (codes: ReadonlyMap<string, Code>, changed: readonly string[], begunAt: number) => void;
  /** A change is going to be generated and built; `onBuilt` or `onProblem` follows. */
  readonly onBegin: () => void;
  /** Takes a line. */
  readonly onProgress: (line: string) => void;
  /** Takes what has changed since the last build, once it is built, whether or not it makes other code. */
  readonly onBuilt: (changed: readonly string[]) => void;
  /** Takes one line for each mistake. */
  readonly onProblem: (lines: readonly string[], changed: readonly string[]) => void;
}

export interface CodeUpdatesOptions extends CodeListener {
  readonly sites: readonly SiteName[];
  readonly regeneration: Pick<Regeneration, 'atStart' | 'after' | 'isOwnWriting'>;
  readonly builds: ReadonlyMap<Cloud, { readonly appDir: string; readonly build: AppBuild['build'] }>;
  readonly definitionOf: (site: SiteName) => Promise<ResolvedDefinition>;
}

interface CloudBuilt {
  readonly cloud: Cloud;
  readonly definitions: readonly (readonly [site: string, ResolvedDefinition])[];
  readonly built: Built;
}

export class CodeUpdates {
  readonly #options: CodeUpdatesOptions;
  readonly #update = newestRun(() => this.#updateNow());
  #started: Promise<unknown> = Promise.resolve();
  #isStopped = false;
  #changed = new Set<string>();
  #definitions = new Map<string, ResolvedDefinition>();
  /** What each site has been given: one text for one code. */
  readonly #given = new Map<string, string>();
  #generation = 0;
  #hasFailed = false;
  /** Changed since the last build. */
  readonly #unbuilt = new Set<string>();
  /** Of an update that failed: what it was about is still to be done. */
  #mustResolve = false;

  constructor(options: CodeUpdatesOptions) {
    this.#options = options;
  }

  /** Builds what is there; what changes meanwhile is built after it. @throws Error when it cannot be built. */
  async start(): Promise<void> {
    const started = this.#startNow();
    this.#started = started.catch(() => undefined);
    await started;
  }

  /** @param files Relative to the project. */
  changed(files: readonly string[]): void {
    for (const file of files) this.#changed.add(file);
    void this.#started.then(() => this.#update());
  }

  /** What fails from now on is nobody's concern. */
  stop(): void {
    this.#isStopped = true;
  }

  #isOver(): boolean {
    return this.#isStopped;
  }

  async #startNow(): Promise<void> {
    const { builds, regeneration, onProgress, onCode } = this.#options;
    const begunAt = performance.now();
    await regeneration.atStart();
    await Promise.all(
      [...builds.keys()].map(async (cloud) => {
        const built = await this.#build(cloud, true);
        onProgress(`code of ${cloud} is built`);
        onCode(this.#place([built]), [], begunAt);
      }),
    );
  }

  async #updateNow(): Promise<void> {
    const { regeneration, builds, onBegin, onCode, onBuilt, onProblem } = this.#options;
    const changed = [...this.#changed].filter((file) => !regeneration.isOwnWriting(file));
    const begunAt = performance.now();
    this.#changed = new Set();
    if (changed.length === 0 || this.#isOver()) return;
    onBegin();
    for (const file of changed) this.#unbuilt.add(file);
    try {
      const written = await regeneration.after(changed);
      this.#mustResolve ||= [...changed, ...written].some(isOfDefinitions);
      const resolves = this.#mustResolve;
      const all = await settled([...builds.keys()].map((cloud) => this.#build(cloud, resolves)));
      const codes = this.#place(all);
      this.#mustResolve = false;
      if (codes.size > 0 || this.#hasFailed) onCode(codes, changed, begunAt);
      this.#hasFailed = false;
      onBuilt([...this.#unbuilt]);
      this.#unbuilt.clear();
    } catch (error) {
      if (this.#isOver()) return;
      this.#hasFailed = true;
      const text = error instanceof Error ? error.message : String(error);
      onProblem(text.split('\n'), changed);
    }
  }

  async #build(cloud: Cloud, resolves: boolean): Promise<CloudBuilt> {
    const { sites, builds, definitionOf } = this.#options;
    const definitions = await settled(
      sites
        .filter((site) => site.cloud === cloud)
        .map(async (site) => {
          const known = resolves ? undefined : this.#definitions.get(site.site);
          return [site.site, known ?? (await definitionOf(site))] as const;
        }),
    );
    const [first] = definitions;
    const build = builds.get(cloud);
    if (build === undefined || first === undefined) throw new Error(`no site of ${cloud}`);
    return { cloud, definitions, built: await build.build(first[1]) };
  }

  /** @returns The code of those sites for which anything is other than before. */
  #place(all: readonly CloudBuilt[]): Map<string, Code> {
    for (const { built } of all) built.place();
    const codes = new Map<string, Code>();
    for (const { cloud, definitions, built } of all) {
      const appDir = this.#options.builds.get(cloud)?.appDir ?? '';
      for (const [site, definition] of definitions) {
        this.#definitions.set(site, definition);
        const given = JSON.stringify([built.version, definition]);
        if (this.#given.get(site) === given) continue;
        this.#given.set(site, given);
        codes.set(site, { generation: (this.#generation += 1), appDir, definition });
      }
    }
    return codes;
  }
}

/**
 * All of them, when all are over: what one leaves running would meet the next update.
 * @throws Error with the lines of every one that failed, each once.
 */
async function settled<Result>(work: readonly Promise<Result>[]): Promise<Result[]> {
  const results = await Promise.allSettled(work);
  const failed = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const texts = failed.map((reason) => (reason instanceof Error ? reason.message : String(reason)));
  if (texts.length > 0) throw new Error([...new Set(texts.flatMap((text) => text.split('\n')))].join('\n'));
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
