/** A trace as lines of text: what is below what, where, from when on and for how long. */
import { aligned } from '@tandem-clouds/command-line/table';
import { extentOf, linkedTraces, spanRows, titleOf } from '@tandem-clouds/emulators/otlp/span-tree';
import type { SpanFacts, Trace } from '@tandem-clouds/emulators/otlp/trace';

const BAR_CELLS = 32;
const NAME_MAX = 44;

export interface WaterfallLine {
  readonly text: string;
  readonly failed: boolean;
}

/** In the order of `spanRows`. */
export function waterfall({ traceId, spans }: Trace): readonly WaterfallLine[] {
  const { startMs, endMs } = extentOf(spans);
  const rows = spanRows(spans);
  const lines = aligned([
    ['site', 'span', 'from ms', '', 'ms'],
    ...rows.map(({ span, depth }) => [
      span.site,
      `${'  '.repeat(depth)}${nameOf(span)}`.slice(0, NAME_MAX),
      (span.startMs - startMs).toFixed(1).padStart(8),
      barOf(span, { startMs, wholeMs: endMs - startMs }),
      (span.endMs - span.startMs).toFixed(1).padStart(7),
    ]),
  ]);
  const title = `trace ${traceId}: ${spans.length} spans, ${(endMs - startMs).toFixed(1)} ms`;
  return [
    { text: title, failed: false },
    ...lines.flatMap((text, index) => {
      const span = rows[index - 1]?.span;
      return [{ text, failed: span?.failure !== undefined }, ...linksOf(span, traceId)];
    }),
  ];
}

function nameOf(span: SpanFacts): string {
  return span.failure === undefined ? titleOf(span) : `${titleOf(span)} ! ${span.failure}`;
}

function linksOf(span: SpanFacts | undefined, traceId: string): readonly WaterfallLine[] {
  const others = span === undefined ? [] : linkedTraces(span, traceId);
  return others.map((id) => ({ text: `    with ${id}`, failed: false }));
}

function barOf(
  { startMs, endMs }: SpanFacts,
  whole: { readonly startMs: number; readonly wholeMs: number },
): string {
  const cell = (ms: number): number =>
    whole.wholeMs === 0 ? 0 : Math.round(((ms - whole.startMs) / whole.wholeMs) * BAR_CELLS);
  const from = Math.min(cell(startMs), BAR_CELLS - 1);
  const to = Math.max(cell(endMs), from + 1);
  return `${' '.repeat(from)}${'█'.repeat(to - from)}${'·'.repeat(BAR_CELLS - to)}`;
}
