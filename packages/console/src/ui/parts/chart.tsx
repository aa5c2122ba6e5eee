/** A line chart of the last minutes. What it shows is said beside it in words too. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

export interface Line {
  readonly name: string;
  /** As the times; null: not known then. */
  readonly values: readonly (number | null)[];
}

const HEIGHT_PX = 150;
/** Names of colours in the style sheet, in the order of the lines. */
const COLOURS = ['--line-1', '--line-2', '--line-3', '--line-4'];

/** @param times Epoch milliseconds, ascending. */
export function Chart({
  title,
  unit,
  times,
  lines,
}: {
  title: string;
  unit: string;
  times: readonly number[];
  lines: readonly Line[];
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const names = lines.map(({ name }) => name).join('\n');
  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const made = new uPlot(optionsOf(current, lines), [[]], current);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: current.clientWidth, height: HEIGHT_PX }));
    resized.observe(current);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [names]);
  useEffect(() => {
    plot.current?.setData([times.map((ms) => ms / 1_000), ...lines.map(({ values }) => [...values])]);
  }, [times, lines, names]);
  return (
    <figure class="chart">
      <figcaption>
        {title}{' '}
        {lines.map(({ name, values }, index) => (
          <span class="key" key={name}>
            <i class={`swatch swatch-${index + 1}`} aria-hidden="true" />
            {name}: {values.at(-1) ?? '—'} {unit}
          </span>
        ))}
      </figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  );
}

function optionsOf(box: HTMLElement, lines: readonly Line[]): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: box.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max)] } },
    axes: [axis, { ...axis, size: 56 }],
    series: [
      {},
      ...lines.map((_line, index) => ({
        stroke: colour(COLOURS[index % COLOURS.length] ?? '--text'),
        width: 2,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}
