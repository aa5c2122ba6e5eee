/** The conflict log: what is meant by the filters, and what is to be made of all of that. */
import type { JSX } from 'preact';
import { count } from '../../format.ts';
import { siteNames } from '../../live.ts';
import { Badge, Choice, chosenSite, type Column, Filter, Moment, Table, Title } from '../../parts/parts.tsx';
import { RunShown } from '../../parts/run.tsx';
import { hrefOf, route } from '../../route.ts';
import { Bulk, overriding } from './bulk.tsx';
import { ROWS_MAX, useConflicts } from './pages.ts';
import { type ConflictRow, entitiesOf, isMeant } from './rows.ts';

const COLUMNS: readonly Column<ConflictRow>[] = [
  { name: 'Lost', cell: ({ loser }) => <Moment at={loser.at} /> },
  {
    name: 'Record',
    cell: ({ id, record, field }) => (
      <a href={hrefOf('conflicts', [id], { site: route.value.query['site'] })}>
        {record} <code>{field}</code>
      </a>
    ),
  },
  { name: 'Value that lost', cell: ({ loser }) => <Value side={loser} /> },
  { name: 'Value that won', cell: ({ winner }) => <Value side={winner} /> },
  { name: 'Because', cell: ({ reason }) => reason },
  {
    name: 'State',
    cell: ({ isOverridden, isEqual }) => (
      <>
        {isOverridden && <Badge kind="good" text="overridden" />}
        {isEqual && <Badge kind="neutral" text="equal" />}
        {!isOverridden && !isEqual && <Badge kind="warn" text="open" />}
      </>
    ),
  },
];

function Value({ side: { text, site } }: { side: ConflictRow['loser'] }): JSX.Element {
  return (
    <>
      <code>{text}</code> <small>at {site}</small>
    </>
  );
}

export function ConflictList(): JSX.Element {
  const site = chosenSite();
  const filter = route.value.query;
  const pages = useConflicts(site, (row) => isMeant(row, route.value.query));
  const { rows, read, unreadable, cursor, isLoading, problem, more, stop, again } = pages;
  const shown = rows.filter((row) => isMeant(row, filter));
  const equal = filter['equal'] === 'shown' ? 0 : rows.filter(({ isEqual }) => isEqual).length;
  return (
    <>
      <Title
        text="Conflicts"
        note="Two sites changed one field, and neither had seen the other's write: one of the two writes won at every site, and here is the other one."
      >
        <button type="button" onClick={again}>
          Look again
        </button>
      </Title>
      <div class="filters">
        <Choice name="site" label="Log of" values={siteNames.value} empty="the first that answers" />
        <Filter name="record" label="Record has in it" />
        <Filter name="field" label="Field has in it" />
        <Choice name="entity" label="Entity" values={entitiesOf(rows)} empty="all" />
        <Choice name="decided" label="State" values={['open']} empty="all" />
        <Choice name="equal" label="Equal values" values={['shown']} empty="hidden" />
      </div>
      <RunShown run={overriding} />
      {site !== undefined && <Bulk site={site} rows={shown} again={again} />}
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {unreadable.length > 0 && (
        <p class="problem">
          {site} cannot read {unreadable.slice(0, 20).join(', ')}; <a href={hrefOf('replication')}>why</a>.
        </p>
      )}
      <p role="status" class="muted">
        {isLoading
          ? `Reading, ${read.toLocaleString()} so far …`
          : `${count(shown.length, 'conflict')} shown, of ${read.toLocaleString()} read${cursor === undefined ? '' : '; there are more'}.`}
        {equal > 0 && ` ${equal.toLocaleString()} between equal values are hidden.`}
        {read > rows.length &&
          ` ${(read - rows.length).toLocaleString()} that were not meant are no longer here: after a change of the filters, look again.`}
        {rows.length >= ROWS_MAX &&
          ` A page holds ${ROWS_MAX.toLocaleString()}: filter them, then look again.`}
      </p>
      {(shown.length > 0 || !isLoading) && (
        <Table
          caption="Conflicts, newest first"
          columns={COLUMNS}
          rows={shown}
          keyOf={({ id }) => id}
          none={
            rows.length === 0
              ? 'No write has lost against one that had not seen it.'
              : 'None of those that were read is meant by the filters.'
          }
        />
      )}
      {isLoading && rows.length > 0 && (
        <button type="button" onClick={stop}>
          Stop
        </button>
      )}
      {!isLoading && cursor !== undefined && rows.length < ROWS_MAX && (
        <button type="button" onClick={more}>
          More
        </button>
      )}
    </>
  );
}
