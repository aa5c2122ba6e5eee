/** Which rows of a trace are shown, and where their bars are. Pure. */
import type { SpanRow } from '@tandem-clouds/emulators/otlp/span-tree';
import type { SpanFacts } from '@tandem-clouds/emulators/otlp/trace';

/** What a bar's width is counted in. */
export const BAR_UNITS = 1_000;
/** Narrower than this, nobody sees it. */
const BAR_MIN = 4;

export interface RowFilter {
  /** In what a span is called, or in how it failed; case does not count. */
  readonly text?: string | undefined;
  readonly site?: string | undefined;
  readonly failed?: boolean;
  /** Spans of which nothing below is shown. */
  readonly folded: ReadonlySet<string>;
}

/** What is looked for, with all that is above it; and nothing below what is folded. */
export function shownRows(
  rows: readonly SpanRow[],
  { text = '', site = '', failed = false, folded }: RowFilter,
): readonly SpanRow[] {
  const wanted = text.toLowerCase();
  const isWanted = ({ span }: SpanRow): boolean =>
    (site === '' || span.site === site) &&
    (!failed || span.failure !== undefined) &&
    (wanted === '' || textOf(span).includes(wanted));
  const kept = text === '' && site === '' && !failed ? rows : withAbove(rows, isWanted);
  let hiddenBelow = Number.POSITIVE_INFINITY;
  return kept.filter(({ span, depth }) => {
    if (depth > hiddenBelow) return false;
    hiddenBelow = folded.has(span.spanId) ? depth : Number.POSITIVE_INFINITY;
    return true;
  });
}

function textOf({ name, failure = '', attributes }: SpanFacts): string {
  const { 'tandem.entity': entity = '', 'tandem.peer': peer = '' } = attributes;
  return `${name} ${entity} ${peer} ${failure}`.toLowerCase();
}

function withAbove(rows: readonly SpanRow[], isWanted: (row: SpanRow) => boolean): readonly SpanRow[] {
  const kept = new Set<SpanRow>();
  const above: SpanRow[] = [];
  for (const row of rows) {
    while ((above.at(-1)?.depth ?? -1) >= row.depth) above.pop();
    above.push(row);
    // From the bottom up, to the first that is kept already: all above that one are too.
    for (let at = above.length - 1; isWanted(row) && at >= 0; at -= 1) {
      const each = above[at];
      if (each === undefined || kept.has(each)) break;
      kept.add(each);
    }
  }
  return rows.filter((row) => kept.has(row));
}

/** @returns In `BAR_UNITS`. */
export function barOf(
  { startMs, endMs }: Pick<SpanFacts, 'startMs' | 'endMs'>,
  whole: { readonly startMs: number; readonly endMs: number },
): { readonly x: number; readonly width: number } {
  const all = whole.endMs - whole.startMs;
  const at = (ms: number): number => (all === 0 ? 0 : ((ms - whole.startMs) / all) * BAR_UNITS);
  const width = all === 0 ? BAR_UNITS : Math.max(BAR_MIN, at(endMs) - at(startMs));
  return { x: Math.min(at(startMs), BAR_UNITS - width), width };
}

/** The id in what somebody has: an id, how one begins, or a `traceparent`; undefined: none of these. */
export function traceIdIn(text: string): string | undefined {
  const given = text
    .trim()
    .toLowerCase()
    .replace(/^traceparent:\s*/, '');
  const [, inHeader] = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(given) ?? [];
  return inHeader ?? (/^[0-9a-f]{1,32}$/.test(given) ? given : undefined);
}

/** `0.4 ms`, `29.7 ms`, `3.20 s` */
export function precise(ms: number): string {
  return Math.abs(ms) < 1_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}
