/** What both clouds wrote to their logs while they were at one trace. */
import type { JSX } from 'preact';
import type { LogLine } from '@tandem-clouds/emulators/otlp/log-line';
import { ask, query } from '../api.ts';
import { useLoaded } from '../loaded.ts';
import { Badge, type Column, Moment, Shown, Table } from '../parts/parts.tsx';
import { refine, route } from '../route.ts';
import { REFRESH_MS } from './trace-parts.tsx';

/** What the collector gives at once (`LIST_MAX`). */
const LIST_MAX = 500;
const TEXT_MAX = 500;
/** Of OpenTelemetry's severity numbers, the first that says that something failed, and the first of a warning. */
const ERROR = 17;
const WARN = 13;

export function TraceLines({ traceId }: { traceId: string }): JSX.Element {
  const loaded = useLoaded(
    traceId,
    (signal) =>
      ask<{ items: readonly LogLine[] }>(`/api/logs${query({ trace: traceId, limit: LIST_MAX })}`, {
        signal,
      }),
    route.value.query['live'] === 'false' ? undefined : REFRESH_MS,
  );
  return (
    <Shown loaded={loaded}>
      {({ items }) => (
        <>
          <Table
            caption="Lines of the logs, as they were written"
            columns={COLUMNS}
            rows={items.toReversed()}
            keyOf={({ atMs, message, spanId }) => `${atMs} ${spanId ?? ''} ${message}`}
            none="Neither cloud has written a line about it."
          />
          {items.length >= LIST_MAX && <p class="muted">These are the newest {LIST_MAX}.</p>}
        </>
      )}
    </Shown>
  );
}

const COLUMNS: readonly Column<LogLine>[] = [
  { name: 'At', cell: ({ atMs }) => <Moment at={atMs} /> },
  { name: 'Site', cell: ({ site }) => site },
  {
    name: 'Level',
    cell: ({ severity, level }) =>
      severity >= WARN ? <Badge kind={severity >= ERROR ? 'bad' : 'warn'} text={level} /> : level,
  },
  { name: 'Line', cell: ({ message, attributes }) => textOf(message, attributes) },
  {
    name: 'Span',
    cell: ({ spanId }) =>
      spanId !== undefined && (
        <button type="button" class="quiet pick" onClick={() => refine({ span: spanId })}>
          {spanId.slice(0, 8)}
        </button>
      ),
  },
];

function textOf(message: string, attributes: LogLine['attributes']): string {
  const more = JSON.stringify(attributes);
  return (more === '{}' ? message : `${message} ${more}`).slice(0, TEXT_MAX);
}
