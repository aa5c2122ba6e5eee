/**
 * List Blobs: by name, and with a delimiter by what stands before it.
 *
 * Invariant: pages that follow each other by their markers show every blob that was there all the time exactly once, in the
 * order of names, and of each name the older versions first.
 * @see https://learn.microsoft.com/rest/api/storageservices/list-blobs
 */
import { type Call, httpDate } from './call.ts';
import { badQuery, BlobError } from './errors.ts';
import { LIST_MAX } from './limits.ts';
import type { Blob, BlobVersion, Container } from './model.ts';
import { isLeased } from './protection.ts';
import type { Store } from './store.ts';
import { tagsElement } from './tags.ts';
import type { Reply, Work } from './work.ts';
import { DECLARATION, element, nameElement } from './xml.ts';

const INCLUDES = new Set([
  'copy',
  'deleted',
  'deletedwithversions',
  'immutabilitypolicy',
  'legalhold',
  'metadata',
  'permissions',
  'snapshots',
  'tags',
  'uncommittedblobs',
  'versions',
]);

const DAY_MS = 86_400_000;

/** Where a page begins: a name, and of its states the first that is wanted. */
interface Position {
  readonly name: string;
  readonly id?: string | undefined;
}

interface Request {
  readonly prefix: string;
  readonly delimiter: string;
  readonly begin: Position;
  readonly max: number;
  readonly include: ReadonlySet<string>;
}

interface Item extends Position {
  readonly xml: string;
}

export function listBlobs({ call, store }: Work): Reply {
  const container = store.container(call.container);
  const wanted = requestIn(call);
  const items: Item[] = [];
  let next: Position | undefined;
  for (const item of itemsOf(container, wanted, store)) {
    if (items.length === wanted.max) {
      next = item;
      break;
    }
    items.push(item);
  }
  const { query } = call;
  const body = element(
    'EnumerationResults',
    { ServiceEndpoint: `${call.base}/`, ContainerName: call.container },
    [
      element('Prefix', query.get('prefix') ?? undefined),
      element('Marker', query.get('marker') ?? undefined),
      element('MaxResults', query.has('maxresults') ? wanted.max : undefined),
      element('Delimiter', query.get('delimiter') ?? undefined),
      element(
        'Blobs',
        {},
        items.map(({ xml }) => xml),
      ),
      element('NextMarker', next === undefined ? '' : markerOf(next)),
    ],
  );
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: DECLARATION + body };
}

/** @throws BlobError */
function requestIn({ query }: Call): Request {
  const prefix = query.get('prefix') ?? '';
  const include = (query.get('include') ?? '').split(',').filter((part) => part !== '');
  const unknown = include.find((part) => !INCLUDES.has(part));
  if (unknown !== undefined) throw badQuery('include', unknown, 'Invalid query parameter value.');
  return {
    prefix,
    delimiter: query.get('delimiter') ?? '',
    begin: positionIn(query.get('marker') ?? '') ?? { name: prefix },
    max: pageSize(query),
    include: new Set(include),
  };
}

/** @throws BlobError */
export function pageSize(query: URLSearchParams): number {
  const text = query.get('maxresults') ?? String(LIST_MAX);
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1) {
    throw new BlobError('OutOfRangeQueryParameterValue', {
      QueryParameterName: 'maxresults',
      QueryParameterValue: text,
      MinimumAllowed: '1',
      MaximumAllowed: '2147483647',
    });
  }
  return Math.min(size, LIST_MAX);
}

const markerOf = ({ name, id }: Position): string =>
  Buffer.from(JSON.stringify({ name, ...(id !== undefined && { id }) })).toString('base64url');

/** @throws BlobError for what no page has ended with. */
function positionIn(marker: string): Position | undefined {
  if (marker === '') return undefined;
  try {
    const { name, id } = JSON.parse(Buffer.from(marker, 'base64url').toString()) as Partial<Position>;
    if (typeof name === 'string') return { name, id };
  } catch {
    // The same as a text that says something else.
  }
  throw badQuery('marker', marker, 'Not a marker of this list.');
}

function* itemsOf(container: Container, wanted: Request, store: Store): Generator<Item, void, undefined> {
  const { prefix, delimiter, begin, include } = wanted;
  let group = '';
  for (const name of container.names.from(begin.name > prefix ? begin.name : prefix)) {
    if (!name.startsWith(prefix)) return;
    if (group !== '' && name.startsWith(group)) continue;
    const blob = container.blobs.get(name);
    if (blob === undefined) continue;
    const states = statesOf(blob, include, store);
    const at = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    if (at >= 0) {
      if (states.length === 0) continue;
      group = name.slice(0, at + delimiter.length);
      yield { name, xml: element('BlobPrefix', {}, [nameElement(group)]) };
      continue;
    }
    for (const state of states) {
      const id = state?.id ?? '';
      if (name === begin.name && begin.id !== undefined && id < begin.id) continue;
      yield { name, id, xml: itemElement(blob, state, { include, store }) };
    }
  }
}

