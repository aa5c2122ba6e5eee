/**
 * Pictures of all shapes, good and bad, made from a number: what is sent, and what must become of it.
 *
 * What is expected follows from how a sample is made, never from what the service says.
 */
import { crc32 } from 'node:zlib';
import Vips from 'wasm-vips';
import { Random } from '../../random.ts';

export type Expected =
  /** Its width and height as it is looked at. */
  | { readonly kind: 'ready'; readonly width: number; readonly height: number }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Sample {
  readonly seed: number;
  /** What it is, in words. */
  readonly what: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly expected: Expected;
}

/** A record of how a sample is made. */
interface Recipe {
  readonly what: string;
  readonly contentType: string;
  readonly make: (studio: Studio) => { readonly body: Uint8Array; readonly expected: Expected };
}

const SIDE_MAX = 2_000;
const refused = (reason: string): Expected => ({ kind: 'refused', reason });
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** One in so many is a large one: a photograph of 12 megapixels takes a second. */
const PHOTO_SHARE = 0.02;
const BAD_SHARE = 0.3;

export class Samples {
  readonly #vips: typeof Vips;

  private constructor(vips: typeof Vips) {
    this.#vips = vips;
  }

  static async open(): Promise<Samples> {
    const vips = await Vips({ dynamicLibraries: [], print: () => undefined, printErr: () => undefined });
    vips.concurrency(1);
    return new Samples(vips);
  }

  /** The same for the same number. */
  of(seed: number): Sample {
    const random = new Random(seed);
    const recipe = random.chance(PHOTO_SHARE)
      ? PHOTO
      : random.pick(random.chance(BAD_SHARE) ? BAD_RECIPES : GOOD_RECIPES);
    return this.#made(recipe, seed, random);
  }

