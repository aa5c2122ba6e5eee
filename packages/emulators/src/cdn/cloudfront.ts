/**
 * A local CloudFront: one distribution in front of an origin, and the part of its API that invalidates. The real
 * `@aws-sdk/client-cloudfront` talks to it.
 *
 * The cache goes by a cache policy as ours is (query strings and chosen headers are part of the key; the least time is 0, and what
 * says nothing is not kept), and by the tags of the header that `CacheTagConfig` names. Not there: every other action of the API,
 * functions, several origins, compression.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html
 * @see https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
 */
import { randomUUID } from 'node:crypto';
import {
  type HttpEmulator,
  type IncomingRequest,
  type Response,
  startHttpEmulator,
} from '../core/http-emulator.ts';
import { ALGORITHM } from '../core/sigv4.ts';
import { type Element, parseXml, toXml } from '../core/xml.ts';
import {
  type CacheBehaviour,
  type CachingProxy,
  directivesOf,
  type Entry,
  secondsOf,
  startCachingProxy,
} from './caching-proxy.ts';

const NAMESPACE = 'http://cloudfront.amazonaws.com/doc/2020-05-31/';
const ROUTE = /^\/2020-05-31\/distribution\/([^/]+)\/invalidation$/;
/** Of an object: more of them are not stored. */
const TAGS_MAX = 50;
const TAG = /^[\x21-\x2b\x2d-\x7e]{1,256}$/;
/** In progress at one time. */
export const ITEMS_MAX = 3_000;
export const WILDCARDS_MAX = 15;

export interface CloudFrontOptions {
  readonly origin: string | (() => string);
  readonly distribution: string;
  /** Headers that are part of the key. */
  readonly keyHeaders: readonly string[];
  /** Of `CacheTagConfig`; absent: objects have no tags. */
  readonly tagHeader?: string;
  /** How long an invalidation is in progress. Default 0: it is done with the answer. */
  readonly progressMs?: number;
  readonly now?: () => number;
  /** Is given what was invalidated, when it was. */
  readonly onPurge?: (items: readonly string[]) => void;
}

