/**
 * A local Front Door (Standard and Premium): one endpoint in front of an origin, and the purge of Resource Manager.
 *
 * Its cache knows neither tags nor `Vary`, `stale-if-error` nor `stale-while-revalidate`, and keeps what says nothing of caches for
 * days: so a rule of the endpoint, as ours is, says which paths are kept and which requests pass by. Not there: chunks,
 * compression, several origins, every other resource.
 *
 * @see https://learn.microsoft.com/azure/frontdoor/front-door-caching
 * @see https://learn.microsoft.com/azure/frontdoor/standard-premium/how-to-cache-purge
 * @see https://learn.microsoft.com/rest/api/frontdoor/azurefrontdoorstandardpremium/afd-endpoints/purge-content
 */
import { randomUUID } from 'node:crypto';
import {
  type HttpEmulator,
  type IncomingRequest,
  type Response,
  startHttpEmulator,
} from '../core/http-emulator.ts';
import { type CachingProxy, directivesOf, secondsOf, startCachingProxy } from './caching-proxy.ts';

export const PATHS_MAX = 100;
/** One to three days: the longest. */
const UNSAID_SECONDS = 3 * 86_400;
const VERSIONS = /^20\d\d-\d\d-\d\d(-preview)?$/;

export interface FrontDoorOptions {
  readonly origin: string | (() => string);
  /** `/subscriptions/…/providers/Microsoft.Cdn/profiles/…/afdEndpoints/…`. */
  readonly endpointId: string;
  /** Whether a token of Entra may purge. */
  readonly isToken: (token: string) => boolean;
  /** Beginnings of the paths that the rule keeps. */
  readonly pathsKept: readonly string[];
  /** Headers with which a request passes by the cache. */
  readonly headersPassing: readonly string[];
  /** How long a purge takes to be carried out. Default 0: with its answer. */
  readonly carryOutMs?: number;
  readonly now?: () => number;
  /** Is given what was purged, when it was. */
  readonly onPurge?: (paths: readonly string[]) => void;
}

export interface FrontDoor {
  readonly proxy: CachingProxy;
  /** Resource Manager. */
  readonly api: HttpEmulator;
  readonly purged: readonly string[];
  close(): Promise<void>;
}

export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { origin, endpointId, isToken, pathsKept, headersPassing, carryOutMs = 0, now = Date.now } = options;
  const purged: string[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const proxy = await startCachingProxy({
    origin,
    now,
    behaviour: {
      keyOf: ({ target, headers }) => {
        const [path = ''] = target.split('?');
        const isKept = pathsKept.some((begin) => path.toLowerCase().startsWith(begin.toLowerCase()));
        const passes = headersPassing.some((name) => headers[name.toLowerCase()] !== undefined);
        return isKept && !passes ? target : undefined;
      },
      lifetimeOf: ({ headers: asked }, { status, headers }) => {
        const directives = directivesOf(headers['cache-control']);
        const isBarred = ['no-store', 'no-cache', 'private'].some((name) => directives.has(name));
        const isOpen = ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name));
        if (![200, 203, 206, 300, 301, 410, 416].includes(status) || isBarred) return undefined;
        if (asked['authorization'] !== undefined && !isOpen) return undefined;
        const freshSeconds =
          secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age') ?? UNSAID_SECONDS;
        return freshSeconds === 0 ? undefined : { freshSeconds, staleIfErrorSeconds: 0 };
      },
      says: (did) => ({
        'x-cache': { hit: 'TCP_HIT', miss: 'TCP_MISS', stale: 'TCP_MISS', bypass: 'CONFIG_NOCACHE' }[did],
      }),
    },
  });

  const carryOut = (paths: readonly string[]): void => {
    proxy.purge(({ target }) => paths.some((path) => isMeant(path, target)));
    purged.push(...paths);
    options.onPurge?.(paths);
  };

  const route = (requested: IncomingRequest): Response => {
    const [, token = ''] = /^Bearer (.+)$/.exec(requested.headers.authorization ?? '') ?? [];
    if (!isToken(token)) return armError(401, 'InvalidAuthenticationToken', 'The access token is invalid.');
    if (!VERSIONS.test(requested.query.get('api-version') ?? ''))
      return armError(400, 'MissingApiVersionParameter', 'The api-version query parameter is required.');
    if (requested.method !== 'POST' || requested.path.toLowerCase() !== `${endpointId}/purge`.toLowerCase())
      return armError(404, 'ResourceNotFound', `The Resource '${requested.path}' was not found.`);
    const paths = pathsIn(requested.body);
    if (paths === undefined)
      return armError(400, 'BadRequest', 'contentPaths is a list of paths that begin with a slash.');
    if (paths.length > PATHS_MAX)
      return armError(400, 'BadRequest', `A purge takes at most ${PATHS_MAX} paths.`);
    if (carryOutMs === 0) carryOut(paths);
    else {
      const timer = setTimeout(() => {
        timers.delete(timer);
        carryOut(paths);
      }, carryOutMs);
      timers.add(timer);
    }
    const operation = `https://management.azure.com${endpointId}/operationresults/${randomUUID()}`;
    return { status: 202, body: '', headers: { location: operation, 'azure-asyncoperation': operation } };
  };

  const api = await startHttpEmulator(route);
  return {
    proxy,
    api,
    purged,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([proxy.close(), api.close()]);
    },
  };
}

/** Without case, and whatever the query string is; `*` at the end stands for whatever follows. */
function isMeant(path: string, target: string): boolean {
  const [asked = ''] = target.toLowerCase().split('?');
  const meant = path.toLowerCase();
  return meant.endsWith('/*') ? asked.startsWith(meant.slice(0, -1)) : asked === meant;
}

function pathsIn(body: string): readonly string[] | undefined {
  try {
    const { contentPaths } = JSON.parse(body) as { contentPaths?: unknown };
    const isList =
      Array.isArray(contentPaths) &&
      contentPaths.length > 0 &&
      contentPaths.every((path) => typeof path === 'string' && path.startsWith('/'));
    return isList ? (contentPaths as string[]) : undefined;
  } catch {
    return undefined;
  }
}

function armError(status: number, code: string, message: string): Response {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: { code, message } }),
  };
}
