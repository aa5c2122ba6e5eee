/**
 * What protocols ask of storages (`replication/objects/effects.ts`), done with this site's own and those of its peers.
 *
 * Invariants: memory holds a bounded number of bodies or parts (`objectBodyBytesMax`), whoever asks for how many; what came from a peer is written only when it is what was
 * announced, or, of a part, when it is as long: the whole is compared before it becomes an object. Nothing that is there is
 * replaced, except by the right bytes under the same name: a name is that of one upload, so others there are damaged.
 */
import { OvertakenError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import type {
  ListedObject,
  ObjectEffect,
  ObjectFacts,
  Source,
} from '@tandem-clouds/replication/objects/effects';
import type { ObjectRunner } from '@tandem-clouds/replication/reactions/drive-react';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { objectFetchMs } from '../bounds.ts';
import { Crc64, joinedCrc64 } from '../crc64.ts';
import { ConflictError, ContentMismatchError, InvalidError } from '../errors.ts';
import type { ObjectHead, Objects, ObjectUpload, ReadableObjects } from '../ports/objects.ts';

export interface Storages {
  readonly site: SiteId;
  /** Undefined: this site has no place for objects. */
  readonly own: Objects | undefined;
  readonly peers: ReadonlyMap<SiteId, ReadableObjects>;
  /** Bodies and parts that are in memory at a time; the others wait. */
  readonly bodiesAtOnce: number;
}

/** Each answers as the effect says, and throws what it says. */
export function performObjects(storages: Storages): ObjectRunner {
  const inTurn = turns(storages.bodiesAtOnce);
  return async (effect) => {
    switch (effect.op) {
      case 'objectHead': {
        const { name: key, versionId } = effect;
        const place = versionId === undefined ? { key } : { key, versionId };
        return factsOf(await storageAt(storages, effect.at).head(place));
      }
      case 'objectFetch':
        return inTurn(() => fetchWhole(storages, effect));
      case 'partsBegin':
        return ownOf(storages).beginUpload(effect.name, { contentType: effect.content.contentType });
      case 'partsList':
        return ownOf(storages).listParts(uploadOf(effect.upload));
      case 'partFetch':
        return inTurn(() => fetchPart(storages, effect));
      case 'partsComplete':
        return complete(ownOf(storages), effect);
      case 'partsAbort':
        return ownOf(storages).abortUpload(uploadOf(effect.upload));
      case 'objectList':
        return list(ownOf(storages), effect);
      case 'objectSum':
        return sumOf(ownOf(storages), effect);
      case 'objectDelete':
        return remove(ownOf(storages), effect);
    }
  };
}

/** So many side by side, in the order in which they come. */
function turns(atOnce: number): <Result>(act: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (act) => {
    if (running >= atOnce) await new Promise<void>((resolve) => void waiting.push(resolve));
    else running += 1;
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** Only the bytes that are under way are in memory. */
async function sumOf(own: Objects, { name, fromByte, bytes, before }: Of<'objectSum'>): Promise<string> {
  const { content } = await own.read(name, { from: fromByte, bytes });
  const sum = new Crc64();
  let read = 0;
  for await (const piece of content) {
    sum.update(piece);
    read += piece.length;
  }
  return joinedCrc64([
    { crc64: before, bytes: fromByte },
    { crc64: sum.digest(), bytes: read },
  ]);
}

type Of<Op> = Extract<ObjectEffect, { readonly op: Op }>;

function ownOf({ site, own }: Pick<Storages, 'own' | 'site'>): Objects {
  if (own === undefined) throw new UnavailableError(`${site} has no place for objects`);
  return own;
}

function storageAt(storages: Pick<Storages, 'site' | 'own' | 'peers'>, site: SiteId): ReadableObjects {
  if (site === storages.site) return ownOf(storages);
  const peer = storages.peers.get(site);
  if (peer === undefined)
    throw new UnavailableError(`${site}: TANDEM_PEERS does not say where its objects are`);
  return peer;
}

/** A `sha256` is not compared: it is what a client said, and one that lied is not to keep its bytes from crossing. */
async function fetchWhole(storages: Storages, { source, name, content }: Of<'objectFetch'>): Promise<void> {
  const { bytes, crc64, contentType } = content;
  const body = await bodyOf(storages, source, { bytes, crc64 });
  // Compared as it was read.
  const written = { contentType, checksums: { crc64 }, isCompared: true };
  await rightBytes(
    () => ownOf(storages).put(name, body, { ...written, createOnly: true }),
    () => ownOf(storages).put(name, body, written),
  );
}

async function fetchPart(storages: Storages, effect: Of<'partFetch'>): Promise<unknown> {
  const { source, upload, number, fromByte, bytes } = effect;
  const body = await bodyOf(storages, source, { bytes, from: fromByte });
  return ownOf(storages).putPart(uploadOf(upload), { number, body });
}

async function complete(own: Objects, { upload, parts, crc64 }: Of<'partsComplete'>): Promise<void> {
  const checksums = { crc64 };
  await rightBytes(
    () => own.completeUpload(uploadOf(upload), parts, { checksums, createOnly: true }),
    () => own.completeUpload(uploadOf(upload), parts, { checksums }),
  );
}

/** Other bytes under the name of an upload are damaged ones, which the right ones replace. */
async function rightBytes(create: () => Promise<unknown>, replace: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    await replace();
  }
}

interface Wanted {
  readonly bytes: number;
  /** Absent: the object as a whole. */
  readonly from?: number;
  readonly crc64?: string;
}

/** All that is wanted, in one piece. @throws NotFoundError @throws ContentMismatchError for more or fewer bytes, or others */
export async function bodyOf(
  storages: Pick<Storages, 'site' | 'own' | 'peers'>,
  source: Source,
  wanted: Wanted,
): Promise<Uint8Array> {
  const { bytes, from, crc64 } = wanted;
  const isAs = { ...(source.versionId !== undefined && { versionId: source.versionId }) };
  const range = from === undefined ? {} : { from, bytes };
  const answer = await storageAt(storages, source.from)
    .read(source.name, { ...isAs, ...range, ...(crc64 !== undefined && { crc64 }) })
    .catch((error: unknown) => {
      // A range that begins beyond the end.
      if (error instanceof InvalidError) throw mismatch(source, error);
      throw error;
    });
  if (answer.bytes !== bytes) {
    answer.cancel();
    throw mismatch(source);
  }
  return collected(answer, source);
}

/** Within a time: a peer that sends byte by byte is not to hold a function. */
async function collected(
  { bytes, content, cancel }: { bytes: number; content: AsyncIterable<Uint8Array>; cancel: () => void },
  { from, name }: Source,
): Promise<Uint8Array> {
  const body = Buffer.allocUnsafe(bytes);
  const late = AbortSignal.timeout(objectFetchMs);
  late.addEventListener('abort', cancel);
  let at = 0;
  try {
    for await (const piece of content) {
      if (late.aborted) break;
      body.set(piece, at);
      at += piece.length;
    }
  } catch (error) {
    // The version that was read is gone: another may be read later.
    if (error instanceof OvertakenError) throw new UnavailableError(error.message, { cause: error });
    throw error;
  } finally {
    late.removeEventListener('abort', cancel);
  }
  if (late.aborted || at !== bytes)
    throw new UnavailableError(`${from}: ${name}: ${at} of ${bytes} bytes came within ${objectFetchMs} ms`);
  return body;
}

function mismatch({ from, name }: Source, cause?: unknown): ContentMismatchError {
  return new ContentMismatchError(`${from}: ${name} has another size than was announced`, { cause });
}

async function remove(own: Objects, { name: key, versionId }: Of<'objectDelete'>): Promise<void> {
  if (versionId === undefined) await own.purge(key);
  else await own.delete({ key, versionId });
}

async function list(own: Objects, { prefix, limit, cursor }: Of<'objectList'>): Promise<unknown> {
  const page = await own.list({ prefix, limit, ...(cursor !== undefined && { cursor }) });
  const objects = page.objects.map(({ key, bytes, modifiedMs }): ListedObject => ({
    name: key,
    bytes,
    modifiedMs,
  }));
  return { objects, ...(page.cursor !== undefined && { cursor: page.cursor }) };
}

function factsOf(head: ObjectHead | undefined): ObjectFacts | undefined {
  if (head === undefined) return undefined;
  const { bytes, modifiedMs, versionId, checksums } = head;
  return {
    bytes,
    modifiedMs,
    ...(checksums.crc64 !== undefined && { crc64: checksums.crc64 }),
    ...(versionId !== undefined && { versionId }),
  };
}

/** What `partsBegin` gave, and nobody has changed. */
const uploadOf = (upload: Json): ObjectUpload => upload as unknown as ObjectUpload;
