/**
 * The body of a request as its content: out of the frames of `aws-chunked`, whose signatures, lengths and trailing headers
 * are checked as they pass.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { createHash } from 'node:crypto';
import { type Element, parseXml } from '../core/xml.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { S3Request } from './request.ts';
import type { Payload } from './signature.ts';

export interface Body {
  readonly content: AsyncIterable<Uint8Array>;
  /** Of the content, as it was announced. */
  readonly bytes: number;
  /** Once the content has been read: the trailing headers, lower case. */
  readonly trailers: ReadonlyMap<string, string>;
}

const CHUNK = /^([0-9a-f]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?$/i;
const LINE_BYTES_MAX = 8 * 1024;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';

/** @throws S3Error when the length is not announced, or wrong by its form. */
export function bodyOf({ headers }: S3Request, payload: Payload, raw: AsyncIterable<Uint8Array>): Body {
  const announced = headers[payload.kind === 'chunked' ? 'x-amz-decoded-content-length' : 'content-length'];
  if (announced === undefined)
    throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  if (!/^\d{1,15}$/.test(announced)) throw new S3Error('InvalidArgument', 'The length is not a number');
  const bytes = Number(announced);
  const trailers = new Map<string, string>();
  if (payload.kind !== 'chunked') return { content: raw, bytes, trailers };
  const declared = (headers['x-amz-trailer'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  if (payload.hasTrailer !== declared.length > 0)
    throw new S3Error(
      'InvalidRequest',
      'x-amz-trailer and x-amz-content-sha256 do not agree about trailing headers',
    );
  return { content: unframed(raw, { payload, bytes, declared, trailers }), bytes, trailers };
}

interface Framing {
  readonly payload: Payload & { readonly kind: 'chunked' };
  readonly bytes: number;
  readonly declared: readonly string[];
  /** Filled at the end. */
  readonly trailers: Map<string, string>;
}

async function* unframed(raw: AsyncIterable<Uint8Array>, framing: Framing): AsyncGenerator<Uint8Array> {
  const { signer } = framing.payload;
  const reader = new ByteReader(raw);
  let total = 0;
  let shortChunks = 0;
  for (;;) {
    const [, size = '', signature] = CHUNK.exec(await reader.line()) ?? [];
    if (size === '') throw incomplete('The chunk is not well formed');
    const left = parseInt(size, 16);
    if (left > 0 && shortChunks > 0 && signer !== undefined)
      throw new S3Error(
        'InvalidChunkSizeError',
        'Only the last chunk is allowed to have a size less than 8192 bytes',
      );
    if (left < LIMITS.chunkBytesMin) shortChunks += 1;
    total += left;
    if (total > framing.bytes) throw incomplete('There is more content than was announced');
    const hash = createHash('sha256');
    for await (const piece of reader.bytes(left)) {
      if (signer !== undefined) hash.update(piece);
      yield piece;
    }
    if (left > 0 && (await reader.line()) !== '') throw incomplete('The chunk is longer than it says');
    signer?.checkChunk(hash.digest('hex'), signature);
    if (left === 0) break;
  }
  if (total !== framing.bytes) throw incomplete('There is less content than was announced');
  if (framing.payload.hasTrailer) await readTrailers(reader, framing);
}

async function readTrailers(reader: ByteReader, { payload, declared, trailers }: Framing): Promise<void> {
  const lines: string[] = [];
  let signature: string | undefined;
  for (let line = await reader.line(); line.trim() !== ''; line = await reader.line()) {
    const [name = '', value = ''] = line.split(/:(.*)/s).map((part) => part.trim());
    if (name.toLowerCase() === TRAILER_SIGNATURE) signature = value;
    else {
      lines.push(`${name.toLowerCase()}:${value}\n`);
      trailers.set(name.toLowerCase(), value);
    }
    if (lines.length > declared.length) break;
  }
  if (declared.length !== lines.length || !declared.every((name) => trailers.has(name)))
    throw new S3Error(
      'MalformedTrailerError',
      'The request contained trailing data that was not well-formed or did not conform to our published schema.',
    );
  payload.signer?.checkTrailer(lines.join(''), signature);
}

function incomplete(why: string): S3Error {
  return new S3Error('IncompleteBody', `The request body terminated unexpectedly. ${why}.`);
}

/** Lines and counted bytes of a stream. What is left at its end counts as an empty line. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#buffer.toString('latin1', 0, end);
        this.#buffer = this.#buffer.subarray(end + 2);
        return line;
      }
      if (this.#buffer.length > LINE_BYTES_MAX) throw incomplete('A line is too long');
      if (!(await this.#more())) return '';
    }
  }

  async *bytes(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (this.#buffer.length === 0 && !(await this.#more())) throw incomplete('A chunk ends early');
      const piece = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    const { value } = next;
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(value) : Buffer.concat([this.#buffer, value]);
    return true;
  }
}

/** All of a small body. @throws S3Error */
export async function wholeBody({ content, bytes }: Body, bytesMax: number): Promise<Buffer> {
  if (bytes > bytesMax) throw malformedXml();
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The root element, which must have this name. @throws S3Error */
export function xmlOf(bytes: Buffer, root: string): Element {
  if (bytes.length === 0) throw new S3Error('MissingRequestBodyError', 'Request Body is empty');
  let found: Element;
  try {
    found = parseXml(bytes.toString('utf8')).root;
  } catch {
    throw malformedXml();
  }
  if (found.name !== root) throw malformedXml();
  return found;
}

export function malformedXml(): S3Error {
  return new S3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}
