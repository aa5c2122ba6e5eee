/** The course of a simulated run as a picture: keys at risk and keys on which sites differ, over its steps. Pure. */
import {
  drawAxis,
  drawFrame,
  drawMark,
  drawPanel,
  HEAD,
  LEFT,
  type Panel,
  placed,
  RIGHT,
  ROW_HEIGHT,
  WIDTH,
} from '../report/plot.ts';
import type { Course } from './course.ts';

const PANEL_HEIGHT = 130;
const GAP = 34;
const LABELS = 8;

/** The picture as SVG text. */
export function courseSvg(
  { samples, marks, steps }: Pick<Course, 'marks' | 'samples' | 'steps'>,
  { title }: { readonly title: string },
): string {
  const until = Math.max(1, steps);
  const x = (step: number): number => LEFT + (step / until) * (WIDTH - LEFT - RIGHT);
  const labels = placed(
    marks.map(({ text, step, atMs }) => ({ text: `${text}, ${(atMs / 1_000).toFixed(1)} s`, at: step })),
    x,
  );
  const rows = Math.max(0, ...labels.map(({ row }) => row + 1));
  const top = HEAD + rows * ROW_HEIGHT;
  const panel = (index: number, panelTitle: string, colour: string, values: readonly number[]): Panel => ({
    top: top + index * (PANEL_HEIGHT + GAP),
    height: PANEL_HEIGHT,
    title: panelTitle,
    layers: [{ colour, values }],
  });
  const panels = [
    panel(
      0,
      'keys at risk: a peer has not accepted a write',
      '#b91c1c',
      samples.map(({ atRisk }) => atRisk),
    ),
    panel(
      1,
      'keys on which sites differ',
      '#2563eb',
      samples.map(({ differing }) => differing),
    ),
  ];
  const bottom = top + panels.length * (PANEL_HEIGHT + GAP) - GAP;
  const [begin, end] = drawFrame(title, title, bottom);
  return [
    ...begin,
    ...panels.flatMap(drawPanel),
    ...drawAxis({ x, from: 0, until, step: wholeStep(until / LABELS), title: 'steps' }, bottom),
    ...labels.flatMap((label) => drawMark(label, bottom)),
    ...end,
  ].join('\n');
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function wholeStep(value: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(value)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= value) ?? power;
}
