/** What is below what in a trace: for whoever draws one. Pure, and without anything that a browser has not. */
import type { SpanFacts } from './trace.ts';

export interface SpanRow {
  readonly span: SpanFacts;
  /** 0: nothing of this trace is above it. */
  readonly depth: number;
  /** How many rows after this one are below it. */
  readonly below: number;
}

/**
 * Parents before children, and those of one parent in the order that they have. A child whose parent is not there stands at the
 * top, like what began the trace; so does the first of spans that name each other as parents.
 */
export function spanRows(spans: readonly SpanFacts[]): readonly SpanRow[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentId }) =>
    parentId !== undefined && known.has(parentId) ? parentId : undefined,
  );
  const rows: { span: SpanFacts; depth: number; below: number }[] = [];
  const seen = new Set<string>();
  // With a list of our own: a chain of thousands is no reason to run out of stack.
  const walk = (tops: readonly SpanFacts[]): void => {
    const rest = tops.map((span) => ({ span, depth: 0 })).reverse();
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      const { span, depth } = next;
      if (seen.has(span.spanId)) continue;
      seen.add(span.spanId);
      rows.push({ span, depth, below: 0 });
      const own = children.get(span.spanId) ?? [];
      for (const child of own.toReversed()) rest.push({ span: child, depth: depth + 1 });
    }
  };
  walk(children.get(undefined) ?? []);
  for (const span of spans) if (!seen.has(span.spanId)) walk([span]);
  countBelow(rows);
  return rows;
}

/** Each row is in the count of every row that it is below of. */
function countBelow(rows: { depth: number; below: number }[]): void {
  const above: { depth: number; at: number }[] = [];
  const close = (depth: number, end: number): void => {
    for (let last = above.at(-1); last !== undefined && last.depth >= depth; last = above.at(-1)) {
      const row = rows[last.at];
      if (row !== undefined) row.below = end - last.at - 1;
      above.pop();
    }
  };
  for (const [at, { depth }] of rows.entries()) {
    close(depth, at);
    above.push({ depth, at });
  }
  close(0, rows.length);
}

/** From the first beginning to the last end, epoch milliseconds; of nothing both are 0. */
export function extentOf(spans: readonly SpanFacts[]): { readonly startMs: number; readonly endMs: number } {
  const [first] = spans;
  if (first === undefined) return { startMs: 0, endMs: 0 };
  return spans.reduce(
    (extent, { startMs, endMs }) => ({
      startMs: Math.min(extent.startMs, startMs),
      endMs: Math.max(extent.endMs, endMs),
    }),
    { startMs: first.startMs, endMs: first.endMs },
  );
}

/** What a span is called where there is one line for it: with its entity and its peer. */
export function titleOf({ name, attributes }: SpanFacts): string {
  const entity = attributes['tandem.entity'];
  const peer = attributes['tandem.peer'];
  return [
    name,
    ...(entity === undefined ? [] : [`(${entity})`]),
    ...(peer === undefined ? [] : [`→ ${peer}`]),
  ].join(' ');
}

/** The other traces that a span is linked with: the batch that it was a part of, or the parts of a batch. */
export function linkedTraces({ links }: Pick<SpanFacts, 'links'>, traceId: string): readonly string[] {
  return [...new Set(links.map((link) => link.traceId))].filter((id) => id !== traceId);
}
