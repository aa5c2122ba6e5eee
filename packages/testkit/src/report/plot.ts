/** Pictures of a run over an axis: stacked bars in panels, and labels of what happened when. Pure. */

export const WIDTH = 1_000;
export const LEFT = 56;
export const RIGHT = 24;
export const HEAD = 90;
export const ROW_HEIGHT = 16;
/** Of a letter at the size of the labels, roughly. */
const CHARACTER = 5.9;
export const INK = '#0f172a';
const MUTED = '#64748b';
const GRID = '#e2e8f0';

/** What happened, with its place on the axis. */
export interface Mark {
  readonly text: string;
  readonly at: number;
}

export interface Placed extends Mark {
  readonly x: number;
  readonly row: number;
  /** The text stands to the left of its line. */
  readonly before: boolean;
}

/** Everything but what is drawn on it. @param bottom Of the lowest panel. */
export function drawFrame(title: string, heading: string, bottom: number): readonly [string[], string[]] {
  const height = bottom + 48;
  return [
    [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">`,
      `<title>${escaped(title)}</title>`,
      `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
      text(LEFT, 24, heading, `font-size="15" font-weight="600" fill="${INK}"`),
    ],
    ['</svg>', ''],
  ];
}

export interface Panel {
  readonly top: number;
  readonly height: number;
  readonly title: string;
  /** Stacked, the first one at the bottom; a value for each second. */
  readonly layers: readonly { readonly colour: string; readonly values: readonly number[] }[];
}

export function drawPanel({ top, height, title, layers }: Panel): string[] {
  const count = layers[0]?.values.length ?? 0;
  const sums = Array.from({ length: count }, (_value, at) =>
    layers.reduce((sum, { values }) => sum + (values[at] ?? 0), 0),
  );
  const most = niceAbove(Math.max(1, ...sums));
  const y = (value: number): number => top + height - (value / most) * height;
  const [left, right] = [LEFT, WIDTH - RIGHT];
  const below = new Array<number>(count).fill(0);
  const width = (right - left) / Math.max(1, count);
  const bars = layers.flatMap(({ colour, values }) => {
    const path = values.map((value, at) => {
      const base = below[at] ?? 0;
      below[at] = base + value;
      return value === 0
        ? ''
        : `M${px(left + at * width)} ${px(y(base))}V${px(y(base + value))}h${px(width)}V${px(y(base))}z`;
    });
    return [`<path d="${path.join('')}" fill="${colour}" fill-opacity="0.85"/>`];
  });
  const lines = [0, most / 2, most].flatMap((value) => [
    `<line x1="${left}" y1="${px(y(value))}" x2="${right}" y2="${px(y(value))}" stroke="${GRID}"/>`,
    text(left - 8, y(value) + 4, String(value), `text-anchor="end" fill="${MUTED}" font-size="11"`),
  ]);
  return [...lines, ...bars, text(left, top - 8, title, `fill="${MUTED}" font-size="11" ${HALO}`)];
}

export interface Axis {
  readonly x: (at: number) => number;
  readonly from: number;
  readonly until: number;
  /** From one label to the next. */
  readonly step: number;
  readonly title: string;
}

export function drawAxis({ x, from, until, step, title }: Axis, bottom: number): string[] {
  const first = Math.ceil(from / step) * step;
  const ticks = Array.from(
    { length: Math.floor((until - first) / step) + 1 },
    (_tick, index) => first + index * step,
  );
  return [
    ...ticks.flatMap((at) => [
      `<line x1="${px(x(at))}" y1="${bottom}" x2="${px(x(at))}" y2="${bottom + 5}" stroke="${MUTED}"/>`,
      text(
        x(at),
        bottom + 18,
        at.toLocaleString('en'),
        `text-anchor="middle" fill="${MUTED}" font-size="11"`,
      ),
    ]),
    text(
      (LEFT + WIDTH - RIGHT) / 2,
      bottom + 36,
      title,
      `text-anchor="middle" fill="${MUTED}" font-size="11"`,
    ),
  ];
}

/** Each label in the first row where it overlaps nothing. */
export function placed(marks: readonly Mark[], x: (at: number) => number): readonly Placed[] {
  const ends: [number, number][][] = [];
  return marks.map((mark) => {
    const at = x(mark.at);
    const width = mark.text.length * CHARACTER + 10;
    const before = at + width > WIDTH - 4;
    const [from, until] = before ? [at - width, at] : [at, at + width];
    const free = ends.findIndex((row) => row.every(([a, b]) => until <= a || from >= b));
    const row = free === -1 ? ends.length : free;
    (ends[row] ??= []).push([from, until]);
    return { ...mark, x: at, row, before };
  });
}

export function drawMark({ text: reported, x, row, before }: Placed, bottom: number): string[] {
  const y = HEAD - 20 + row * ROW_HEIGHT;
  const anchor = before ? 'text-anchor="end" ' : '';
  return [
    `<line x1="${px(x)}" y1="${y - 10}" x2="${px(x)}" y2="${bottom}" stroke="${INK}" stroke-width="1" stroke-dasharray="3 3" stroke-opacity="0.6"/>`,
    text(x + (before ? -5 : 5), y, reported, `${anchor}fill="${INK}" font-size="11" ${HALO}`),
  ];
}

export function drawLegend(entries: readonly (readonly [string, string])[]): string[] {
  let x = LEFT;
  return entries.flatMap(([reported, colour]) => {
    const at = x;
    x += reported.length * CHARACTER + 40;
    return [
      `<rect x="${px(at)}" y="33" width="10" height="10" fill="${colour}" fill-opacity="0.85"/>`,
      text(at + 15, 42, reported, `fill="${INK}" font-size="11"`),
    ];
  });
}

/** Keeps text readable where a line crosses it. */
const HALO = 'paint-order="stroke" stroke="#ffffff" stroke-width="3" stroke-linejoin="round"';

function text(x: number, y: number, reported: string, attributes: string): string {
  return `<text x="${px(x)}" y="${px(y)}" ${attributes}>${escaped(reported)}</text>`;
}

function escaped(reported: string): string {
  return reported.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** The next of 2, 4, 10, 20, 40, …: halves of them are whole. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [2, 4, 6, 10, 20].map((factor) => factor * power).find((nice) => nice >= value) ?? value;
}
