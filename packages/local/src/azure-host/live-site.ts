/** An Azure site under `npm start`, without the framework. Its code and its definition may change while it serves. */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ResolvedDefinition } from '../code/definition.ts';
import type { Code } from '../code/messages.ts';
import type { LiveSite } from '../code/serve-code.ts';
import { placeArtefact, releaseToServe } from '../site-release.ts';
import { OfflineSite } from './offline-site.ts';

export interface AzureLiveSiteOptions {
  readonly projectDir: string;
  /** Of this site's own files; absolute. */
  readonly buildDir: string;
  readonly print: (line: string) => void;
  /** Where the trigger process has an inspector: `127.0.0.1:9229`. */
  readonly bridgeInspect?: string;
}

export class AzureLiveSite implements LiveSite {
  readonly #options: AzureLiveSiteOptions;
  /** Absent: the sources. */
  readonly #release = releaseToServe();
  #served: Code | undefined;
  #site: OfflineSite | undefined;

  constructor(options: AzureLiveSiteOptions) {
    this.#options = options;
  }

  async take(code: Code): Promise<void> {
    const { environment: declared } = code.definition.provider;
    if (this.#site === undefined) {
      this.#site = new OfflineSite({
        ...this.#options,
        serviceDir: this.#options.projectDir,
        appDir: this.#appDir(code),
        declared,
      });
      await this.#site.start();
    } else if (this.#release === undefined) {
      if (haveSameTriggers(code.definition, this.#served?.definition)) await this.#site.reloadNow();
      else await this.#site.beginAnew(declared);
    }
    this.#served = code;
  }

  async stop(): Promise<void> {
    await this.#site?.stop();
  }

  #appDir({ appDir }: Code): string {
    if (this.#release === undefined) return appDir;
    const own = path.join(this.#options.buildDir, 'app');
    placeArtefact(this.#release, own);
    return own;
  }
}

/** Whether two definitions differ in nothing but functions behind HTTP, which the bundle itself registers. */
function haveSameTriggers(one: ResolvedDefinition, other: ResolvedDefinition | undefined): boolean {
  return other !== undefined && isDeepStrictEqual(withoutHttp(one), withoutHttp(other));
}

function withoutHttp({ functions, ...rest }: ResolvedDefinition): object {
  const kept = Object.entries(functions).filter(
    ([, one]) => !one.events.some((event) => event['http'] === true),
  );
  return { ...rest, functions: Object.fromEntries(kept) };
}
