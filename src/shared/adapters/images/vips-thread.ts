/**
 * What runs in the thread of libvips. Its text is sent there, so it refers to nothing but its parameters and what every
 * JavaScript has.
 *
 * Invariant: the header says how many pixels there are before one is decoded; the bound is compared with that. Only the loaders
 * of the formats that are taken ever see the bytes.
 */
import type * as Threads from 'node:worker_threads';
import type Vips from 'wasm-vips';
import type { ImageSize, MadeImages } from '../../ports/images.ts';

export interface ThreadData {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The text of what runs in the threads that libvips itself begins. */
  readonly helper: string;
  readonly pixelsMax: number;
  readonly quality: number;
}

export interface ThreadRequest {
  readonly body: Uint8Array;
  readonly sizes: readonly ImageSize[];
}

/** What is used of WebAssembly; the types of Node leave it to those of browsers. */
interface WebAssemblyLike {
  readonly compile: (bytes: Uint8Array<ArrayBuffer>) => Promise<object>;
  readonly instantiate: (module: object, imports: object) => Promise<object>;
}

/** @param open The library. */
export async function vipsThread(
  open: (options: object) => Promise<typeof Vips>,
  { parentPort, workerData, Worker }: typeof Threads,
): Promise<void> {
  const { wasm, helper, pixelsMax, quality } = workerData as ThreadData;
  const { compile, instantiate } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyLike })
    .WebAssembly;
  const formats = { jpegload: 'JPEG', pngload: 'PNG', webpload: 'WebP', gifload: 'GIF' };
  const compiled = await compile(wasm);
  const opening = open({
    dynamicLibraries: [],
    mainScriptUrlOrBlob: 'vips',
    print: () => undefined,
    printErr: () => undefined,
    instantiateWasm: (imports: object, done: (instance: object, module: object) => void) => {
      void instantiate(compiled, imports).then((instance) => {
        done(instance, compiled);
      });
      return {};
    },
  });
  // The library would begin its threads from a file, of which there is none.
  Object.assign(globalThis, {
    Worker: class extends Worker {
      constructor(_: string, options: Threads.WorkerOptions) {
        super(helper, { ...options, eval: true });
      }
    },
  });
  const vips = await opening;
  vips.concurrency(1);
  vips.Cache.max(0);
  vips.blockUntrusted(true);

  const refused = (reason: string, detail: string): object => ({ kind: 'refused', reason, detail });

  const formatOf = (body: Uint8Array): string | undefined => {
    const starts = (at: number, ...bytes: number[]): boolean =>
      bytes.every((byte, index) => body[at + index] === byte);
    if (starts(0, 0xff, 0xd8, 0xff)) return 'jpegload';
    if (starts(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'pngload';
    if (starts(0, 0x47, 0x49, 0x46, 0x38)) return 'gifload';
    if (starts(0, 0x52, 0x49, 0x46, 0x46) && starts(8, 0x57, 0x45, 0x42, 0x50)) return 'webpload';
    return undefined;
  };

  // What is missing of a PNG is only warned of by its loader, as many a good one is.
  const hasEnd = (body: Uint8Array): boolean => {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    for (let at = 8; at + 12 <= body.byteLength; at += 12 + view.getUint32(at))
      if (view.getUint32(at + 4) === 0x49454e44) return true;
    return false;
  };

  // What makes thumbnails paints over what it cannot decode; of a JPEG an eighth is as sure, and quick.
  const decodeWhole = (body: Uint8Array, options: object): void => {
    const picture = vips.Image.newFromBuffer(body, '', {
      access: 'sequential',
      fail_on: 'error',
      ...options,
    });
    try {
      picture.avg();
    } finally {
      picture.delete();
    }
  };

  const make = ({ body, sizes }: ThreadRequest): object => {
    const format = formatOf(body);
    if (format === undefined) {
      const text = String.fromCharCode(...body.subarray(0, 1_024)).toLowerCase();
      const isKnown =
        text.includes('<svg') || /^(?:ii\*|mm|%pdf|bm)/.test(text) || text.slice(4, 8) === 'ftyp';
      return isKnown
        ? refused('unsupported_format', `is none of ${Object.values(formats).join(', ')}`)
        : refused('not_a_picture', 'does not begin as a picture does');
    }
    let width = 0;
    let height = 0;
    try {
      const header = vips.Image.newFromBuffer(body, '', { access: 'sequential' });
      try {
        [width, height] = [header.width, header.height];
        if (width * height > pixelsMax)
          return refused('too_many_pixels', `has ${width} x ${height} pixels; ${pixelsMax} are taken`);
        if (format === 'pngload' && !hasEnd(body)) return refused('damaged', 'ends before its last part');
        const turned = header.getTypeof('orientation') !== 0 && header.getInt('orientation') >= 5;
        if (turned) [width, height] = [height, width];
      } finally {
        header.delete();
      }
      decodeWhole(body, format === 'jpegload' && Math.min(width, height) >= 8 ? { shrink: 8 } : {});
      const images = sizes.map(({ name, sidePixels }) => {
        const small = vips.Image.thumbnailBuffer(body, sidePixels, {
          height: sidePixels,
          size: 'down',
          fail_on: 'error',
        });
        try {
          const bytes = small.writeToBuffer('.webp', { Q: quality, keep: 'none' });
          return { name, width: small.width, height: small.height, bytes };
        } finally {
          small.delete();
        }
      });
      return { kind: 'made', width, height, images } satisfies MadeImages;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      return refused('damaged', said.trim().split('\n')[0]?.slice(0, 200) ?? '');
    }
  };

  parentPort?.on('message', (request: ThreadRequest) => {
    parentPort.postMessage(make(request));
  });
  parentPort?.postMessage('ready');
}
