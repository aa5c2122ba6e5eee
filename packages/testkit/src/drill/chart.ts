/**
 * A drill as a picture: good answers a second by site, errors and keys at risk below them, and what happened
 * when. Pure.
 */
import type { Observed } from '../history/observed.ts';
import { GROUPS } from '../history/observed.ts';
import {
  drawAxis,
  drawFrame,
  drawLegend,
  drawMark,
  drawPanel,
  HEAD,
  LEFT,
  type Mark,
  type Panel,
  placed,
  px,
  RIGHT,
  ROW_HEIGHT,
  WIDTH,
} from '../report/plot.ts';
import type { Moments } from './result.ts';
import type { Second } from './series.ts';

const PLOT_HEIGHT = 200;
const ERRORS_HEIGHT = 90;
const AT_RISK_HEIGHT = 70;
const GAP = 34;
const COLOURS = {
  victim: '#d97706',
  survivor: '#2563eb',
  'honours TTL': '#b91c1c',
  'ignores TTL': '#fca5a5',
  'fails over': '#7e22ce',
};

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
      ms === undefined ? [] : [{ text: `${text} ${(ms / 1_000).toFixed(1)} s`, at: ms / 1_000 }],
    )
    .toSorted((a, b) => a.at - b.at);
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
  const atRisk: Panel = {
    top: errors.top + ERRORS_HEIGHT + GAP,
    height: AT_RISK_HEIGHT,
    title: 'keys at risk, as each site says of itself',
    layers: [survivor, victim].map((site) => ({
      colour: site === victim ? COLOURS.victim : COLOURS.survivor,
      values: seconds.map((second) => second.atRisk?.[site] ?? 0),
    })),
  };
  const bottom = atRisk.top + AT_RISK_HEIGHT;
  const awayUntil = x((moments.serves ?? moments.back) / 1_000);
  const legend: [string, string][] = [
    [`answered by ${survivor}`, COLOURS.survivor],
    [`answered by ${victim}`, COLOURS.victim],
    ['errors: clients that honour the TTL', COLOURS['honours TTL']],
    ['errors: clients that ignore it', COLOURS['ignores TTL']],
    ['errors: clients with failover', COLOURS['fails over']],
  ];
  const [begin, end] = drawFrame(
    `${drill}: requests a second`,
    `${drill}: ${victim} is killed and comes back`,
    bottom,
  );
  return [
    ...begin,
    ...drawLegend(legend),
    `<rect x="${px(x(0))}" y="${top}" width="${px(awayUntil - x(0))}" height="${bottom - top}" fill="#f1f5f9"/>`,
    ...drawPanel(good),
    ...drawPanel(errors),
    ...drawPanel(atRisk),
    ...drawAxis(
      {
        ...{ x, from: fromS, until: untilS, step: niceStep((untilS - fromS) / 12) },
        title: 'seconds after the cut',
      },
      bottom,
    ),
    ...marks.flatMap((mark) => drawMark(mark, bottom)),
    ...end,
  ].join('\n');
}

function niceStep(value: number): number {
  return [1, 2, 5, 10, 20, 30, 60].find((nice) => nice >= value) ?? 120;
}
