/**
 * The history of one key as a picture: a lane per site, time downwards, a row for everything that happened. Messages
 * cross from lane to lane, faults that last are bands, findings are red.
 *
 * Invariant: rows have the same height whatever the time between them, so nothing overlaps; where much time passes the
 * picture says how much.
 */
import type { Band, TimelineEntry, Tone } from './timeline.ts';

/** What is drawn: a world whose key was watched. */
export interface History {
  readonly sites: readonly { readonly name: string }[];
  readonly timeline: readonly TimelineEntry[];
  readonly bands: readonly Band[];
}

const MARGIN = 16;
const TIME_WIDTH = 84;
const LANE_WIDTH = 330;
const HEAD_HEIGHT = 64;
const ROW_HEIGHT = 24;
const BREAK_HEIGHT = 26;
/** Time between two rows from which on the picture says how much it was. */
const BREAK_MS = 1_000;
const ROWS_MAX = 120;
const CHARACTERS_MAX = 41;
const COLOURS: Readonly<Record<Tone, string>> = {
  client: '#1d4ed8',
  store: '#166534',
  queue: '#475569',
  fault: '#b45309',
  finding: '#dc2626',
};

interface Row {
  readonly entry: TimelineEntry;
  readonly y: number;
  /** Time since the row before, when it is worth saying. */
  readonly pauseMs: number;
}

/** The picture as SVG text. At most 120 rows, the last ones. */
export function historySvg({ sites, timeline, bands }: History, { title }: { title: string }): string {
  const lanes = new Map(sites.map(({ name }, index) => [name, MARGIN + TIME_WIDTH + index * LANE_WIDTH]));
  const rows = rowsOf(timeline.slice(-ROWS_MAX));
  const height = (rows.at(-1)?.y ?? HEAD_HEIGHT) + ROW_HEIGHT + MARGIN;
  const width = MARGIN * 2 + TIME_WIDTH + sites.length * LANE_WIDTH;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#94a3b8"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN, 24, title.slice(0, 60 * (sites.length + 1)), 'font-weight="600" fill="#0f172a"'),
    ...bands.flatMap((band) => drawBand(band, rows, lanes)),
    ...[...lanes].flatMap(([name, x]) => drawLane(name, x, height)),
    ...drawCrossings(rows, lanes),
    ...rows.flatMap((row) => drawRow(row, lanes, width)),
    '</svg>',
    '',
  ].join('\n');
}

function rowsOf(entries: readonly TimelineEntry[]): readonly Row[] {
  let y = HEAD_HEIGHT;
  let beforeMs = entries[0]?.atMs ?? 0;
  return entries.map((entry) => {
    const gapMs = entry.atMs - beforeMs;
    const pauseMs = gapMs >= BREAK_MS ? gapMs : 0;
    y += ROW_HEIGHT + (pauseMs > 0 ? BREAK_HEIGHT : 0);
    beforeMs = entry.atMs;
    return { entry, y, pauseMs };
  });
}

function drawLane(name: string, x: number, height: number): string[] {
  return [
    text(x - 5, HEAD_HEIGHT - 12, name, 'font-weight="600" fill="#334155"'),
    `<line x1="${x}" y1="${HEAD_HEIGHT - 4}" x2="${x}" y2="${height - MARGIN}" stroke="#cbd5e1" stroke-width="2"/>`,
  ];
}

/** From the lane where a message was sent to the one where it was dealt with, or at least accepted. */
function drawCrossings(rows: readonly Row[], lanes: ReadonlyMap<string, number>): string[] {
  return rows.flatMap(({ entry, y }) => {
    const { crossing, site } = entry;
    if (crossing?.from === undefined) return [];
    const end = rows.find(
      (row) => row.entry.crossing?.message === crossing.message && row.entry.crossing.from === undefined,
    );
    const [from, to] = [lanes.get(crossing.from) ?? 0, lanes.get(site) ?? 0];
    const side = Math.sign(to - from) * 6;
    const dash = end === undefined ? ' stroke-dasharray="4 3"' : '';
    return [
      `<line x1="${from + side}" y1="${y - 4}" x2="${to - side}" y2="${(end?.y ?? y) - 4}" stroke="#94a3b8" stroke-width="1.5" marker-end="url(#tip)"${dash}/>`,
    ];
  });
}

function drawRow({ entry, y, pauseMs }: Row, lanes: ReadonlyMap<string, number>, width: number): string[] {
  const { atMs, site, text: reported, tone, crossing } = entry;
  const x = lanes.get(crossing?.from ?? site) ?? MARGIN + TIME_WIDTH;
  const weight = tone === 'finding' || tone === 'fault' ? ' font-weight="600"' : '';
  const shown = crossing?.from === undefined ? reported : `to ${site}: ${reported.replace(/^in queue /, '')}`;
  const most = tone === 'finding' ? Math.floor((width - MARGIN - x) / 7.5) : CHARACTERS_MAX;
  return [
    ...(pauseMs > 0
      ? [
          `<line x1="${MARGIN}" y1="${y - 32}" x2="${width - MARGIN}" y2="${y - 32}" stroke="#e2e8f0" stroke-dasharray="2 4"/>`,
          text(MARGIN, y - 28, `⋮ ${duration(pauseMs)}`, `fill="#94a3b8" ${HALO}`),
        ]
      : []),
    ...(tone === 'finding'
      ? [
          `<rect x="${x - 10}" y="${y - 16}" width="${width - MARGIN - x + 10}" height="${ROW_HEIGHT - 2}" rx="4" fill="#fee2e2"/>`,
        ]
      : []),
    text(MARGIN, y, `${(atMs / 1000).toFixed(3)} s`, 'fill="#64748b" font-size="11"'),
    `<circle cx="${x}" cy="${y - 4}" r="4" fill="${COLOURS[tone]}"/>`,
    text(x + 12, y, cut(shown, most), `fill="${COLOURS[tone]}"${weight} ${HALO}`),
  ];
}

/** A band covers the rows of its time: in the lane of its site, or between the lanes of two. */
function drawBand(
  { text: reported, sites, fromMs, untilMs }: Band,
  rows: readonly Row[],
  lanes: ReadonlyMap<string, number>,
): string[] {
  const inside = rows.filter(({ entry }) => entry.atMs >= fromMs && entry.atMs <= untilMs);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined) return [];
  const xs = sites.map((site) => lanes.get(site) ?? 0);
  const left = Math.min(...xs) - 10;
  const right = xs.length === 1 ? left + LANE_WIDTH - 8 : Math.max(...xs) + 10;
  const top = first.y - ROW_HEIGHT + 6;
  return [
    `<rect x="${left}" y="${top}" width="${right - left}" height="${last.y - top + 6}" rx="4" fill="#fef3c7"/>`,
    text(right - 6, top + 14, reported, 'text-anchor="end" fill="#b45309" font-size="11"'),
  ];
}

/** Keeps text readable where a line crosses it. */
const HALO = 'paint-order="stroke" stroke="#ffffff" stroke-width="3" stroke-linejoin="round"';

function text(x: number, y: number, reported: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(reported)}</text>`;
}

function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

function cut(reported: string, most: number): string {
  return reported.length > most ? `${reported.slice(0, most - 1)}…` : reported;
}

function escaped(reported: string): string {
  return reported.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