/** Of a blob that has only blocks so far: undefined. */
function statesOf(
  { current, previous, staged }: Blob,
  include: ReadonlySet<string>,
  store: Store,
): (BlobVersion | undefined)[] {
  const states: (BlobVersion | undefined)[] = previous.filter((version) => {
    if (version.deletedMs === undefined) return include.has('versions');
    const isOver = (store.recoverableUntil(version) ?? 0) <= store.now();
    return include.has('deleted') && !isOver && (include.has('versions') || !store.versioning);
  });
  if (current !== undefined) states.push(current);
  else if (staged.size > 0 && include.has('uncommittedblobs')) states.push(undefined);
  else if (states.length === 0 && previous.length > 0 && include.has('deletedwithversions'))
    states.push(previous.at(-1));
  return states;
}

function itemElement(
  blob: Blob,
  version: BlobVersion | undefined,
  { include, store }: { readonly include: ReadonlySet<string>; readonly store: Store },
): string {
  const { name, current } = blob;
  if (version === undefined) {
    const properties = [element('Content-Length', 0), element('BlobType', 'BlockBlob')];
    return element('Blob', {}, [nameElement(name), element('Properties', {}, properties)]);
  }
  const isCurrent = current?.id === version.id;
  const isShownWithId = include.has('versions') || include.has('deletedwithversions');
  const hasOnlyVersions = !isCurrent && !include.has('versions') && include.has('deletedwithversions');
  const metadata = Object.entries(version.metadata).map(([key, value]) => element(key, value));
  return element('Blob', {}, [
    nameElement(name),
    element('Deleted', version.deletedMs === undefined ? undefined : true),
    element('VersionId', isShownWithId && (store.versioning || !isCurrent) ? version.id : undefined),
    element('IsCurrentVersion', isShownWithId && isCurrent && store.versioning ? true : undefined),
    element('Properties', {}, properties(blob, version, { include, store })),
    include.has('metadata') ? element('Metadata', {}, metadata) : '',
    include.has('tags') && Object.keys(version.tags).length > 0 ? tagsElement(version.tags) : '',
    element('HasVersionsOnly', hasOnlyVersions ? true : undefined),
    '<OrMetadata />',
  ]);
}

function properties(
  { lease, current }: Blob,
  version: BlobVersion,
  { include, store }: { readonly include: ReadonlySet<string>; readonly store: Store },
): string[] {
  const { headers, copied, immutability, deletedMs, tierChangedMs } = version;
  const until = store.recoverableUntil(version);
  const isLocked = current?.id === version.id && isLeased(lease, store.now());
  const tagCount = Object.keys(version.tags).length;
  return [
    element('Creation-Time', httpDate(version.createdMs)),
    element('Last-Modified', httpDate(version.modifiedMs)),
    element('Etag', version.etag.replaceAll('"', '')),
    element('Content-Length', version.bytes),
    element('Content-Type', headers.contentType),
    element('Content-Encoding', headers.contentEncoding ?? ''),
    element('Content-Language', headers.contentLanguage ?? ''),
    element('Content-CRC64', ''),
    element('Content-MD5', headers.contentMd5 ?? ''),
    element('Cache-Control', headers.cacheControl ?? ''),
    element('Content-Disposition', headers.contentDisposition ?? ''),
    element('BlobType', 'BlockBlob'),
    element('AccessTier', version.tier ?? 'Hot'),
    element('AccessTierInferred', version.tier === undefined ? true : undefined),
    element('AccessTierChangeTime', tierChangedMs && httpDate(tierChangedMs)),
    element('LeaseStatus', isLocked ? 'locked' : 'unlocked'),
    element('LeaseState', isLocked ? 'leased' : 'available'),
    element('ServerEncrypted', true),
    element('TagCount', tagCount > 0 ? tagCount : undefined),
    element('DeletedTime', deletedMs && httpDate(deletedMs)),
    element('RemainingRetentionDays', until && Math.floor((until - store.now()) / DAY_MS)),
    ...(include.has('copy') && copied !== undefined
      ? [
          element('CopyId', copied.id),
          element('CopySource', copied.source),
          element('CopyStatus', 'success'),
          element('CopyProgress', `${copied.bytes}/${copied.bytes}`),
          element('CopyCompletionTime', httpDate(copied.completedMs)),
        ]
      : []),
    ...(include.has('immutabilitypolicy') && immutability !== undefined
      ? [
          element('ImmutabilityPolicyUntilDate', httpDate(immutability.untilMs)),
          element('ImmutabilityPolicyMode', immutability.mode.toLowerCase()),
        ]
      : []),
    element('LegalHold', include.has('legalhold') && version.legalHold ? true : undefined),
  ];
}
