/**
 * The bytes of an upload: into a file, with the checksums that the client sent beside them compared.
 *
 * Invariant: content whose checksum or length is not as announced is never part of a blob, and leaves no file.
 * @see https://learn.microsoft.com/rest/api/storageservices/put-blob#request-headers-all-blob-types
 */
import type { Content, ObjectFiles } from '../core/object-files.ts';
import { ContentTooLongError } from '../core/object-files.ts';
import { bodyText } from '../core/request-body.ts';
import { type Call, header } from './call.ts';
import { badHeader, BlobError } from './errors.ts';
import { XML_BYTES_MAX } from './limits.ts';
import { decoded, STRUCTURED } from './structured-body.ts';

export interface Received {
  /** Held once: it is released when it has been published, or refused. */
  readonly content: Content;
  readonly bytes: number;
  /** In base64. */
  readonly md5: string;
  readonly crc64: string;
}

/** What the content has to be, as a client, or a client's client, says. In base64. */
export interface Expected {
  readonly md5: string | undefined;
  readonly crc64: string | undefined;
}

const MD5_BYTES = 16;
const CRC_BYTES = 8;

/** @throws BlobError */
export async function receive(call: Call, files: ObjectFiles, bytesMax: number): Promise<Received> {
  const encoded = wholeNumber('content-length', call.headers['content-length']);
  if (encoded === undefined) throw new BlobError('MissingContentLengthHeader');
  const structured = header(call, 'x-ms-structured-body');
  const bytes =
    structured === undefined
      ? encoded
      : wholeNumber('x-ms-structured-content-length', call.headers['x-ms-structured-content-length']);
  if (bytes === undefined) throw badHeader('x-ms-structured-content-length', undefined);
  if (structured !== undefined && structured !== STRUCTURED)
    throw badHeader('x-ms-structured-body', structured);
  if (bytes > bytesMax) throw new BlobError('RequestBodyTooLarge', { MaxLimit: String(bytesMax) });
  const expected = { md5: header(call, 'content-md5'), crc64: header(call, 'x-ms-content-crc64') };
  const source: AsyncIterable<Uint8Array> = call.request;
  return store(structured === undefined ? source : decoded(source, bytes), { files, bytesMax, expected });
}

/** The XML of a request, which is kept in memory. @throws BlobError for more than any document of this API has. */
export function xmlTextIn({ request }: Call): Promise<string> {
  const refusal = (): Error => new BlobError('RequestBodyTooLarge', { MaxLimit: String(XML_BYTES_MAX) });
  return bodyText(request, XML_BYTES_MAX, refusal);
}

/** @throws BlobError */
export async function store(
  source: AsyncIterable<Uint8Array>,
  {
    files,
    bytesMax,
    expected,
  }: { readonly files: ObjectFiles; readonly bytesMax: number; readonly expected: Expected },
): Promise<Received> {
  if (expected.md5 !== undefined && expected.crc64 !== undefined) {
    throw new BlobError('InvalidInput', { Reason: 'MD5 and CRC64 cannot be given both' });
  }
  checkForm(expected);
  const { content, digests } = await files
    .write(source, { digests: ['md5', 'crc64nvme'], bytesMax })
    .catch((error: unknown) => {
      throw error instanceof ContentTooLongError ? new BlobError('RequestBodyTooLarge') : error;
    });
  const md5 = (digests.md5 ?? Buffer.alloc(MD5_BYTES)).toString('base64');
  const crc64 = (digests.crc64nvme ?? Buffer.alloc(CRC_BYTES)).reverse().toString('base64');
  const wrong = mismatch(expected, { md5, crc64 });
  if (wrong !== undefined) {
    files.release(content);
    throw wrong;
  }
  return { content, bytes: content.reduce((sum, segment) => sum + segment.bytes, 0), md5, crc64 };
}

function checkForm({ md5, crc64 }: Expected): void {
  if (md5 !== undefined && Buffer.from(md5, 'base64').length !== MD5_BYTES) throw new BlobError('InvalidMd5');
  if (crc64 !== undefined && Buffer.from(crc64, 'base64').length !== CRC_BYTES)
    throw badHeader('x-ms-content-crc64', crc64);
}

function mismatch(expected: Expected, found: { md5: string; crc64: string }): BlobError | undefined {
  if (expected.md5 !== undefined && expected.md5 !== found.md5) {
    return new BlobError('Md5Mismatch', {
      UserSpecifiedMd5: expected.md5,
      ServerCalculatedMd5: found.md5,
    });
  }
  if (expected.crc64 !== undefined && expected.crc64 !== found.crc64) {
    return new BlobError('Crc64Mismatch', {
      UserSpecifiedCrc64: expected.crc64,
      ServerCalculatedCrc64: found.crc64,
    });
  }
  return undefined;
}

/** @throws BlobError when it is there and no whole number. */
export function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badHeader(name, text);
  return Number(text);
}
