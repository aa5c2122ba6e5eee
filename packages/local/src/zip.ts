/** Zip archives, as artefacts are: read, and made anew. Small ones only: all in memory, and no ZIP64. */
import fs from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';

const END = Buffer.from('PK\x05\x06', 'latin1');

/** The files of an archive on disk, by name. @throws RangeError when it is none. */
export function unzip(file: string): Map<string, Buffer> {
  const zip = fs.readFileSync(file);
  if (!zip.includes(END)) throw new RangeError(`${file} is no zip archive`);
  return filesIn(zip);
}

/**
 * The files of an archive, by name; none when it is no archive. Reads the central directory (APPNOTE 4.3.12), stored or
 * deflated entries.
 */
export function filesIn(zip: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = zip.lastIndexOf(END);
  if (end < 0) return files;
  let entry = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((at) =>
      zip.readUInt16LE(entry + at),
    ) as [number, number, number];
    const name = zip.toString('utf8', entry + 46, entry + 46 + nameLength);
    const local = zip.readUInt32LE(entry + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const content = zip.subarray(start, start + zip.readUInt32LE(entry + 20));
    files.set(name, zip.readUInt16LE(entry + 10) === 0 ? content : inflateRawSync(content));
    entry += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}

const VERSION_NEEDED = 20;
/** Names are UTF-8 (APPNOTE 4.4.4, bit 11). */
const FLAGS = 0x0800;

/** An archive of stored entries. */
export function zip(files: ReadonlyMap<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const title = Buffer.from(name, 'utf8');
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION_NEEDED, 0);
    common.writeUInt16LE(FLAGS, 2);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(title.length, 22);
    const local = [Buffer.from('PK\x03\x04', 'latin1'), common, title, content];
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, title);
    parts.push(...local);
    offset += local.reduce((total, { length }) => total + length, 0);
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.size, 4);
  end.writeUInt16LE(files.size, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, END, end]);
}
