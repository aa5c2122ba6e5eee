/**
 * Put Blob, Put Block, Put Block List, Get Block List.
 * @see https://learn.microsoft.com/rest/api/storageservices/put-blob
 * @see https://learn.microsoft.com/rest/api/storageservices/put-block
 * @see https://learn.microsoft.com/rest/api/storageservices/put-block-list
 */
import { type Element, parseXml } from '../core/xml.ts';
import { type Call, header, httpDate, neededHeader } from './call.ts';
import { checkConditions } from './conditions.ts';
import { badHeader, badQuery, BlobError } from './errors.ts';
import {
  BLOCK_BYTES_MAX,
  BLOCK_ID_BYTES_MAX,
  BLOCKS_MAX,
  PUT_BYTES_MAX,
  STAGED_BLOCKS_MAX,
  XML_BYTES_MAX,
} from './limits.ts';
import { metadataIn } from './metadata.ts';
import type { BlobVersion, Block } from './model.ts';
import { checkLease } from './protection.ts';
import { headersIn, publish } from './publish.ts';
import { receive, type Received } from './receive.ts';
import type { Reply, Work } from './work.ts';
import { DECLARATION, element } from './xml.ts';

export async function putBlob(work: Work): Promise<Reply> {
  const { call, store } = work;
  const type = neededHeader(call, 'x-ms-blob-type');
  if (type !== 'BlockBlob') throw badHeader('x-ms-blob-type', type);
  store.container(call.container);
  const metadata = metadataIn(call);
  const received = await receive(call, store.files, PUT_BYTES_MAX);
  try {
    const { content, bytes, md5 } = received;
    const headers = headersIn(call, header(call, 'x-ms-blob-content-md5') ?? md5, true);
    const version = publish(work, { content, bytes, headers, metadata, api: 'PutBlob' });
    return { status: 201, headers: { ...writtenHeaders(work, version), ...checksums(call, received, true) } };
  } finally {
    store.files.release(received.content);
  }
}

/** What answers every write of a state. */
export function writtenHeaders({ store }: Work, version: BlobVersion): Record<string, string | undefined> {
  return {
    etag: version.etag,
    'last-modified': httpDate(version.modifiedMs),
    'x-ms-request-server-encrypted': 'true',
    'x-ms-version-id': store.versioning ? version.id : undefined,
  };
}

/** @param isWhole Of a blob that was put as a whole also the MD5 is given that nobody asked for. */
function checksums(
  call: Call,
  { md5, crc64 }: Received,
  isWhole: boolean,
): Record<string, string | undefined> {
  const isAsked = header(call, 'content-md5') !== undefined;
  return {
    'content-md5': isWhole || isAsked ? md5 : undefined,
    'x-ms-content-crc64': isWhole || !isAsked ? crc64 : undefined,
    'x-ms-structured-body': header(call, 'x-ms-structured-body'),
  };
}

export async function putBlock(work: Work): Promise<Reply> {
  const { call, store } = work;
  store.container(call.container);
  const id = blockIdIn(call);
  const received = await receive(call, store.files, BLOCK_BYTES_MAX);
  try {
    stage(work, id, received);
    const headers = { ...checksums(call, received, false), 'x-ms-request-server-encrypted': 'true' };
    return { status: 201, headers };
  } finally {
    store.files.release(received.content);
  }
}

/** @throws BlobError */
export function blockIdIn({ query }: Call): string {
  const id = query.get('blockid');
  if (id === null) throw new BlobError('MissingRequiredQueryParameter', { QueryParameterName: 'blockid' });
  const bytes = Buffer.from(id, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== id)
    throw badQuery('blockid', id, 'Not a valid base64 string.');
  if (bytes.length > BLOCK_ID_BYTES_MAX) throw badQuery('blockid', id, 'Block ID is too long.');
  return id;
}

