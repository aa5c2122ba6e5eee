/** Pictures of products, drawn: a coloured ground, and what the category is known by. PNG (https://www.w3.org/TR/png-3/). */
import { crc32, deflateSync } from 'node:zlib';
import type { Category } from './catalogue.ts';

export const WIDTH = 640;
export const HEIGHT = 480;

type Colour = readonly [number, number, number];

/** Whether a point is within it; both from 0 to 1, the second downwards, of a square in the middle. */
type Shape = (x: number, y: number) => boolean;

const ellipse =
  (cx: number, cy: number, rx: number, ry: number): Shape =>
  (x, y) =>
    ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1;
const box =
  (left: number, top: number, right: number, bottom: number): Shape =>
  (x, y) =>
    x >= left && x <= right && y >= top && y <= bottom;
const without =
  (shape: Shape, hole: Shape): Shape =>
  (x, y) =>
    shape(x, y) && !hole(x, y);
const ring = (cx: number, cy: number, radius: number, width: number): Shape =>
  without(ellipse(cx, cy, radius, radius), ellipse(cx, cy, radius - width, radius - width));
const cup = (top: number, bottom: number): Shape[] => [
  (x, y) => y >= top && y <= bottom && Math.abs(x - 0.45) <= 0.26 - 0.2 * ((y - top) / (bottom - top)) ** 2,
  without(ellipse(0.74, top + 0.13, 0.13, 0.12), ellipse(0.74, top + 0.13, 0.08, 0.07)),
  box(0.15, bottom + 0.03, 0.78, bottom + 0.07),
];

const SHAPES: Readonly<Record<Category, readonly Shape[]>> = {
  tea: [...cup(0.42, 0.76), ellipse(0.38, 0.28, 0.02, 0.09), ellipse(0.52, 0.25, 0.02, 0.09)],
  coffee: [
    without(ellipse(0.36, 0.5, 0.2, 0.3), (x, y) => Math.abs(x - 0.36 - 0.05 * Math.sin(y * 9)) < 0.02),
    without(ellipse(0.68, 0.56, 0.16, 0.24), (x, y) => Math.abs(x - 0.68 + 0.04 * Math.sin(y * 9)) < 0.018),
  ],
  kitchen: [
    box(0.22, 0.42, 0.72, 0.78),
    box(0.72, 0.46, 0.94, 0.52),
    box(0.18, 0.36, 0.76, 0.41),
    ellipse(0.47, 0.33, 0.05, 0.04),
  ],
  bicycles: [
    ring(0.25, 0.64, 0.2, 0.035),
    ring(0.75, 0.64, 0.2, 0.035),
    (x, y) => y >= 0.36 && y <= 0.64 && Math.abs(x - 0.25 - (0.64 - y) * 0.45) < 0.018,
    (x, y) => y >= 0.36 && y <= 0.64 && Math.abs(x - 0.47 - (0.64 - y) * 0.7) < 0.018,
    box(0.36, 0.4, 0.66, 0.43),
    box(0.3, 0.3, 0.46, 0.345),
    box(0.62, 0.28, 0.74, 0.32),
  ],
  garden: [
    (x, y) => ellipse(0.4, 0.42, 0.3, 0.3)(x, y) && ellipse(0.62, 0.56, 0.34, 0.34)(x, y),
    (x, y) => y > 0.4 && y < 0.9 && Math.abs(x - 0.52 + (y - 0.5) * 0.1) < 0.015,
  ],
  paper: [without(box(0.28, 0.2, 0.72, 0.8), box(0.34, 0.2, 0.36, 0.8)), box(0.44, 0.34, 0.64, 0.37)],
  home: [
    (x, y) => y >= 0.22 && y <= 0.48 && Math.abs(x - 0.5) <= (y - 0.22) * 1.3,
    without(box(0.24, 0.48, 0.76, 0.8), box(0.44, 0.58, 0.58, 0.8)),
  ],
};

const HUES: Readonly<Record<Category, number>> = {
  tea: 95,
  coffee: 25,
  kitchen: 205,
  bicycles: 5,
  garden: 140,
  paper: 270,
  home: 45,
};

/** @param number Of the product: a shade of its own. */
export function drawPicture(category: Category, number: number): Buffer {
  const hue = HUES[category] + ((number * 37) % 50) - 25;
  const [sky, ground] = [colour(hue, 0.35, 0.93), colour(hue, 0.45, 0.74)];
  const ink = colour(hue + 180 * (number % 2), 0.55, 0.3 + 0.06 * (number % 3));
  const mask = maskOf(category);
  const rows: Buffer[] = [];
  for (let row = 0; row < HEIGHT; row += 1) {
    const line = Buffer.alloc(1 + WIDTH * 3);
    const back = mixed(sky, ground, row / HEIGHT);
    for (let column = 0; column < WIDTH; column += 1)
      line.set(mixed(back, ink, mask[row * WIDTH + column] ?? 0), 1 + column * 3);
    rows.push(line);
  }
  return png(Buffer.concat(rows));
}

/** Category → how much of each pixel is within a shape. */
const masks = new Map<Category, Float32Array>();

/** By the corners of the pixels, which neighbours share. */
function maskOf(category: Category): Float32Array {
  const known = masks.get(category);
  if (known !== undefined) return known;
  const shapes = SHAPES[category];
  const isWithin = (column: number, row: number): number => {
    const [x, y] = [(column - (WIDTH - HEIGHT) / 2) / HEIGHT, row / HEIGHT];
    return shapes.some((shape) => shape(x, y)) ? 0.25 : 0;
  };
  const mask = new Float32Array(WIDTH * HEIGHT);
  const line = (row: number): number[] =>
    Array.from({ length: WIDTH + 1 }, (_, column) => isWithin(column, row));
  let above = line(0);
  for (let row = 0; row < HEIGHT; row += 1) {
    const below = line(row + 1);
    for (let column = 0; column < WIDTH; column += 1)
      mask[row * WIDTH + column] = [above, below]
        .map((corners) => (corners[column] ?? 0) + (corners[column + 1] ?? 0))
        .reduce((sum, each) => sum + each, 0);
    above = below;
  }
  masks.set(category, mask);
  return mask;
}

function mixed(a: Colour, b: Colour, share: number): Colour {
  const of = (one: number, other: number): number => Math.round(one + (other - one) * share);
  return [of(a[0], b[0]), of(a[1], b[1]), of(a[2], b[2])];
}

/** https://www.w3.org/TR/css-color-4/#hsl-to-rgb */
function colour(hue: number, saturation: number, lightness: number): Colour {
  const part = (n: number): number => {
    const k = (((n + hue / 30) % 12) + 12) % 12;
    const a = saturation * Math.min(lightness, 1 - lightness);
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}

function png(rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 6 })),
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
