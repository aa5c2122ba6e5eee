/**
 * libvips as WebAssembly, in a thread of its own: what a stranger has sent is decoded in memory that belongs to nobody else, the
 * process goes on meanwhile, and a decoder that takes too long is ended with its thread.
 * @see https://www.libvips.org/API/current/ctor.Image.thumbnail_buffer.html
 */
import worker from 'node:worker_threads';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { imageMakeMs, imageOpenMs, imagePixelsMax, pictureBytesMax, thumbnailQuality } from '../../bounds.ts';
import type { Images, ImageSize, MadeImages } from '../../ports/images.ts';
import { type ThreadData, type ThreadRequest, vipsThread } from './vips-thread.ts';

/** The library's one function, as text, and what it loads. */
export interface VipsFiles {
  readonly library: string;
  readonly wasm: Uint8Array<ArrayBuffer>;
}

export interface VipsOptions {
  readonly files: () => Promise<VipsFiles>;
  readonly bytesMax?: number;
  readonly pixelsMax?: number;
  /** For one picture in all its sizes. */
  readonly makeMs?: number;
}

export class VipsImages implements Images {
  readonly #options: Required<VipsOptions>;
  #thread: Promise<worker.Worker> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({
    bytesMax = pictureBytesMax,
    pixelsMax = imagePixelsMax,
    makeMs = imageMakeMs,
    files,
  }: VipsOptions) {
    this.#options = { files, bytesMax, pixelsMax, makeMs };
  }

  /** One picture at a time: the memory of the thread is for one. */
  async make(body: Uint8Array, sizes: readonly ImageSize[]): Promise<MadeImages> {
    const { bytesMax } = this.#options;
    if (body.byteLength > bytesMax)
      return refused('too_many_bytes', `has ${body.byteLength} bytes; ${bytesMax} are taken`);
    const made = this.#turn.then(() => this.#make({ body, sizes }));
    this.#turn = made.catch(() => undefined);
    return made;
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await (await thread?.catch(() => undefined))?.terminate();
  }

  async #make(request: ThreadRequest): Promise<MadeImages> {
    const { makeMs } = this.#options;
    const thread = await this.#opened();
    const answer = await answerOf(thread, makeMs, () => {
      thread.postMessage(request);
    });
    if (answer.kind === 'answered') return answer.message as MadeImages;
    await this.close();
    // A picture that ends the decoder, as one that takes too long, is one that nobody is shown.
    return answer.kind === 'late'
      ? refused('too_slow', `took more than ${makeMs} ms`)
      : refused('damaged', `ended the decoder: ${answer.reason}`.slice(0, 200));
  }

  #opened(): Promise<worker.Worker> {
    this.#thread ??= this.#open().catch((error: unknown) => {
      this.#thread = undefined;
      throw new UnavailableError('the decoder of pictures does not begin', { cause: error });
    });
    return this.#thread;
  }

  async #open(): Promise<worker.Worker> {
    const { library, wasm } = await this.#options.files();
    const { pixelsMax } = this.#options;
    const source = `const open = ${library};`;
    const workerData: ThreadData = {
      wasm,
      pixelsMax,
      quality: thumbnailQuality,
      helper: `${source} open();`,
    };
    const thread = new worker.Worker(
      `${source} (${vipsThread.toString()})(open, require('node:worker_threads'));`,
      // Nothing of the process's environment; and what the library says of a picture is for nobody's log.
      { eval: true, workerData, env: { VIPS_WARNING: 'false' } },
    );
    const answer = await answerOf(thread, imageOpenMs, () => undefined);
    if (answer.kind === 'answered') {
      // It ends with the process.
      thread.unref();
      return thread;
    }
    await thread.terminate();
    throw new Error(answer.kind === 'late' ? `not within ${imageOpenMs} ms` : answer.reason);
  }
}

function refused(reason: Extract<MadeImages, { kind: 'refused' }>['reason'], detail: string): MadeImages {
  return { kind: 'refused', reason, detail };
}

type Answer =
  | { readonly kind: 'answered'; readonly message: unknown }
  | { readonly kind: 'late' }
  | { readonly kind: 'ended'; readonly reason: string };

/** The next message of a thread; never rejects. */
function answerOf(thread: worker.Worker, withinMs: number, ask: () => void): Promise<Answer> {
  return new Promise((resolve) => {
    const settle = (answer: Answer): void => {
      clearTimeout(timer);
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      resolve(answer);
    };
    const onMessage = (message: unknown): void => {
      settle({ kind: 'answered', message });
    };
    const onError = (error: unknown): void => {
      settle({ kind: 'ended', reason: String(error) });
    };
    const onExit = (code: number): void => {
      settle({ kind: 'ended', reason: `exit ${code}` });
    };
    const timer = setTimeout(() => {
      settle({ kind: 'late' });
    }, withinMs);
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    ask();
  });
}
