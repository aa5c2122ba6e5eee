/** What a client is made with, checked as a whole: whoever makes a mistake hears of all of them at once. */
import { attemptMsDefault, sitesMax, totalMsDefault } from './bounds.ts';
import type { Clock } from './clock.ts';
import { ClientOptionsError } from './errors.ts';
import type { OperationFacts } from './operation-facts.ts';
import type { Session } from './session.ts';

/** A site: one cloud in one region. */
export interface SiteOption {
  readonly url: string;
  /** What errors and results call it; without it the URL's host. */
  readonly name?: string;
}

export interface ClientOptions {
  /** The sites, the nearest first; each is asked only when those before it fail. */
  readonly sites?: readonly (string | SiteOption)[];
  /**
   * One address in front of all sites (an edge, a name that DNS moves). It is asked first, but not for what must go to
   * the same site again when it fails: nobody knows which site that would be.
   */
  readonly edge?: string;
  /** Sent with every request, for example `authorization`; a function is asked before each attempt. */
  readonly headers?: Readonly<Record<string, string>> | (() => HeadersOf | Promise<HeadersOf>);
  /** Of one attempt, milliseconds. */
  readonly attemptMs?: number;
  /** Of one call with all its attempts, milliseconds. */
  readonly totalMs?: number;
  /** What a read does when no site within reach has what this session has seen. Default `fail`. */
  readonly whenBehind?: WhenBehind;
  /** What was seen so far; shared by clients that belong to one user. */
  readonly session?: Session;
  /** Of another contract than this project's: what `npm run generate` wrote beside its types. */
  readonly operations?: readonly OperationFacts[];
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** For tests. */
  readonly clock?: Clock;
}

export type HeadersOf = Readonly<Record<string, string>>;

/**
 * `fail`: the guarantee holds, and the read is an error. `stale`: the read is answered with what there is, and its
 * result says `stale`.
 */
export type WhenBehind = 'fail' | 'stale';

export interface Endpoint {
  readonly name: string;
  /** Without a slash at the end. */
  readonly url: string;
  readonly isEdge: boolean;
}

export interface CheckedOptions {
  /** The edge first, then the sites. */
  readonly endpoints: readonly Endpoint[];
  readonly attemptMs: number;
  readonly totalMs: number;
  readonly whenBehind: WhenBehind;
}

const KNOWN: Readonly<Record<keyof ClientOptions, true>> = {
  sites: true,
  edge: true,
  headers: true,
  attemptMs: true,
  totalMs: true,
  whenBehind: true,
  session: true,
  operations: true,
  fetch: true,
  clock: true,
};

/** @throws ClientOptionsError that names every mistake. */
export function checkOptions(options: ClientOptions): CheckedOptions {
  const mistakes: string[] = [];
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(KNOWN, name)) mistakes.push(`${name} is no option`);
  }
  const endpoints = [
    ...(options.edge === undefined
      ? []
      : [endpointOf('edge', { url: options.edge, name: 'edge' }, mistakes)]),
    ...(options.sites ?? []).map((site, index) =>
      endpointOf(`sites[${index}]`, typeof site === 'string' ? { url: site } : site, mistakes),
    ),
  ].map((endpoint, index) => ({ ...endpoint, isEdge: options.edge !== undefined && index === 0 }));
  if (endpoints.length === 0) mistakes.push('sites or edge must name one URL at least');
  if (endpoints.length > sitesMax) mistakes.push(`sites must be at most ${sitesMax}`);
  const names = endpoints.map(({ name }) => name);
  if (new Set(names).size < names.length) mistakes.push(`sites must differ: ${names.join(', ')}`);
  const { attemptMs = attemptMsDefault, totalMs = totalMsDefault, whenBehind = 'fail' } = options;
  for (const [name, ms] of Object.entries({ attemptMs, totalMs })) {
    if (!Number.isFinite(ms) || ms <= 0) mistakes.push(`${name} must be a number of milliseconds above 0`);
  }
  if (!['fail', 'stale'].includes(whenBehind)) mistakes.push('whenBehind must be fail or stale');
  if (mistakes.length > 0) throw new ClientOptionsError(mistakes.join('\n'));
  return { endpoints, attemptMs, totalMs, whenBehind };
}

function endpointOf(
  where: string,
  { url, name }: SiteOption,
  mistakes: string[],
): Pick<Endpoint, 'name' | 'url'> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    mistakes.push(`${where} must be an http or https URL, not ${JSON.stringify(url)}`);
    return { name: name ?? url, url };
  }
  if (parsed.search !== '' || parsed.hash !== '')
    mistakes.push(`${where} must have no query and no fragment`);
  return { name: name ?? parsed.host, url: url.replace(/\/+$/, '') };
}