  /** Every recipe once. */
  all(seed: number): readonly Sample[] {
    const random = new Random(seed);
    return [PHOTO, ...GOOD_RECIPES, ...BAD_RECIPES].map((recipe) => this.#made(recipe, seed, random));
  }

  close(): void {
    this.#vips.shutdown();
  }

  #made({ what, contentType, make }: Recipe, seed: number, random: Random): Sample {
    return { seed, what, contentType, ...make(new Studio(this.#vips, random)) };
  }
}

interface Drawn {
  readonly width: number;
  readonly height: number;
  readonly image: Vips.Image;
}

/** Where pictures are drawn. */
class Studio {
  readonly vips: typeof Vips;
  readonly random: Random;

  constructor(vips: typeof Vips, random: Random) {
    this.vips = vips;
    this.random = random;
  }

  /** Log-uniform from 1 pixel on. */
  side(most = SIDE_MAX): number {
    return Math.round(most ** this.random.next());
  }

  /** Colours that run into each other, with some noise, so that no two pictures are equal. */
  draw({ width = this.side(), height = this.side(), bands = 3 } = {}): Drawn {
    const { vips, random } = this;
    const ramp = vips.Image.xyz(width, height);
    const across = ramp.extractBand(0).linear([random.between(50, 200) / width], [random.int(60)]);
    const down = ramp.extractBand(1).linear([random.between(50, 200) / height], [random.int(60)]);
    const noise = vips.Image.gaussnoise(width, height, {
      mean: random.between(60, 190),
      sigma: 8,
      seed: random.int(2 ** 30),
    });
    const planes = [across, down, noise, across.linear([0.5], [128])].slice(0, bands);
    const [first = across, ...others] = planes;
    const joined = (others.length === 0 ? first : first.bandjoin(others)).cast('uchar');
    const interpretation = bands < 3 ? 'b-w' : 'srgb';
    return { width, height, image: joined.copy({ interpretation }) };
  }

  /** A good one in this format. */
  good(suffix: string, options: object = {}, drawn: Drawn = this.draw()): ReturnType<Recipe['make']> {
    const { width, height, image } = drawn;
    return { body: image.writeToBuffer(suffix, options), expected: { kind: 'ready', width, height } };
  }

  /** Frames below each other, as the library keeps what moves. */
  moving(suffix: string): ReturnType<Recipe['make']> {
    const [width, height] = [2 + this.side(300), 2 + this.side(300)];
    const frames = [0, 1, 2].map(() => this.draw({ width, height }).image);
    const [first, ...others] = frames;
    if (first === undefined) throw new RangeError('no frames');
    const strip = others.reduce((above, below) => above.join(below, 'vertical'), first).copy();
    strip.setInt('page-height', height);
    return this.good(suffix, {}, { width, height, image: strip });
  }

  /** As a telephone writes it: turned, with the place. */
  turned(orientation: number): ReturnType<Recipe['make']> {
    const { width, height, image } = this.draw();
    const copy = image.copy();
    copy.setInt('orientation', orientation);
    copy.setString('exif-ifd3-GPSLatitudeRef', 'N');
    copy.setString('exif-ifd0-Make', 'chaos');
    const isOnItsSide = orientation >= 5;
    return {
      body: copy.writeToBuffer('.jpg'),
      expected: { kind: 'ready', width: isOnItsSide ? height : width, height: isOnItsSide ? width : height },
    };
  }

  /** Large enough that half of it is without its end. */
  whole(suffix: string): Uint8Array {
    return this.draw({ width: 300, height: 200 }).image.writeToBuffer(suffix);
  }

  half(suffix: string): Uint8Array {
    const body = this.whole(suffix);
    return body.slice(0, Math.floor(body.length * this.random.between(0.3, 0.7)));
  }
}

const jpeg = 'image/jpeg';
const png = 'image/png';
const webp = 'image/webp';
const gif = 'image/gif';

const PHOTO: Recipe = {
  what: 'a photograph of 12 megapixels',
  contentType: jpeg,
  make: (studio) => studio.good('.jpg', { Q: 80 }, studio.draw({ width: 4_000, height: 3_000 })),
};

const good = (what: string, contentType: string, make: Recipe['make']): Recipe => ({
  what,
  contentType,
  make,
});

const GOOD_RECIPES: readonly Recipe[] = [
  good('a JPEG', jpeg, (studio) => studio.good('.jpg')),
  good('a progressive JPEG', jpeg, (studio) => studio.good('.jpg', { interlace: true })),
  good('a JPEG in grey', jpeg, (studio) => studio.good('.jpg', {}, studio.draw({ bands: 1 }))),
  good('a JPEG of a telephone', jpeg, (studio) => studio.turned(2 + studio.random.int(7))),
  good('a JPEG of one pixel', jpeg, (studio) =>
    studio.good('.jpg', {}, studio.draw({ width: 1, height: 1 })),
  ),
  good('a panorama', jpeg, (studio) => studio.good('.jpg', {}, studio.draw({ width: 6_000, height: 3 }))),
  good('a PNG', png, (studio) => studio.good('.png', { compression: 1 })),
  good('a PNG of few colours', png, (studio) =>
    studio.good(
      '.png',
      { palette: true },
      studio.draw({ width: studio.side(400), height: studio.side(400) }),
    ),
  ),
  good('a PNG that is seen through', png, (studio) =>
    studio.good('.png', { compression: 1 }, studio.draw({ bands: 4 })),
  ),
  good('an interlaced PNG', png, (studio) => studio.good('.png', { interlace: true, compression: 1 })),
  good('a PNG of 16 bits', png, (studio) => {
    const drawn = studio.draw();
    return studio.good(
      '.png',
      { bitdepth: 16, compression: 1 },
      {
        ...drawn,
        image: drawn.image.cast('ushort').linear([257], [0]).cast('ushort').copy({ interpretation: 'rgb16' }),
      },
    );
  }),
  good('a tower', png, (studio) => studio.good('.png', {}, studio.draw({ width: 2, height: 5_000 }))),
  good('a WebP', webp, (studio) => studio.good('.webp', { effort: 0 })),
  good('a WebP without loss', webp, (studio) => studio.good('.webp', { lossless: true, effort: 0 })),
  good('a WebP that moves', webp, (studio) => studio.moving('.webp')),
  good('a GIF', gif, (studio) =>
    studio.good('.gif', {}, studio.draw({ width: studio.side(400), height: studio.side(400) })),
  ),
  good('a GIF that moves', gif, (studio) => studio.moving('.gif')),
  good('a PNG that is sent as a JPEG', jpeg, (studio) => studio.good('.png', { compression: 1 })),
];

const bad = (
  what: string,
  contentType: string,
  reason: string,
  body: (studio: Studio) => Uint8Array,
): Recipe => ({
  what,
  contentType,
  make: (studio) => ({ body: body(studio), expected: refused(reason) }),
});

const BAD_RECIPES: readonly Recipe[] = [
  bad('text', png, 'not_a_picture', ({ random }) => text(`no picture ${random.next()}`)),
  bad('a page', jpeg, 'not_a_picture', ({ random }) =>
    text(`<!doctype html><script>alert(${random.next()})</script>`),
  ),
  bad('noise', gif, 'not_a_picture', ({ random }) =>
    Uint8Array.from({ length: 5_000 }, (_, index) => (index === 0 ? 7 : random.int(256))),
  ),
  bad('an SVG', png, 'unsupported_format', ({ random }) =>
    text(`<svg xmlns="http://www.w3.org/2000/svg" width="${1 + random.int(900)}" height="9"/>`),
  ),
  bad('a TIFF', jpeg, 'unsupported_format', (studio) => studio.whole('.tif')),
  bad('a PDF', png, 'unsupported_format', ({ random }) => text(`%PDF-1.7\n${random.next()}`)),
  bad('half a JPEG', jpeg, 'damaged', (studio) => studio.half('.jpg')),
  bad('half a PNG', png, 'damaged', (studio) => studio.half('.png')),
  bad('half a WebP', webp, 'damaged', (studio) => studio.half('.webp')),
  bad('a PNG with bytes changed', png, 'damaged', (studio) => {
    const body = studio.whole('.png');
    // Within the compressed pixels, whose sum then is another.
    body.fill(studio.random.int(256), Math.floor(body.length / 2), Math.floor(body.length / 2) + 40);
    return body;
  }),
  bad('a JPEG that is noise after its beginning', jpeg, 'damaged', (studio) => {
    const noise = Uint8Array.from({ length: 3_000 }, () => studio.random.int(255));
    noise.set([0xff, 0xd8, 0xff, 0xe0]);
    return noise;
  }),
  bad('a PNG that claims to be immense', png, 'too_many_pixels', (studio) =>
    claiming(studio.whole('.png'), 30_000),
  ),
  bad('a PNG of 49 million pixels of one colour', png, 'too_many_pixels', ({ vips, random }) =>
    vips.Image.black(7_000, 7_000)
      .linear([1], [random.int(255)])
      .cast('uchar')
      .writeToBuffer('.png', { compression: 6 }),
  ),
];

/** The PNG with another width and height in its header, whose sum is right: https://www.w3.org/TR/png-3/#11IHDR */
function claiming(body: Uint8Array, side: number): Uint8Array {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  view.setUint32(16, side);
  view.setUint32(20, side);
  view.setUint32(29, crc32(body.subarray(12, 29)));
  return body;
}
