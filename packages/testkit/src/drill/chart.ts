/** A drill as a picture: good answers a second by site, errors a second below them, and what happened when. Pure. */
import type { Observed } from '../history/observed.ts';
import { GROUPS } from '../history/observed.ts';
import type { Moments } from './result.ts';
import type { Second } from './series.ts';

const WIDTH = 1_000;
const LEFT = 56;
const RIGHT = 24;
const PLOT_HEIGHT = 200;
const ERRORS_HEIGHT = 90;
const GAP = 34;
const HEAD = 90;
const ROW_HEIGHT = 16;
/** Of a letter at the size of the labels, roughly. */
const CHARACTER = 5.9;
const INK = '#0f172a';
const MUTED = '#64748b';
const GRID = '#e2e8f0';
const COLOURS = {
  victim: '#d97706',
  survivor: '#2563eb',
  'honours TTL': '#b91c1c',
  'ignores TTL': '#fca5a5',
  'fails over': '#7e22ce',
};

/** What happened, with its place on the axis of time. */
interface Mark {
  readonly text: string;
  readonly atS: number;
}

interface Placed extends Mark {
  readonly x: number;
  readonly row: number;
  /** The text stands to the left of its line. */
  readonly before: boolean;
}

/** The marks of a drill, in the order of their time. */
export function marksOf(moments: Moments): readonly Mark[] {
  const named: readonly (readonly [string, number | undefined])[] = [
    ['cut', 0],
    ['first good answer elsewhere', moments.firstGood],
    ['detected', moments.detected],
    ['redirected', moments.redirected],
    ['last error, TTL honoured', moments.lastError],
    ['full capacity', moments.fullCapacity],
    ['may return', moments.back],
    ['ready', moments.serves],
    ['converged', moments.converged],
    ['in rotation', moments.inRotation],
  ];
  return named
    .flatMap(([text, ms]) =>
      ms === undefined ? [] : [{ text: `${text} ${(ms / 1_000).toFixed(1)} s`, atS: ms / 1_000 }],
    )
    .toSorted((a, b) => a.atS - b.atS);
}

/** The picture as SVG text. */
export function chartOf(
  { drill, victim, survivor }: Pick<Observed, 'drill' | 'survivor' | 'victim'>,
  moments: Moments,
  seconds: readonly Second[],
): string {
  const fromS = seconds[0]?.atS ?? 0;
  const untilS = (seconds.at(-1)?.atS ?? 0) + 1;
  const x = (atS: number): number => LEFT + ((atS - fromS) / (untilS - fromS)) * (WIDTH - LEFT - RIGHT);
  const marks = placed(marksOf(moments), x);
  const rows = Math.max(0, ...marks.map(({ row }) => row + 1));
  const top = HEAD + rows * ROW_HEIGHT;
  const good: Panel = {
    top,
    height: PLOT_HEIGHT,
    title: 'good answers a second',
    layers: [survivor, victim].map((site) => ({
      colour: site === victim ? COLOURS.victim : COLOURS.survivor,
      values: seconds.map((second) => second.good[site] ?? 0),
    })),
  };
  const errors: Panel = {
    top: top + PLOT_HEIGHT + GAP,
    height: ERRORS_HEIGHT,
    title: 'errors a second',
    layers: GROUPS.map((group) => ({
      colour: COLOURS[group],
      values: seconds.map((second) => second.errors[group]),
    })),
  };
  const bottom = errors.top + ERRORS_HEIGHT;
  const awayUntil = x((moments.serves ?? moments.back) / 1_000);
  const legend: [string, string][] = [
    [`answered by ${survivor}`, COLOURS.survivor],
    [`answered by ${victim}`, COLOURS.victim],
    ['errors: clients that honour the TTL', COLOURS['honours TTL']],
    ['errors: clients that ignore it', COLOURS['ignores TTL']],
    ['errors: clients with failover', COLOURS['fails over']],
  ];
  const height = bottom + 48;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">`,
    `<title>${drill}: requests a second</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(
      LEFT,
      24,
      `${drill}: ${victim} is killed and comes back`,
      `font-size="15" font-weight="600" fill="${INK}"`,
    ),
    ...drawLegend(legend),
    `<rect x="${px(x(0))}" y="${top}" width="${px(awayUntil - x(0))}" height="${bottom - top}" fill="#f1f5f9"/>`,
    ...drawPanel(good),
    ...drawPanel(errors),
    ...drawAxis(x, fromS, untilS, bottom),
    ...marks.flatMap((mark) => drawMark(mark, bottom)),
    '</svg>',
    '',
  ].join('\n');
}

interface Panel {
  readonly top: number;
  readonly height: number;
  readonly title: string;
  /** Stacked, the first one at the bottom; a value for each second. */
  readonly layers: readonly { readonly colour: string; readonly values: readonly number[] }[];
}

function drawPanel({ top, height, title, layers }: Panel): string[] {
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

function drawAxis(x: (atS: number) => number, fromS: number, untilS: number, bottom: number): string[] {
  const step = niceStep((untilS - fromS) / 12);
  const first = Math.ceil(fromS / step) * step;
  const ticks = Array.from(
    { length: Math.floor((untilS - first) / step) + 1 },
    (_tick, index) => first + index * step,
  );
  return [
    ...ticks.flatMap((atS) => [
      `<line x1="${px(x(atS))}" y1="${bottom}" x2="${px(x(atS))}" y2="${bottom + 5}" stroke="${MUTED}"/>`,
      text(x(atS), bottom + 18, String(atS), `text-anchor="middle" fill="${MUTED}" font-size="11"`),
    ]),
    text(
      (LEFT + WIDTH - RIGHT) / 2,
      bottom + 36,
      'seconds after the cut',
      `text-anchor="middle" fill="${MUTED}" font-size="11"`,
    ),
  ];
}

/** Each label in the first row where it overlaps nothing. */
function placed(marks: readonly Mark[], x: (atS: number) => number): readonly Placed[] {
  const ends: [number, number][][] = [];
  return marks.map((mark) => {
    const at = x(mark.atS);
    const width = mark.text.length * CHARACTER + 10;
    const before = at + width > WIDTH - 4;
    const [from, until] = before ? [at - width, at] : [at, at + width];
    const free = ends.findIndex((row) => row.every(([a, b]) => until <= a || from >= b));
    const row = free === -1 ? ends.length : free;
    (ends[row] ??= []).push([from, until]);
    return { ...mark, x: at, row, before };
  });
}

function drawMark({ text: reported, x, row, before }: Placed, bottom: number): string[] {
  const y = HEAD - 20 + row * ROW_HEIGHT;
  const anchor = before ? 'text-anchor="end" ' : '';
  return [
    `<line x1="${px(x)}" y1="${y - 10}" x2="${px(x)}" y2="${bottom}" stroke="${INK}" stroke-width="1" stroke-dasharray="3 3" stroke-opacity="0.6"/>`,
    text(x + (before ? -5 : 5), y, reported, `${anchor}fill="${INK}" font-size="11" ${HALO}`),
  ];
}

function drawLegend(entries: readonly (readonly [string, string])[]): string[] {
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
  const escaped = reported.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${px(x)}" y="${px(y)}" ${attributes}>${escaped}</text>`;
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** The next of 2, 4, 10, 20, 40, …: halves of them are whole. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [2, 4, 6, 10, 20].map((factor) => factor * power).find((nice) => nice >= value) ?? value;
}

function niceStep(value: number): number {
  return [1, 2, 5, 10, 20, 30, 60].find((nice) => nice >= value) ?? 120;
}
