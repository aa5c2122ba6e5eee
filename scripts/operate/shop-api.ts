/** The routes of the shop at one site, for commands that take a scope of their own. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { explain } from '@tandem-clouds/operator/get-json';
import { localSites, type Target, TargetError } from '@tandem-clouds/operator/targets';
import type { CommonOptions } from './options.ts';

/** A function has ten seconds, and may call the payment provider. */
const RESPONSE_WITHIN_MS = 30_000;
/** A list that a release has added is filled at every site a minute later; where there is little, sooner. */
const FILLED_WITHIN_MS = 180_000;

type Values = Readonly<Record<string, string | number | undefined>>;

interface Problem {
  readonly detail?: string;
  readonly code?: string;
}

export class ShopApi {
  readonly #target: Target;
  readonly #scope: string;
  readonly #token: string | undefined;
  readonly #context: Pick<CommandContext, 'err' | 'signal'>;
  #isWaiting = false;

  private constructor(
    target: Target,
    {
      scope,
      token,
      context,
    }: { scope: string; token: string | undefined; context: Pick<CommandContext, 'err' | 'signal'> },
  ) {
    this.#target = target;
    this.#scope = scope;
    this.#token = token;
    this.#context = context;
  }

  /** With a token of the stack's own issuer; deployed sites are given what TANDEM_TOKEN says. @throws TargetError */
  static async open(
    target: Target,
    { options, scope, context }: { options: CommonOptions; scope: string; context: CommandContext },
  ): Promise<ShopApi> {
    return new ShopApi(target, { scope, token: await tokenFor(options, scope), context });
  }

  /** What it is called in messages. */
  get name(): string {
    return this.#target.site ?? this.#target.url;
  }

  /** Waits for a list that is still being filled. @throws TargetError that names the site */
  async query(method: 'GET' | 'POST', path: string, values: Values = {}): Promise<unknown> {
    const untilMs = Date.now() + FILLED_WITHIN_MS;
    for (;;) {
      const response = await this.#ask(method, path, values);
      const value = (await response.json().catch(() => ({}))) as Problem;
      if (response.ok) return value;
      if (value.code !== 'index_incomplete' || Date.now() > untilMs) throw this.#failure(response, value);
      if (!this.#isWaiting) this.#context.err(`${this.name}: ${value.detail ?? ''} Waiting for it.\n`);
      this.#isWaiting = true;
      const pauseMs = Number(response.headers.get('retry-after') ?? 1) * 1_000;
      await sleep(pauseMs, undefined, { signal: this.#context.signal });
    }
  }

  async #ask(method: 'GET' | 'POST', path: string, values: Values): Promise<Response> {
    const url = new URL(path, this.#target.url);
    const given = Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as const],
    );
    if (method === 'GET')
      url.search = new URLSearchParams(
        Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
      ).toString();
    try {
      return await fetch(url, {
        method,
        headers: {
          ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
          ...(method === 'POST' && { 'content-type': 'application/json' }),
        },
        signal: AbortSignal.any([this.#context.signal, AbortSignal.timeout(RESPONSE_WITHIN_MS)]),
        ...(method === 'POST' && { body: JSON.stringify(Object.fromEntries(given)) }),
      });
    } catch (cause) {
      throw new TargetError(`${this.name} does not answer: ${explain(cause)}`, { cause });
    }
  }

  #failure({ status }: Response, { detail }: Problem): TargetError {
    const hint =
      status === 401 || status === 403
        ? `; TANDEM_TOKEN is to be a token, or the key of a service, with the scope ${this.#scope}`
        : status === 503
          ? '; try again, or name another site with --at'
          : '';
    return new TargetError(`${this.name}: ${detail ?? `HTTP ${status}`}${hint}`);
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
