/** Pictures for tests, good and bad: the good ones 48 pixels wide and 32 high. */
import { crc32, deflateSync } from 'node:zlib';

/** Red on the left, blue on the right. */
export const JPEG = Buffer.from(
  '/9j/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAAgADADAREAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAb/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFwEBAQEBAAAAAAAAAAAAAAAAAAcIBv/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AIhzS2gAJFpJAQAFczavwACRaSQEABXM2r8AAkWkkBAAVzNq/AAJFpJAQAH/2Q==',
  'base64',
);
/** Two pictures one after the other, the first one red. */
export const MOVING_GIF = Buffer.from(
  'R0lGODlhMAAgAIAAAExpcdweHiH/C05FVFNDQVBFMi4wAwEAAAAh+QQFCgAAACwAAAAAMAAgAAACJoyPqcvtD6OctNqLs968+w+G4kiW5omm6sq27gvH8kzX9o3n+l0AACH5BAUKAAAALAAAAAAwACAAgExpcR7IHgImjI+py+0Po5y02ouz3rz7D4biSJbmiabqyrbuC8fyTNf2jef6XQAAOw==',
  'base64',
);
export const MOVING_WEBP = Buffer.from(
  'UklGRtoAAABXRUJQVlA4WAoAAAACAAAALwAAHwAAQU5JTQYAAAD/////AABBTk1GUgAAAAAAAAAAAC8AAB8AAGQAAAJWUDggOgAAADADAJ0BKjAAIAA+nUygTCWkIyIlaACwE4lnAHYAAF8XVTAA/uveL/4hd7Ic///pNn/E2f8TZ8cwAABBTk1GVAAAAAAAAAAAAC8AAB8AAGQAAABWUDggPAAAADQDAJ0BKjAAIAA+nUygTAJWgAABOJZwDAVoB+AAAsAFF4AAm//xZyMR2Gf/8wSvyDdfeDNQ3s55MAAAAA==',
  'base64',
);
export const SVG = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>1</script></svg>',
);

/** A PNG of one colour; with `claims` its header says another size than there is. */
export function png({
  width,
  height,
  claims = { width, height },
}: {
  readonly width: number;
  readonly height: number;
  readonly claims?: { readonly width: number; readonly height: number };
}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(claims.width, 0);
  header.writeUInt32BE(claims.height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.alloc(1 + width * 3, 0x60);
  row[0] = 0;
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** `JPEG` as a telephone makes it: to be turned by a quarter (orientation 6), and with the place (51° N). */
export function jpegOfTelephone(): Buffer {
  const tiff = Buffer.from('MM\0*\0\0\0\x08', 'latin1');
  const tags = Buffer.alloc(2 + 2 * 12 + 4 + 2 + 2 * 12 + 4 + 24);
  tags.writeUInt16BE(2, 0);
  entry(tags, 2, { tag: 0x0112, type: 3, count: 1, value: 6 << 16 });
  entry(tags, 14, { tag: 0x8825, type: 4, count: 1, value: 8 + 30 });
  tags.writeUInt16BE(2, 30);
  entry(tags, 32, { tag: 1, type: 2, count: 2, value: 'N'.charCodeAt(0) << 24 });
  entry(tags, 44, { tag: 2, type: 5, count: 3, value: 8 + 60 });
  for (const [index, part] of [51, 1, 30, 1, 0, 1].entries()) tags.writeUInt32BE(part, 60 + index * 4);
  const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff, tags]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(exif.length + 2, 2);
  return Buffer.concat([JPEG.subarray(0, 2), head, exif, JPEG.subarray(2)]);
}

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly value: number;
}

function entry(into: Buffer, at: number, { tag, type, count, value }: Entry): void {
  into.writeUInt16BE(tag, at);
  into.writeUInt16BE(type, at + 2);
  into.writeUInt32BE(count, at + 4);
  into.writeInt32BE(value | 0, at + 8);
}
