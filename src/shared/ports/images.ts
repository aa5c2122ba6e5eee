/**
 * Pictures made smaller: whatever bytes a stranger has sent become pictures in sizes of our own, or a reason why not.
 *
 * Invariants of the adapter (tests/unit/images.test.ts):
 * - What is no picture, or too much of one, is refused, and never an error: nothing that a stranger sends ends a function.
 * - How large a picture is, is known from its header before a pixel of it is decoded; beyond the bound none is.
 * - What is made shows the picture upright and holds pixels alone: no place, no camera, no colour profile.
 */

/** What is wanted: no side is longer, and nothing is enlarged. */
export interface ImageSize {
  readonly name: string;
  readonly sidePixels: number;
}

/** Why nothing was made. */
export const IMAGE_REFUSALS = [
  'not_a_picture',
  'unsupported_format',
  'too_many_bytes',
  'too_many_pixels',
  'damaged',
  'too_slow',
] as const;
export type ImageRefusal = (typeof IMAGE_REFUSALS)[number];

export interface MadeImage {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** WebP. */
  readonly bytes: Uint8Array;
}

export type MadeImages =
  /** Of a picture with so many pixels, upright. */
  | {
      readonly kind: 'made';
      readonly width: number;
      readonly height: number;
      readonly images: readonly MadeImage[];
    }
  | { readonly kind: 'refused'; readonly reason: ImageRefusal; readonly detail: string };

export interface Images {
  /**
   * JPEG, PNG, WebP and GIF; of what moves the first picture.
   * @throws UnavailableError when the decoder itself cannot be had: that says nothing of the picture.
   */
  make(body: Uint8Array, sizes: readonly ImageSize[]): Promise<MadeImages>;
  close(): Promise<void>;
}
