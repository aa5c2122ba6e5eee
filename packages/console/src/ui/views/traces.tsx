/** What the stack of this machine did for requests, over both clouds: a list of traces, and one of them. */
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { TraceSummary } from '@tandem-clouds/emulators/otlp/trace';
import { ask, query } from '../api.ts';
import { count } from '../format.ts';
import { facts } from '../live.ts';
import { useLoaded } from '../loaded.ts';
import { Badge, type Column, Filter, Moment, Shown, Table, Title } from '../parts/parts.tsx';
import { hrefOf, refine, route } from '../route.ts';
import { precise, traceIdIn } from '../trace-rows.ts';
import { TraceView } from './trace.tsx';
import { Check, Live, REFRESH_MS } from './trace-parts.tsx';

/** As many more with each press. */
const STEP = 50;
/** What the collector gives at once (`LIST_MAX`); it keeps more, which filters find. */
const LIST_MAX = 500;

interface TraceList {
  readonly items: readonly TraceSummary[];
  /** Spans that there was no room for. */
  readonly dropped: number;
}

export function Traces(): JSX.Element {
  const [id] = route.value.args;
  return id === undefined || id === '' ? <List /> : <TraceView key={id} id={id} />;
}

function List(): JSX.Element {
  const { route: of, minMs, failed, all, request, live, limit: chosen } = route.value.query;
  const limit = Math.min(LIST_MAX, Math.max(STEP, Number(chosen) || STEP));
  const filter = { route: of, minMs, failed, all, request };
  const loaded = useLoaded(
    query(filter),
    (signal) => ask<TraceList>(`/api/traces${query({ ...filter, limit })}`, { signal }),
    live === 'false' ? undefined : REFRESH_MS,
  );
  return (
    <>
      <Title text="Traces" note="What requests made both clouds do, of the last hour.">
        <Go />
      </Title>
      <div class="filters" role="search" aria-label="Which traces">
        <Filter name="route" label="Route, or any span" />
        <Filter name="minMs" label="At least, in ms" />
        <Filter name="request" label="X-Request-Id of an answer" />
        <Check name="failed" label="Only where something failed" />
        <Check name="all" label="Timers too" />
        <Live />
      </div>
      <Shown loaded={loaded}>
        {({ items, dropped }) => (
          <>
            <Table
              caption="Traces, the newest first"
              columns={COLUMNS}
              rows={items}
              keyOf={({ traceId }) => traceId}
              none="No such trace in the last hour."
            />
            {items.length >= limit && limit < LIST_MAX && (
              <button
                type="button"
                onClick={() => {
                  refine({ limit: String(Math.min(LIST_MAX, limit + STEP)) });
                  loaded.again();
                }}
              >
                More
              </button>
            )}
            {items.length >= LIST_MAX && (
              <p class="muted">These are the newest {LIST_MAX}; filters find older ones.</p>
            )}
            {dropped > 0 && <p class="muted">{count(dropped, 'span')} had no room at the collector.</p>}
          </>
        )}
      </Shown>
      <OfMyOwn />
    </>
  );
}

const COLUMNS: readonly Column<TraceSummary>[] = [
  {
    name: 'What',
    cell: ({ traceId, name, failed }) => (
      <>
        <a href={hrefOf('traces', [traceId])}>{name.slice(0, 200) || 'without a name'}</a>{' '}
        {failed && <Badge kind="bad" text="something failed" />}
      </>
    ),
  },
  { name: 'Began', cell: ({ at }) => <Moment at={at} /> },
  { name: 'Lasted', isNumber: true, cell: ({ ms }) => precise(ms) },
  { name: 'Spans', isNumber: true, cell: ({ spans }) => spans.toLocaleString() },
  { name: 'Sites', cell: ({ sites }) => sites.join(', ') },
  { name: 'Trace', cell: ({ traceId }) => <code>{traceId.slice(0, 8)}</code> },
];

/** From an id, how one begins, or a `traceparent`, to the trace. */
function Go(): JSX.Element {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    try {
      location.hash = hrefOf('traces', [await wholeId(text)]);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form class="go" onSubmit={(event) => void submit(event)}>
      <label class="filter">
        Trace id, or a traceparent
        <input
          name="id"
          value={text}
          required
          autoComplete="off"
          aria-describedby="go-problem"
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            setProblem(undefined);
          }}
        />
      </label>
      <button type="submit">Open</button>
      <p id="go-problem" class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

/** @throws Error that says why it is none */
async function wholeId(text: string): Promise<string> {
  const given = traceIdIn(text);
  if (given === undefined) throw new Error('An id has 32 of 0-9 and a-f; its begin is enough');
  if (given.length === 32) return given;
  const { items } = await ask<TraceList>(`/api/traces${query({ all: 'true', limit: LIST_MAX })}`);
  const found = items.filter(({ traceId }) => traceId.startsWith(given));
  const [first] = found;
  if (first === undefined) throw new Error(`No trace of the newest ${LIST_MAX} begins with ${given}`);
  if (found.length > 1) throw new Error(`${found.length} traces begin with ${given}: give more of it`);
  return first.traceId;
}

/** How an answer leads to its trace. */
function OfMyOwn(): JSX.Element {
  const [traceId] = useState(() => hex(16));
  const [spanId] = useState(() => hex(8));
  const url = facts.value?.sites[0]?.url ?? 'http://127.0.0.1:3000';
  return (
    <details class="card">
      <summary>From an answer to its trace</summary>
      <p>
        Every answer has an <code>X-Request-Id</code>: the filter above finds the trace of it. Or begin a
        trace of your own, and open <a href={hrefOf('traces', [traceId])}>what became of it</a>:
      </p>
      <pre class="json" tabIndex={0}>
        {`curl -i ${url}/write -H 'content-type: application/json' \\
  -H 'traceparent: 00-${traceId}-${spanId}-01' -d '{"id":"traced","data":{}}'`}
      </pre>
    </details>
  );
}

function hex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
