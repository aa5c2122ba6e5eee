/** The routes of the shop at one site, for commands that take a scope of their own. */
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { explain } from './get-json.ts';
import type { CommonOptions } from './options.ts';
import { localSites, type Target, TargetError } from './targets.ts';

/** A function has ten seconds, and may call the payment provider. */
const RESPONSE_WITHIN_MS = 30_000;

type Values = Readonly<Record<string, string | number | undefined>>;

export class ShopApi {
  readonly #target: Target;
  readonly #scope: string;
  readonly #token: string | undefined;
  readonly #signal: AbortSignal;

  private constructor(
    target: Target,
    { scope, token, signal }: { scope: string; token: string | undefined; signal: AbortSignal },
  ) {
    this.#target = target;
    this.#scope = scope;
    this.#token = token;
    this.#signal = signal;
  }

  /** With a token of the stack's own issuer; deployed sites are given what TANDEM_TOKEN says. @throws TargetError */
  static async open(
    target: Target,
    { options, scope, signal }: { options: CommonOptions; scope: string; signal: AbortSignal },
  ): Promise<ShopApi> {
    return new ShopApi(target, { scope, token: await tokenFor(options, scope), signal });
  }

  /** What it is called in messages. */
  get name(): string {
    return this.#target.site ?? this.#target.url;
  }

  /** @throws TargetError that names the site */
  async query(method: 'GET' | 'POST', path: string, values: Values = {}): Promise<unknown> {
    const url = new URL(path, this.#target.url);
    const given = Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as const],
    );
    if (method === 'GET')
      url.search = new URLSearchParams(
        Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
      ).toString();
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers: {
          ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
          ...(method === 'POST' && { 'content-type': 'application/json' }),
        },
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(RESPONSE_WITHIN_MS)]),
        ...(method === 'POST' && { body: JSON.stringify(Object.fromEntries(given)) }),
      });
    } catch (cause) {
      throw new TargetError(`${this.name} does not answer: ${explain(cause)}`, { cause });
    }
    const value = (await response.json().catch(() => ({}))) as {
      readonly detail?: string;
      readonly code?: string;
    };
    if (response.ok) return value;
    const hint =
      response.status === 401 || response.status === 403
        ? `; TANDEM_TOKEN is to be a token, or the key of a service, with the scope ${this.#scope}`
        : response.status === 503
          ? '; try again, or name another site with --at'
          : '';
    throw new TargetError(`${this.name}: ${value.detail ?? `HTTP ${response.status}`}${hint}`);
  }

  /** Every page of a list. @throws TargetError that names the site */
  async *pages(
    path: string,
    values: Values = {},
  ): AsyncGenerator<readonly Readonly<Record<string, unknown>>[]> {
    let cursor: string | undefined;
    do {
      const page = (await this.query('GET', path, { ...values, limit: 100, cursor })) as {
        readonly items: readonly Readonly<Record<string, unknown>>[];
        readonly cursor?: string;
      };
      yield page.items;
      ({ cursor } = page);
    } while (cursor !== undefined);
  }
}

async function tokenFor(options: CommonOptions, scope: string): Promise<string | undefined> {
  if (options.sites.length > 0) return process.env['TANDEM_TOKEN'];
  const issuer = localSites(options.stack)?.issuer;
  if (issuer === undefined) return undefined;
  return await queryToken(issuer.url, scope).catch((error: unknown) => {
    throw new TargetError(`${issuer.url}: ${explain(error)}`, { cause: error });
  });
}
