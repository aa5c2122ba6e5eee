/**
 * A file of an archive: JSON Lines, compressed. The first line says what it is, the last how many records are between them; so
 * one that was cut short between two lines is found out, too. Pure.
 *
 * A record is a line `{"key":…,"state":…,"version":…}`: its whole state, with the stamps by which states are merged, and in a
 * segment the stamp of the write that it was sent for.
 */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { RecordState } from '@tandem-clouds/replication/record';
import { isStamp, type SiteId, type Stamp } from '@tandem-clouds/replication/stamp';
import { DamagedArchiveError } from './errors.ts';
import { type HashedName, nameOf } from './names.ts';

/** Only a release that reads another format writes a greater number. */
export const ARCHIVE_FORMAT = 1;
const NAME = 'tandem-archive';
/** Of what a compressed file may become: more is no file of ours. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;

export interface ArchivedRecord {
  readonly key: string;
  readonly state: RecordState;
  /** In a segment: the write that it was sent for. */
  readonly version?: Stamp;
}

export interface FileHead {
  readonly kind: 'segment' | 'part' | 'export';
  readonly site: SiteId;
  /** RFC 3339. */
  readonly madeAt: string;
}

interface FileTail {
  readonly records: number;
  /** Of a part: where the scan goes on; absent in the last one. */
  readonly next?: string;
}

export interface ArchiveFile {
  readonly head: FileHead;
  readonly records: readonly ArchivedRecord[];
  readonly next?: string;
}

/** A file as bytes, and what they are called. */
export interface EncodedFile {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export function encodeFile({ head, records, next }: ArchiveFile): EncodedFile {
  const tail: FileTail = { records: records.length, ...(next !== undefined && { next }) };
  const lines = [{ format: NAME, version: ARCHIVE_FORMAT, ...head }, ...records, tail];
  const bytes = gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { level: 6 });
  return { bytes, sha256: sha256Of(bytes) };
}

/** In hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Reads the bytes of an object of that name.
 * @throws DamagedArchiveError that names the object: other bytes than its name says, cut short, or of a newer format.
 */
export function decodeFile(name: HashedName, bytes: Uint8Array): ArchiveFile {
  const text = nameOf(name);
  if (sha256Of(bytes) !== name.sha256)
    throw new DamagedArchiveError(`${text}: its SHA-256 is ${sha256Of(bytes)}, not that of its name`);
  return readLines(text, inflated(text, bytes));
}

function inflated(name: string, bytes: Uint8Array): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: FILE_BYTES_MAX }).toString('utf8');
  } catch (cause) {
    throw new DamagedArchiveError(`${name}: it cannot be decompressed: ${String(cause)}`, { cause });
  }
}

/**
 * Reads the lines of a file.
 * @param name What errors call it.
 * @throws DamagedArchiveError
 */
export function readLines(name: string, text: string): ArchiveFile {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new DamagedArchiveError(`${name}: its last line is cut short`);
  const values = lines.map((line, index) => parsed(name, line, index + 1));
  const head = readHead(name, values[0]);
  const tail = values.at(-1) as Partial<FileTail> | undefined;
  if (values.length < 2 || typeof tail?.records !== 'number')
    throw new DamagedArchiveError(`${name}: it ends without the line that counts its records`);
  const records = values.slice(1, -1).map((value, index) => readRecord(name, value, index + 2));
  if (records.length !== tail.records)
    throw new DamagedArchiveError(
      `${name}: it has ${records.length} records, its last line says ${tail.records}`,
    );
  return { head, records, ...(typeof tail.next === 'string' && { next: tail.next }) };
}

function parsed(name: string, line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new DamagedArchiveError(`${name}: line ${number} is no JSON`, { cause });
  }
}

function readHead(name: string, value: unknown): FileHead {
  const head = value as
    (FileHead & { readonly format?: unknown; readonly version?: unknown }) | null | undefined;
  if (head?.format !== NAME)
    throw new DamagedArchiveError(`${name}: its first line is not that of an archive`);
  if (typeof head.version !== 'number' || head.version > ARCHIVE_FORMAT)
    throw new DamagedArchiveError(
      `${name}: its format ${String(head.version)} is newer than this release reads (${ARCHIVE_FORMAT}): use the release that made it`,
    );
  return { kind: head.kind, site: head.site, madeAt: head.madeAt };
}

function readRecord(name: string, value: unknown, number: number): ArchivedRecord {
  const record = value as Partial<ArchivedRecord> | null;
  const state: Partial<RecordState> | undefined = record?.state;
  const isOne =
    typeof record?.key === 'string' &&
    typeof state?.fields === 'object' &&
    typeof state.vector === 'object' &&
    Object.values(state.vector).every(isStamp) &&
    (record.version === undefined || isStamp(record.version));
  if (!isOne) throw new DamagedArchiveError(`${name}: line ${number} is no record`);
  return record as ArchivedRecord;
}
