/** Copies the bytes of an object between two storages, comparing them with what its record says. */
import type { Content } from '@tandem-clouds/replication/objects/content';
import { objectBodyBytesMax } from '../bounds.ts';
import { ContentMismatchError } from '../errors.ts';
import type { Objects, ReadableObjects } from '../ports/objects.ts';

type Target = Pick<Objects, 'put' | 'beginUpload' | 'putPart' | 'completeUpload'>;

/**
 * Nothing is larger in memory than one part.
 * @throws NotFoundError when it is not there; ContentMismatchError when it is not what the record says; as the port does.
 */
export async function copyContent(
  from: { readonly objects: Pick<ReadableObjects, 'read'>; readonly key: string },
  to: { readonly storage: Target; readonly key: string },
  { bytes, crc64, contentType }: Pick<Content, 'bytes' | 'crc64' | 'contentType'>,
): Promise<void> {
  const read = await from.objects.read(from.key, { crc64 });
  if (read.head.bytes !== bytes) {
    read.cancel();
    throw new ContentMismatchError(`${from.key}: ${read.head.bytes} bytes, its record says ${bytes}`);
  }
  const bodies = inBodies(read.content);
  if (bytes <= objectBodyBytesMax) {
    const { value: body = Buffer.alloc(0) } = (await bodies.next()) as { readonly value?: Uint8Array };
    // The end of the content is where its checksum is compared.
    await bodies.next();
    await to.storage.put(to.key, body, { contentType, checksums: { crc64 }, createOnly: true });
    return;
  }
  const upload = await to.storage.beginUpload(to.key, { contentType });
  const parts = [];
  for await (const body of bodies)
    parts.push(await to.storage.putPart(upload, { number: parts.length + 1, body }));
  await to.storage.completeUpload(upload, parts, { checksums: { crc64 }, createOnly: true });
}

/** Bodies of just `objectBodyBytesMax`, the last one less. */
async function* inBodies(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of content) {
    for (let rest = piece; rest.length > 0;) {
      const taken = rest.subarray(0, objectBodyBytesMax - bytes);
      pieces.push(taken);
      bytes += taken.length;
      rest = rest.subarray(taken.length);
      if (bytes < objectBodyBytesMax) continue;
      yield Buffer.concat(pieces);
      [pieces, bytes] = [[], 0];
    }
  }
  if (bytes > 0) yield Buffer.concat(pieces);
}
