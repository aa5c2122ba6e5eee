/** What a WebP says of itself: https://developers.google.com/speed/webp/docs/riff_container */

export interface WebP {
  readonly width: number;
  readonly height: number;
  /** Of all that is in it: pixels alone are `VP8 `, `VP8L`, `VP8X` and `ALPH`. */
  readonly chunks: readonly string[];
}

/** Undefined when it is none. */
export function webpOf(body: Uint8Array): WebP | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const name = (at: number): string => bytes.toString('latin1', at, at + 4);
  if (bytes.length < 30 || name(0) !== 'RIFF' || name(8) !== 'WEBP') return undefined;
  const chunks: string[] = [];
  let size: Pick<WebP, 'width' | 'height'> | undefined;
  for (
    let at = 12;
    at + 8 <= bytes.length;
    at += 8 + bytes.readUInt32LE(at + 4) + (bytes.readUInt32LE(at + 4) % 2)
  ) {
    const chunk = name(at);
    chunks.push(chunk);
    size ??= sizeIn(chunk, bytes.subarray(at + 8));
  }
  return size && { ...size, chunks };
}

function sizeIn(chunk: string, data: Buffer): Pick<WebP, 'width' | 'height'> | undefined {
  switch (chunk) {
    case 'VP8X':
      return { width: 1 + data.readUIntLE(4, 3), height: 1 + data.readUIntLE(7, 3) };
    case 'VP8L': {
      const bits = data.readUInt32LE(1);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    case 'VP8 ':
      return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff };
    default:
      return undefined;
  }
}
