/** The sites that the console was given: by name, with the key that each takes. */
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import {
  findSite,
  findTargets,
  namedTargets,
  type Target,
  TargetError,
  type Whereabouts,
} from '@tandem-clouds/operator/targets';
import { ConsoleError } from './reply.ts';

/** What it takes to look at records of everybody and to change them, at a stack that asks for tokens. */
const SCOPES =
  'tandem/read tandem/write tandem/any-owner tandem/any-tenant shop/stock shop/catalogue shop/orders shop/ledger shop/notifications';
const TOKEN_FOR_MS = 5 * 60_000;

export class Sites {
  readonly #place: Whereabouts;
  readonly #known = new Map<string, Target>();
  #token: { readonly text: string; readonly atMs: number } | undefined;

  constructor(place: Whereabouts) {
    this.#place = place;
  }

  /** Whether it is the stack of this machine that is looked at. */
  get isLocal(): boolean {
    return this.#place.sites.length === 0;
  }

  /** @throws TargetError when there is nobody to ask */
  targets(): readonly Target[] {
    return findTargets(this.#place);
  }

  /** Those that say how they are called among them with their names. @throws TargetError when there is nobody to ask */
  named(): Promise<readonly Target[]> {
    return namedTargets(this.#place);
  }

  /** @throws ConsoleError when the console was not given such a site, or it does not say that it is the one */
  async site(name: string): Promise<Target> {
    // A stack's addresses may change from one start to the next; what a deployed site is called does not.
    const known = this.isLocal ? undefined : this.#known.get(name);
    if (known !== undefined) return known;
    try {
      const target = await findSite(this.#place, name);
      this.#known.set(name, target);
      return target;
    } catch (cause) {
      if (cause instanceof TargetError) throw new ConsoleError(404, cause.message, { cause });
      throw cause;
    }
  }

  /** @throws ConsoleError when none runs here, or deployed sites are looked at */
  stack(): Stack {
    if (!this.isLocal)
      throw new ConsoleError(404, 'Only at the stack of this machine; deployed sites were named');
    const stack = readStack(this.#place.stack);
    if (stack === undefined) throw new ConsoleError(503, `no stack runs here (${this.#place.stack})`);
    return stack;
  }

  /** What the records of a site are read with; undefined: they are for everybody, or nobody has given a token. */
  async recordsToken(): Promise<string | undefined> {
    if (!this.isLocal) return process.env['TANDEM_TOKEN'];
    const { issuer } = this.stack();
    if (issuer === undefined) return undefined;
    const nowMs = performance.now();
    if (this.#token === undefined || nowMs - this.#token.atMs > TOKEN_FOR_MS)
      this.#token = { text: await queryToken(issuer.url, SCOPES), atMs: nowMs };
    return this.#token.text;
  }
}
