/** A trace as lines of text: what is below what, where, from when on and for how long. */
import { aligned } from '@tandem-clouds/command-line/table';
import type { SpanFacts, Trace } from '@tandem-clouds/emulators/otlp/traces';

const BAR_CELLS = 32;
const NAME_MAX = 44;

export interface WaterfallLine {
  readonly text: string;
  readonly failed: boolean;
}

/** A child whose parent is not there stands at the top, like what began the trace. */
export function waterfall({ traceId, spans }: Trace): readonly WaterfallLine[] {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const endMs = Math.max(...spans.map((span) => span.endMs));
  const rows = inOrder(spans);
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

function nameOf({ name, failure, attributes }: SpanFacts): string {
  const entity = attributes['tandem.entity'];
  const peer = attributes['tandem.peer'];
  return [
    name,
    ...(entity === undefined ? [] : [`(${entity})`]),
    ...(peer === undefined ? [] : [`→ ${peer}`]),
    ...(failure === undefined ? [] : [`! ${failure}`]),
  ].join(' ');
}

/** What it is linked with in other traces: the batch that it was a part of, or the parts of a batch. */
function linksOf(span: SpanFacts | undefined, traceId: string): readonly WaterfallLine[] {
  const others = [...new Set(span?.links.map((link) => link.traceId))].filter((id) => id !== traceId);
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

/** Parents before children, and those of one parent by when they began. */
function inOrder(spans: readonly SpanFacts[]): { readonly span: SpanFacts; readonly depth: number }[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentId }) =>
    parentId !== undefined && known.has(parentId) ? parentId : undefined,
  );
  const seen = new Set<string>();
  const below = (parentId: string | undefined, depth: number): { span: SpanFacts; depth: number }[] =>
    (children.get(parentId) ?? []).flatMap((span) => {
      if (seen.has(span.spanId)) return [];
      seen.add(span.spanId);
      return [{ span, depth }, ...below(span.spanId, depth + 1)];
    });
  return below(undefined, 0);
}