export interface CloudFront {
  readonly proxy: CachingProxy;
  /** The API. */
  readonly api: HttpEmulator;
  /** Items that were invalidated, in their order. */
  readonly invalidated: readonly string[];
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function startCloudFront(options: CloudFrontOptions): Promise<CloudFront> {
  const { origin, distribution, progressMs = 0, now = Date.now, tagHeader } = options;
  const proxy = await startCachingProxy({ origin, behaviour: behaviourOf(options), now });
  const invalidated: string[] = [];
  const known = new Map<string, { readonly items: string; readonly reply: Response }>();
  let inProgress: { readonly items: readonly string[]; readonly untilMs: number }[] = [];

  const create = (requested: IncomingRequest): Response => {
    const [, id = ''] = ROUTE.exec(requested.path) ?? [];
    if (requested.method !== 'POST' || id === '')
      throw new Refusal(404, 'NoSuchResource', `no route for ${requested.method} ${requested.path}`);
    authorize(requested.headers.authorization ?? '');
    if (id !== distribution)
      throw new Refusal(404, 'NoSuchDistribution', 'The specified distribution does not exist.');
    const { reference, items } = batchIn(requested.body);
    const before = known.get(reference);
    if (before !== undefined) {
      if (before.items === items.join('\n')) return before.reply;
      throw new Refusal(
        400,
        'InvalidationBatchAlreadyExists',
        'The caller reference you supplied is in use with another batch.',
      );
    }
    inProgress = inProgress.filter(({ untilMs }) => untilMs > now());
    const under = [...inProgress.flatMap((one) => one.items), ...items];
    const wildcards = under.filter(isWildcard);
    if (wildcards.length > WILDCARDS_MAX || under.length - wildcards.length > ITEMS_MAX)
      throw new Refusal(
        400,
        'TooManyInvalidationsInProgress',
        'Your request contains too many invalidations in progress.',
      );
    if (progressMs > 0) inProgress.push({ items, untilMs: now() + progressMs });
    proxy.purge((entry) => items.some((item) => isMeant(item, entry, tagHeader)));
    invalidated.push(...items);
    options.onPurge?.(items);
    const reply = created(distribution, { reference, items, isDone: progressMs === 0, atMs: now() });
    known.set(reference, { items: items.join('\n'), reply });
    return reply;
  };

  const api = await startHttpEmulator((requested) => {
    try {
      return create(requested);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const said = { Type: 'Sender', Code: error.code, Message: error.message };
      return xml(error.status, 'ErrorResponse', toXml('Error', said) + toXml('RequestId', randomUUID()));
    }
  });
  return {
    proxy,
    api,
    invalidated,
    async close() {
      await Promise.all([proxy.close(), api.close()]);
    },
  };
}

function behaviourOf({ keyHeaders }: CloudFrontOptions): CacheBehaviour {
  return {
    keyOf: ({ target, headers }) =>
      JSON.stringify([target, ...keyHeaders.map((name) => headers[name.toLowerCase()] ?? null)]),
    lifetimeOf: (_, { status, headers }) => {
      const directives = directivesOf(headers['cache-control']);
      const isBarred = ['no-store', 'no-cache', 'private'].some((name) => directives.has(name));
      const freshSeconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age') ?? 0;
      if (status !== 200 || isBarred || freshSeconds === 0) return undefined;
      const staleIfErrorSeconds = secondsOf(directives, 'stale-if-error') ?? 0;
      return { freshSeconds: Math.min(freshSeconds, 86_400), staleIfErrorSeconds };
    },
    says: (did) => ({
      'x-cache': {
        hit: 'Hit from cloudfront',
        miss: 'Miss from cloudfront',
        bypass: 'Miss from cloudfront',
        stale: 'Error from cloudfront',
      }[did],
    }),
  };
}

const isWildcard = (item: string): boolean => !item.startsWith('#') && item.includes('*');

/** The tags of an object, as they are compared: without case, and so many. */
function tagsOf({ answered }: Entry, tagHeader: string | undefined): readonly string[] {
  if (tagHeader === undefined) return [];
  const tags = (answered.headers[tagHeader.toLowerCase()] ?? '').split(',').map((tag) => tag.trim());
  return tags.slice(0, TAGS_MAX).map((tag) => tag.toLowerCase());
}

/** A path stands for itself to the letter, query string included; `*` at its end for whatever follows. */
function isMeant(item: string, entry: Entry, tagHeader: string | undefined): boolean {
  if (item.startsWith('#')) return tagsOf(entry, tagHeader).includes(item.slice(1).toLowerCase());
  return item.endsWith('*') ? entry.target.startsWith(item.slice(0, -1)) : entry.target === item;
}

/** The signature itself is not computed: other emulators of this package do that for their services. */
function authorize(header: string): void {
  if (!header.startsWith(ALGORITHM))
    throw new Refusal(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
  if (!/Credential=[^/]+\/\d{8}\/us-east-1\/cloudfront\/aws4_request/.test(header))
    throw new Refusal(403, 'SignatureDoesNotMatch', 'Credential should be scoped to a valid region.');
}

function batchIn(body: string): { readonly reference: string; readonly items: readonly string[] } {
  const { root, namespace } = parseXml(body);
  if (root.name !== 'InvalidationBatch' || namespace !== NAMESPACE)
    throw new Refusal(400, 'MalformedXML', 'The XML you provided was not well formed.');
  const reference = child(root, 'CallerReference')?.text ?? '';
  const paths = child(root, 'Paths');
  const items = (paths && child(paths, 'Items')?.children.map(({ text }) => text)) ?? [];
  if (reference === '') throw new Refusal(400, 'MissingBody', 'CallerReference is missing');
  if (Number(paths && child(paths, 'Quantity')?.text) !== items.length)
    throw new Refusal(
      400,
      'InconsistentQuantities',
      'The value of Quantity and the size of Items do not match.',
    );
  if (items.length > ITEMS_MAX)
    throw new Refusal(413, 'BatchTooLarge', 'Invalidation batch specified is too large.');
  for (const item of items) {
    const isTag = item.startsWith('#');
    if (items.length === 0 || (isTag ? !TAG.test(item.slice(1)) : !item.startsWith('/')))
      throw new Refusal(
        400,
        'InvalidArgument',
        'Your request contains one or more invalid invalidation paths.',
      );
  }
  if (items.length === 0)
    throw new Refusal(400, 'InvalidArgument', 'Your request contains an empty invalidation path.');
  return { reference, items };
}

const child = ({ children }: Element, name: string): Element | undefined =>
  children.find((one) => one.name === name);

function created(
  distribution: string,
  {
    reference,
    items,
    isDone,
    atMs,
  }: { reference: string; items: readonly string[]; isDone: boolean; atMs: number },
): Response {
  const id = `I${randomUUID().replaceAll('-', '').slice(0, 24).toUpperCase()}`;
  const parts =
    toXml('Id', id) +
    toXml('Status', isDone ? 'Completed' : 'InProgress') +
    toXml('CreateTime', new Date(atMs).toISOString()) +
    toXml('InvalidationBatch', {
      Paths: { Quantity: items.length, Items: { Path: items } },
      CallerReference: reference,
    });
  const location = `https://cloudfront.amazonaws.com/2020-05-31/distribution/${distribution}/invalidation/${id}`;
  return xml(201, 'Invalidation', parts, { location });
}

function xml(
  status: number,
  name: string,
  parts: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return {
    status,
    headers: { 'content-type': 'text/xml', ...headers },
    body: `<?xml version="1.0"?>\n<${name} xmlns="${NAMESPACE}">${parts}</${name}>`,
  };
}
