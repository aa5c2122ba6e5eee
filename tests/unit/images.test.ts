import { afterAll, expect, test } from '@jest/globals';
import { Samples } from '@tandem-clouds/testkit/chaos/pictures/samples';
import { VipsImages } from '../../src/shared/adapters/images/vips-images.ts';
import type { MadeImages } from '../../src/shared/ports/images.ts';
import { JPEG, jpegOfTelephone, MOVING_GIF, MOVING_WEBP, png, SVG } from '../helpers/pictures.ts';
import { vipsFiles } from '../helpers/vips-files.ts';

const SIZES = [
  { name: 'small', sidePixels: 16 },
  { name: 'large', sidePixels: 1_200 },
];
const files = (): Promise<typeof vipsFiles> => Promise.resolve(vipsFiles);
const images = new VipsImages({ files });
afterAll(() => images.close());

function made(result: MadeImages): Extract<MadeImages, { kind: 'made' }> {
  if (result.kind !== 'made') throw new Error(`${result.reason}: ${result.detail}`);
  return result;
}

test.each([
  ['a JPEG', JPEG],
  ['a PNG', png({ width: 48, height: 32 })],
  ['a GIF that moves, of which it is the first picture', MOVING_GIF],
  ['a WebP that moves, of which it is the first picture', MOVING_WEBP],
])('makes each size of %s, and enlarges nothing', async (_, body) => {
  const { width, height, images: all } = made(await images.make(body, SIZES));
  expect([width, height]).toEqual([48, 32]);
  expect(all.map(({ name, width, height }) => [name, width, height])).toEqual([
    ['small', 16, 11],
    ['large', 48, 32],
  ]);
  for (const { bytes } of all) {
    expect(Buffer.from(bytes.subarray(0, 4)).toString('latin1')).toBe('RIFF');
    expect(Buffer.from(bytes.subarray(8, 12)).toString('latin1')).toBe('WEBP');
  }
});

test('turns a picture upright, and leaves out where it was taken', async () => {
  const telephone = jpegOfTelephone();
  expect(telephone.includes('Exif')).toBe(true);
  const { width, height, images: all } = made(await images.make(telephone, SIZES));
  expect([width, height]).toEqual([32, 48]);
  expect(all.map(({ width, height }) => [width, height])).toEqual([
    [11, 16],
    [32, 48],
  ]);
  for (const { bytes } of all) {
    const chunks = Buffer.from(bytes).toString('latin1');
    for (const metadata of ['EXIF', 'Exif', 'XMP ', 'ICCP']) expect(chunks).not.toContain(metadata);
  }
});

test.each([
  ['text', Buffer.from('Dear Sir or Madam'), 'not_a_picture'],
  ['nothing', Buffer.alloc(0), 'not_a_picture'],
  ['SVG, which may hold scripts', SVG, 'unsupported_format'],
  ['a JPEG that ends in the middle', JPEG.subarray(0, 260), 'damaged'],
  ['a JPEG of a header alone', JPEG.subarray(0, 4), 'damaged'],
  ['a PNG that ends in the middle', png({ width: 48, height: 32 }).subarray(0, 60), 'damaged'],
  [
    'a small PNG that would be 2,500 megapixels',
    png({ width: 4, height: 4, claims: { width: 50_000, height: 50_000 } }),
    'too_many_pixels',
  ],
  ['50 MB', Buffer.concat([JPEG, Buffer.alloc(50_000_000)]), 'too_many_bytes'],
])('refuses %s, and goes on', async (_, body, reason) => {
  expect(await images.make(body, SIZES)).toMatchObject({ kind: 'refused', reason });
  made(await images.make(JPEG, SIZES));
});

test('takes all shapes of good pictures, and says of each bad one what is wrong', async () => {
  const samples = await Samples.open();
  try {
    for (const { what, body, expected } of samples.all(1)) {
      const result = await images.make(body, SIZES);
      const { kind, width, height, reason } = result as Partial<Record<string, unknown>>;
      const seen = kind === 'made' ? { kind: 'ready', width, height } : { kind, reason };
      expect({ what, ...seen }).toEqual({ what, ...expected });
    }
  } finally {
    samples.close();
  }
});

test('a picture that takes too long is refused, and the next one is made by another thread', async () => {
  const hasty = new VipsImages({ files, makeMs: 1 });
  try {
    const large = png({ width: 4_000, height: 4_000 });
    expect(await hasty.make(large, SIZES)).toMatchObject({ kind: 'refused', reason: 'too_slow' });
    expect(await hasty.make(large, SIZES)).toMatchObject({ kind: 'refused', reason: 'too_slow' });
  } finally {
    await hasty.close();
  }
});

test('says that it is unavailable when the library does not begin: that is no fault of the picture', async () => {
  const broken = new VipsImages({
    files: () =>
      Promise.resolve({ library: 'async () => { throw new Error("none") }', wasm: vipsFiles.wasm }),
  });
  await expect(broken.make(JPEG, SIZES)).rejects.toMatchObject({ code: 'unavailable' });
});
