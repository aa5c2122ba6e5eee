/** Spans as rows of a table with a bar each: what is below what, where, from when on and for how long. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { linkedTraces, type SpanRow, titleOf } from '@tandem-clouds/emulators/otlp/span-tree';
import type { SpanFacts, Trace } from '@tandem-clouds/emulators/otlp/trace';
import { Badge } from '../parts/parts.tsx';
import { hrefOf, refine } from '../route.ts';
import { BAR_UNITS, barOf, precise } from '../trace-rows.ts';
import { SpanDetails } from './span-details.tsx';

const LINKS_SHOWN = 3;
/** Deeper ones stand where these do: a chain of thousands is no wider than the page. */
const INDENTED_MAX = 12;
const COLOURS = 4;
const COLUMNS = 5;

export interface WaterfallOptions {
  readonly trace: Trace;
  readonly rows: readonly SpanRow[];
  readonly extent: { readonly startMs: number; readonly endMs: number };
  /** In the order of their colours. */
  readonly sites: readonly string[];
  readonly folded: ReadonlySet<string>;
  readonly chosen: string | undefined;
  readonly onFold: (span: SpanFacts) => void;
}

export function Waterfall(options: WaterfallOptions): JSX.Element {
  const { rows, extent, sites } = options;
  const whole = extent.endMs - extent.startMs;
  return (
    <div class="waterfall">
      <p class="key">
        {sites.map((site, index) => (
          <span key={site}>
            <i class={`swatch swatch-${(index % COLOURS) + 1}`} aria-hidden="true" />
            {site}{' '}
          </span>
        ))}
      </p>
      {/* The roles are said because a narrow window lays the rows out anew, which takes them away otherwise. */}
      <table role="table">
        <caption class="unseen">Spans of the trace, what is below one after it</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">
              Span
            </th>
            <th scope="col" role="columnheader">
              Site
            </th>
            <th scope="col" role="columnheader" class="bar-cell">
              <span class="unseen">When, of {precise(whole)}</span>
              <span class="scale" aria-hidden="true">
                <span>0</span>
                <span>{precise(whole / 2)}</span>
                <span>{precise(whole)}</span>
              </span>
            </th>
            <th scope="col" role="columnheader" class="number">
              Start
            </th>
            <th scope="col" role="columnheader" class="number">
              Lasted
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <Row key={row.span.spanId} row={row} options={options} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row, options }: { row: SpanRow; options: WaterfallOptions }): JSX.Element {
  const { span, depth, below } = row;
  const { extent, sites, folded, chosen, onFold, trace } = options;
  const isChosen = chosen === span.spanId;
  const isFolded = folded.has(span.spanId);
  const title = titleOf(span).slice(0, 200) || 'without a name';
  const { x, width } = barOf(span, extent);
  const own = useRef<HTMLTableRowElement>(null);
  // Where a link of another trace leads to.
  useEffect(() => {
    if (isChosen) own.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const colour = (sites.indexOf(span.site) % COLOURS) + 1;
  return (
    <>
      <tr role="row" ref={own} class={isChosen ? 'chosen' : ''}>
        <td role="cell" class={`span-cell depth-${Math.min(depth, INDENTED_MAX)}`}>
          {below > 0 ? (
            <button
              type="button"
              class="quiet fold"
              aria-expanded={!isFolded}
              aria-label={`What is below ${title}: ${below}`}
              onClick={() => onFold(span)}
            >
              {isFolded ? `▸ ${below}` : '▾'}
            </button>
          ) : (
            <span class="fold" aria-hidden="true" />
          )}
          <button
            type="button"
            class="quiet pick"
            aria-pressed={isChosen}
            onClick={() => refine({ span: isChosen ? undefined : span.spanId })}
          >
            {title}
          </button>{' '}
          {span.failure !== undefined && <Badge kind="bad" text={`failed: ${span.failure.slice(0, 80)}`} />}
          <Links span={span} traceId={trace.traceId} />
        </td>
        <td role="cell" class="site-cell">
          {span.site}
        </td>
        <td role="cell" class="bar-cell">
          <svg viewBox={`0 0 ${BAR_UNITS} 12`} preserveAspectRatio="none" class="bar" aria-hidden="true">
            <rect
              class={`bar-${colour} ${span.failure === undefined ? '' : 'failed'}`}
              x={x}
              y="1"
              width={width}
              height="10"
            />
          </svg>
        </td>
        <td role="cell" class="number">
          <span class="narrow">from </span>
          {precise(span.startMs - extent.startMs)}
        </td>
        <td role="cell" class="number">
          <span class="narrow">for </span>
          {precise(span.endMs - span.startMs)}
        </td>
      </tr>
      {isChosen && (
        <tr role="row" class="chosen">
          <td role="cell" colSpan={COLUMNS} class="details-cell">
            <SpanDetails span={span} trace={trace} />
          </td>
        </tr>
      )}
    </>
  );
}

function Links({ span, traceId }: { span: SpanFacts; traceId: string }): JSX.Element | null {
  const others = linkedTraces(span, traceId);
  if (others.length === 0) return null;
  return (
    <small>
      with{' '}
      {others.slice(0, LINKS_SHOWN).map((id) => (
        <span key={id}>
          <a href={hrefOf('traces', [id])} aria-label={`The linked trace ${id}`}>
            {id.slice(0, 8)}
          </a>{' '}
        </span>
      ))}
      {others.length > LINKS_SHOWN && `and ${others.length - LINKS_SHOWN} more`}
    </small>
  );
}
