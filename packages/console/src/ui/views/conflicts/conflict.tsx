/** One conflict: both versions beside each other, the record as it is now at each site, and what a person makes of it. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ConflictView } from '@tandem-clouds/operator/operator-api';
import { ApiError, ofSite } from '../../api.ts';
import { useEntities } from '../../entities.ts';
import { short } from '../../format.ts';
import { siteNames } from '../../live.ts';
import { useLoaded } from '../../loaded.ts';
import { Bounded } from '../../parts/bounded.tsx';
import { Portion } from '../../parts/more.tsx';
import { Badge, chosenSite, type Column, Json, Moment, Shown, Table, Title } from '../../parts/parts.tsx';
import { hrefOf, route } from '../../route.ts';
import { type Compared, compareValues, effectText, reasonText } from './compare-values.ts';
import { Override } from './override.tsx';
import { recordPath } from './record-path.ts';

const RECORD_EVERY_MS = 3_000;

export function OneConflict({ id }: { id: string }): JSX.Element {
  const site = chosenSite();
  const loaded = useLoaded(`${site} ${id}`, (signal) =>
    site === undefined
      ? Promise.resolve(undefined)
      : ofSite<ConflictView>(site, `replication/conflicts/${encodeURIComponent(id)}`, { signal }),
  );
  useEffect(() => document.getElementById('content')?.focus(), []);
  return (
    <>
      <p>
        <a href={hrefOf('conflicts', [], { site: route.value.query['site'] })}>All conflicts</a>
      </p>
      <Shown loaded={loaded}>
        {(conflict) => conflict && <Whole conflict={conflict} site={site ?? ''} again={loaded.again} />}
      </Shown>
    </>
  );
}

interface WholeProps {
  readonly conflict: ConflictView;
  readonly site: string;
  readonly again: () => void;
}

function Whole({ conflict, site, again }: WholeProps): JSX.Element {
  const { record, field, reason, loser, winner, override } = conflict;
  const effect = effectText(field);
  return (
    <>
      <Title text={`${record}, ${field}`} note={`${reasonText(reason)} This is the log of ${site}.`}>
        {override === undefined ? <Badge kind="warn" text="open" /> : <Badge kind="good" text="overridden" />}
      </Title>
      {effect !== '' && <p>{effect}</p>}
      <Versions loser={loser} winner={winner} />
      {override !== undefined && (
        <section aria-labelledby="decision">
          <h2 id="decision">What was decided</h2>
          <Json value={override} />
        </section>
      )}
      <Records record={record} field={field} />
      <Override conflict={conflict} site={site} done={again} />
    </>
  );
}

function Versions({ loser, winner }: Pick<ConflictView, 'loser' | 'winner'>): JSX.Element {
  const isWhole = loser.value !== undefined && winner.value !== undefined;
  const rows = compareValues(loser.value, winner.value);
  const differing = rows.filter(({ isEqual }) => !isEqual).length;
  const columns: readonly Column<Compared>[] = [
    { name: 'Part', cell: ({ name }) => (name === '' ? 'the value' : <code>{short(name)}</code>) },
    { name: 'Lost', cell: (row) => <Value value={row.loser} label={`Lost: ${short(row.name)}`} /> },
    { name: 'Won', cell: (row) => <Value value={row.winner} label={`Won: ${short(row.name)}`} /> },
    {
      name: 'Differs',
      cell: ({ isEqual }) =>
        isEqual ? <Badge kind="neutral" text="equal" /> : <Badge kind="warn" text="differs" />,
    },
  ];
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">Both versions</h2>
      <div class="beside">
        <Version word="Lost" side={loser} />
        <Version word="Won" side={winner} />
      </div>
      {!isWhole && (
        <p>Both values together did not fit one message: the winner&apos;s is in the record below.</p>
      )}
      <p class="muted">
        {differing === 0
          ? 'Both are equal.'
          : `${differing.toLocaleString()} of ${rows.length.toLocaleString()} differ.`}
      </p>
      <Portion rows={rows}>
        {(shown) => (
          <Table
            caption="Both versions, value by value"
            columns={columns}
            rows={shown}
            keyOf={({ name }) => name}
            none="Both are empty objects."
          />
        )}
      </Portion>
    </section>
  );
}

function Version({
  word,
  side: { at, site, stamp },
}: {
  word: string;
  side: ConflictView['loser'];
}): JSX.Element {
  return (
    <article class="card" aria-label={word}>
      <h3>{word}</h3>
      <dl>
        <dt>Written</dt>
        <dd>
          <Moment at={at} />
        </dd>
        <dt>At</dt>
        <dd>{site}</dd>
        <dt>Stamp</dt>
        <dd>
          <code>{stamp}</code>
        </dd>
      </dl>
    </article>
  );
}

function Value({ value, label }: { value: unknown; label: string }): JSX.Element {
  if (value === undefined) return <span class="muted">not there</span>;
  return <Bounded text={JSON.stringify(value, null, 2)} label={label} />;
}

function Records({ record, field }: { record: string; field: string }): JSX.Element {
  const places = useEntities();
  return (
    <section aria-labelledby="record-now">
      <h2 id="record-now">The record as it is now</h2>
      <Shown loaded={places}>
        {(known) => {
          const found = recordPath(record, known);
          return 'why' in found ? (
            <p class="muted">It cannot be shown here. {found.why}</p>
          ) : (
            <div class="beside">
              {siteNames.value.map((site) => (
                <RecordAt key={site} site={site} path={found.path} field={field} />
              ))}
            </div>
          );
        }}
      </Shown>
    </section>
  );
}

/** Null: the site does not have it. */
async function recordAt(site: string, path: string, signal: AbortSignal): Promise<object | null> {
  try {
    return await ofSite<object>(site, path, { signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function RecordAt({ site, path, field }: { site: string; path: string; field: string }): JSX.Element {
  const loaded = useLoaded(`${site} ${path}`, (signal) => recordAt(site, path, signal), RECORD_EVERY_MS);
  return (
    <article class="card" aria-label={`At ${site}`}>
      <h3>{site}</h3>
      <Shown loaded={loaded}>
        {(record) =>
          record === null ? (
            <p>It does not exist here: it is deleted, has expired, or never came.</p>
          ) : (
            <>
              {field in record && (
                <>
                  <p class="muted">{field}</p>
                  <Bounded
                    text={JSON.stringify((record as Readonly<Record<string, unknown>>)[field], null, 2)}
                    label={`${field} at ${site}`}
                  />
                </>
              )}
              <details>
                <summary>All of it</summary>
                <Bounded text={JSON.stringify(record, null, 2)} label={`The record at ${site}`} />
              </details>
            </>
          )
        }
      </Shown>
    </article>
  );
}
