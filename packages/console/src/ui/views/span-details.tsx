/** All that is known of one span. */
import type { JSX } from 'preact';
import { titleOf } from '@tandem-clouds/emulators/otlp/span-tree';
import type { SpanFacts, Trace } from '@tandem-clouds/emulators/otlp/trace';
import { Badge, Copy, Moment, Table } from '../parts/parts.tsx';
import { hrefOf, refine } from '../route.ts';
import { precise } from '../trace-rows.ts';

/** A batch has a hundred messages, and each may be of another trace. */
const LISTED_MAX = 200;
const VALUE_MAX = 2_000;

export function SpanDetails({ span, trace }: { span: SpanFacts; trace: Trace }): JSX.Element {
  const { spanId, parentId, kind, site, startMs, endMs, failure, attributes, links } = span;
  const parent = trace.spans.find((each) => each.spanId === parentId);
  const all = Object.entries(attributes);
  return (
    <section class="card span-details" aria-label="The chosen span">
      <h2>{titleOf(span).slice(0, 200)}</h2>
      {failure !== undefined && <Badge kind="bad" text={`failed: ${failure.slice(0, 200)}`} />}
      <dl>
        <dt>Site</dt>
        <dd>{site}</dd>
        <dt>Kind</dt>
        <dd>{kind}</dd>
        <dt>Began</dt>
        <dd>
          <Moment at={startMs} />
        </dd>
        <dt>Lasted</dt>
        <dd>{precise(endMs - startMs)}</dd>
        <dt>Caused by</dt>
        <dd>
          {parent !== undefined ? (
            <button type="button" class="quiet pick" onClick={() => refine({ span: parent.spanId })}>
              {titleOf(parent).slice(0, 200)}
            </button>
          ) : parentId === undefined ? (
            'nothing: it began the trace'
          ) : (
            `${parentId}, which is not here`
          )}
        </dd>
        <dt>Span</dt>
        <dd>
          <code>{spanId}</code> <Copy text={spanId} label="Copy" />
        </dd>
      </dl>
      <Table
        caption="Attributes"
        columns={[
          { name: 'Attribute', cell: ([name]) => <code>{name.slice(0, 200)}</code> },
          { name: 'Value', cell: ([, value]) => cut(String(value)) },
        ]}
        rows={all.slice(0, LISTED_MAX)}
        keyOf={([name]) => name}
        none="It has no attributes."
      />
      {all.length > LISTED_MAX && <p class="muted">and {all.length - LISTED_MAX} more</p>}
      {links.length > 0 && (
        <>
          <h3>Linked with</h3>
          <ul>
            {links.slice(0, LISTED_MAX).map((link) => (
              <li key={`${link.traceId} ${link.spanId}`}>
                <a href={hrefOf('traces', [link.traceId], { span: link.spanId })}>
                  <code>{link.traceId}</code>
                </a>
              </li>
            ))}
          </ul>
          {links.length > LISTED_MAX && <p class="muted">and {links.length - LISTED_MAX} more</p>}
        </>
      )}
    </section>
  );
}

function cut(text: string): string {
  return text.length <= VALUE_MAX
    ? text
    : `${text.slice(0, VALUE_MAX)}… (${text.length.toLocaleString()} characters)`;
}
