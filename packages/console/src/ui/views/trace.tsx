/** One trace: a row for each span with its bar, and all that is known of the one that is chosen. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { extentOf, type SpanRow, spanRows, titleOf } from '@tandem-clouds/emulators/otlp/span-tree';
import { type SpanFacts, SPANS_MAX, type Trace } from '@tandem-clouds/emulators/otlp/trace';
import { ask } from '../api.ts';
import { count } from '../format.ts';
import { useLoaded } from '../loaded.ts';
import { Choice, Copy, Filter, Shown, Title } from '../parts/parts.tsx';
import { hrefOf, refine, route } from '../route.ts';
import { precise, shownRows } from '../trace-rows.ts';
import { TraceLines } from './trace-lines.tsx';
import { Check, Live, REFRESH_MS } from './trace-parts.tsx';
import { Waterfall } from './waterfall.tsx';

/** Rows at once: a trace of thousands is looked through page by page. */
const ROWS_MAX = 200;

export function TraceView({ id }: { id: string }): JSX.Element {
  const loaded = useLoaded(
    id,
    (signal) => ask<Trace>(`/api/traces/${encodeURIComponent(id)}`, { signal }),
    route.value.query['live'] === 'false' ? undefined : REFRESH_MS,
  );
  return (
    <>
      <Title text="Trace" note={id}>
        <Copy text={id} label="Copy its id" />
        <a href={hrefOf('traces')}>All traces</a>
      </Title>
      <Shown loaded={loaded}>{(trace) => <Whole trace={trace} />}</Shown>
      <TraceLines traceId={id} />
    </>
  );
}

function Whole({ trace }: { trace: Trace }): JSX.Element {
  const { spans } = trace;
  const { text, site, failed, span: chosenId } = route.value.query;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => spanRows(spans), [spans]);
  const extent = useMemo(() => extentOf(spans), [spans]);
  const sites = useMemo(() => [...new Set(spans.map((span) => span.site))].sort(), [spans]);
  const shown = useMemo(
    () => shownRows(rows, { text, site, failed: failed === 'true', folded }),
    [rows, text, site, failed, folded],
  );
  const fold = (span: SpanFacts): void =>
    setFolded((old) => (old.has(span.spanId) ? without(old, span.spanId) : new Set([...old, span.spanId])));
  const failures = spans.filter(({ failure }) => failure !== undefined).length;
  return (
    <>
      <p>
        {rows[0] === undefined ? 'nothing' : titleOf(rows[0].span)}: {count(spans.length, 'span')} at{' '}
        {sites.join(' and ')}, {precise(extent.endMs - extent.startMs)} from the first beginning to the last
        end, {failures === 0 ? 'none failed' : `${count(failures, 'span')} failed`}.
        {spans.length >= SPANS_MAX &&
          ` The collector keeps ${SPANS_MAX.toLocaleString()} spans of a trace; there may have been more.`}
      </p>
      <div class="filters" role="search" aria-label="Which spans">
        <Filter name="text" label="Span, entity, peer or failure" />
        <Choice name="site" label="Site" values={sites} empty="all" />
        <Check name="failed" label="Only failed, and what is above" />
        <Live />
        <button
          type="button"
          onClick={() => setFolded(new Set(rows.flatMap((row) => (row.below > 0 ? row.span.spanId : []))))}
        >
          Fold all
        </button>
        <button type="button" disabled={folded.size === 0} onClick={() => setFolded(new Set())}>
          Unfold all
        </button>
      </div>
      <Pages rows={shown} chosen={chosenId}>
        {(page) => (
          <Waterfall
            trace={trace}
            rows={page}
            extent={extent}
            sites={sites}
            folded={folded}
            chosen={chosenId}
            onFold={fold}
          />
        )}
      </Pages>
    </>
  );
}

/** A part of the rows, at first that with the chosen span, and the ways to the parts before and after it. */
function Pages({
  rows,
  chosen,
  children,
}: {
  rows: readonly SpanRow[];
  chosen: string | undefined;
  children: (page: readonly SpanRow[]) => JSX.Element;
}): JSX.Element {
  const { from: given } = route.value.query;
  const at = rows.findIndex(({ span }) => span.spanId === chosen);
  const wanted =
    given === undefined ? Math.floor(Math.max(0, at) / ROWS_MAX) * ROWS_MAX : Math.floor(Number(given) || 0);
  const from = wanted >= 0 && wanted < rows.length ? wanted : 0;
  const page = rows.slice(from, from + ROWS_MAX);
  if (rows.length === 0) return <p class="muted">No such span in this trace.</p>;
  return (
    <>
      {children(page)}
      {rows.length > ROWS_MAX && (
        <nav class="pages" aria-label="Pages of spans">
          <button
            type="button"
            disabled={from === 0}
            onClick={() => refine({ from: String(Math.max(0, from - ROWS_MAX)) })}
          >
            Before
          </button>
          <span role="status">
            {(from + 1).toLocaleString()} to {(from + page.length).toLocaleString()} of{' '}
            {rows.length.toLocaleString()}
          </span>
          <button
            type="button"
            disabled={from + ROWS_MAX >= rows.length}
            onClick={() => refine({ from: String(from + ROWS_MAX) })}
          >
            More
          </button>
        </nav>
      )}
    </>
  );
}

function without(set: ReadonlySet<string>, one: string): ReadonlySet<string> {
  return new Set([...set].filter((each) => each !== one));
}