/** @throws BlobError */
export function stage(
  { call, store }: Work,
  id: string,
  { content, bytes }: Pick<Received, 'content' | 'bytes'>,
): void {
  const { container, blob: name } = call;
  const blob = store.blob(container, name);
  checkLease(call, blob, store.now());
  const other = blob?.staged.keys().next().value;
  if (other !== undefined && other.length !== id.length) throw new BlobError('InvalidBlobOrBlock');
  if (bytes === 0) throw badHeader('content-length', '0');
  if ((blob?.staged.size ?? 0) >= STAGED_BLOCKS_MAX && blob?.staged.has(id) !== true)
    throw new BlobError('BlockCountExceedsLimit');
  const block = { id, content, bytes, stagedMs: store.now() };
  store.commit([{ container, blob: name, do: 'stage', block }]);
}

export async function putBlockList(work: Work): Promise<Reply> {
  const { call, store } = work;
  store.container(call.container);
  const metadata = metadataIn(call);
  const received = await receive(call, store.files, XML_BYTES_MAX);
  try {
    const wanted = blockIdsIn(await textOf(work, received));
    const blob = store.blob(call.container, call.blob);
    checkLease(call, blob, store.now());
    const committed = new Map(blob?.current?.blocks.map((block) => [block.id, block]));
    const blocks = wanted.map((one) => blockFor(one, committed, blob?.staged));
    const headers = headersIn(call, header(call, 'x-ms-blob-content-md5'));
    const content = blocks.flatMap((block) => block.content);
    const bytes = blocks.reduce((sum, block) => sum + block.bytes, 0);
    const version = publish(work, { content, bytes, blocks, headers, metadata, api: 'PutBlockList' });
    return {
      status: 201,
      headers: { ...writtenHeaders(work, version), ...checksums(call, received, false) },
    };
  } finally {
    store.files.release(received.content);
  }
}

async function textOf({ store }: Work, { content }: Received): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of store.files.read(content)) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

type Wanted = Pick<Element, 'name' | 'text'>;

/** @throws BlobError */
function blockIdsIn(xml: string): readonly Wanted[] {
  let root: Element;
  try {
    ({ root } = parseXml(xml.replace(/^\uFEFF/, '').trim()));
  } catch {
    throw new BlobError('InvalidXmlDocument');
  }
  const known = ['Committed', 'Uncommitted', 'Latest'];
  if (root.name !== 'BlockList' || root.children.some(({ name }) => !known.includes(name)))
    throw new BlobError('InvalidXmlDocument');
  if (root.children.length > BLOCKS_MAX) throw new BlobError('BlockListTooLong');
  return root.children;
}

/** @throws BlobError for one that is not there. */
function blockFor(
  { name, text }: Wanted,
  committed: ReadonlyMap<string, Block>,
  staged: ReadonlyMap<string, Block> | undefined,
): Block {
  const fromStaged = name === 'Committed' ? undefined : staged?.get(text);
  const found = fromStaged ?? (name === 'Uncommitted' ? undefined : committed.get(text));
  if (found === undefined) throw new BlobError('InvalidBlockList');
  const { id, content, bytes } = found;
  return { id, content, bytes };
}

export function getBlockList({ call, store }: Work): Reply {
  const blob = store.blob(call.container, call.blob);
  if (blob === undefined || (blob.current === undefined && blob.staged.size === 0))
    throw new BlobError('BlobNotFound');
  const type = call.query.get('blocklisttype') ?? 'committed';
  if (!['committed', 'uncommitted', 'all'].includes(type))
    throw badQuery('blocklisttype', type, 'Unknown type.');
  const { current } = blob;
  if (current !== undefined) checkConditions(call, current, 'read');
  const listed = (name: string, blocks: Iterable<Block>): string =>
    element(
      name,
      {},
      [...blocks].map(({ id, bytes }) => element('Block', {}, [element('Name', id), element('Size', bytes)])),
    );
  const body = element('BlockList', {}, [
    type === 'uncommitted' ? '' : listed('CommittedBlocks', current?.blocks ?? []),
    type === 'committed' ? '' : listed('UncommittedBlocks', blob.staged.values()),
  ]);
  const headers = {
    'content-type': 'application/xml',
    'x-ms-blob-content-length': String(current?.bytes ?? 0),
    etag: current?.etag,
    'last-modified': current && httpDate(current.modifiedMs),
  };
  return { status: 200, headers, body: DECLARATION + body };
}
