/** What lost at a record, what is done about it, and where its content is: as operators may know it. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RecordContentView, RecordReactionsView } from '@tandem-clouds/operator/operator-api';
import type { ConflictPage, ConflictView } from '../../../../../src/shared/operations/conflict-service.ts';
import type { EntityFacts } from '../../server/entities.ts';
import { ofSite, query } from '../api.ts';
import { recordCurl } from '../entities.ts';
import { bytes } from '../format.ts';
import { answering, siteNames } from '../live.ts';
import { useLoaded } from '../loaded.ts';
import { AsCurl } from '../parts/as-curl.tsx';
import { chosenSite, Moment, Shown, Table } from '../parts/parts.tsx';
import { Value } from '../parts/value.tsx';

const PAGE = 100;
/** Of the log, which is of all records, at one press of the button. */
const PAGES_AT_ONCE = 10;
const AGAIN_MS = 5_000;

/** @param state Names what is shown of the record: with another one its reactions are others too. */
export function History({
  entity,
  recordKey,
  state,
}: {
  entity: EntityFacts;
  recordKey: string;
  state: string;
}): JSX.Element {
  return (
    <>
      <Conflicts key={recordKey} recordKey={recordKey} />
      {entity.reactions.length > 0 && <Reactions recordKey={recordKey} state={state} />}
      {entity.contents.length > 0 && <Contents recordKey={recordKey} state={state} />}
    </>
  );
}

interface Search {
  readonly found: readonly ConflictView[];
  readonly seen: number;
  readonly cursor?: string | undefined;
  readonly isRunning: boolean;
  readonly isWhole: boolean;
  readonly problem?: string;
}

const NOTHING: Search = { found: [], seen: 0, isRunning: false, isWhole: false };

/** The conflict log has no list by record: its pages are looked through, as far as somebody wants. */
function Conflicts({ recordKey }: { recordKey: string }): JSX.Element {
  const [search, setSearch] = useState<Search>(NOTHING);
  const leave = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => leave.current?.abort(), []);
  const site = chosenSite();

  const go = async (at: string): Promise<void> => {
    const controller = new AbortController();
    leave.current = controller;
    const { signal } = controller;
    let now: Search = { ...(search.isWhole ? NOTHING : search), isRunning: true };
    const { problem: _, ...rest } = now;
    now = rest;
    setSearch(now);
    try {
      for (let page = 0; page < PAGES_AT_ONCE && !now.isWhole && !signal.aborted; page += 1) {
        const path = `replication/conflicts${query({ limit: PAGE, cursor: now.cursor })}`;
        const { items, cursor } = await ofSite<ConflictPage>(at, path, { signal });
        now = {
          found: [...now.found, ...items.filter(({ record }) => record === recordKey)],
          seen: now.seen + items.length,
          cursor,
          isRunning: true,
          isWhole: cursor === undefined,
        };
        setSearch(now);
      }
      setSearch({ ...now, isRunning: false });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      setSearch({ ...now, isRunning: false, ...(!signal.aborted && { problem }) });
    }
  };

  return (
    <section>
      <h2>Writes that lost</h2>
      <div class="buttons">
        {search.isRunning ? (
          <button type="button" onClick={() => leave.current?.abort()}>
            Stop
          </button>
        ) : (
          <button
            type="button"
            disabled={site === undefined}
            onClick={() => site !== undefined && void go(site)}
          >
            {search.seen === 0
              ? 'Look through the conflict log'
              : search.isWhole
                ? 'Look again'
                : 'Look further'}
          </button>
        )}
      </div>
      <p class="muted" role="status">
        {search.isRunning && 'Looking … '}
        {(search.seen > 0 || search.isWhole) &&
          `${search.seen.toLocaleString()} entries looked through, ${search.isWhole ? 'all of them' : 'the newest first'}.`}
      </p>
      {search.problem !== undefined && (
        <p class="problem" role="alert">
          {search.problem}
        </p>
      )}
      {(search.found.length > 0 || search.isWhole) && (
        <Table
          caption="Writes that lost"
          rows={search.found}
          keyOf={({ id }) => id}
          none="No write of this record has lost."
          columns={[
            { name: 'Field', cell: ({ field }) => field },
            {
              name: 'Lost',
              cell: ({ loser, field }) => <Value value={loser.value} name={`${field}, lost`} />,
            },
            { name: 'written at', cell: ({ loser }) => <Written write={loser} /> },
            {
              name: 'Won',
              cell: ({ winner, field }) => <Value value={winner.value} name={`${field}, won`} />,
            },
            { name: 'written at', cell: ({ winner }) => <Written write={winner} /> },
            { name: 'Why', cell: ({ reason }) => reason },
            { name: 'Overridden', cell: ({ override }) => (override === undefined ? 'no' : 'yes') },
          ]}
        />
      )}
    </section>
  );
}

function Written({ write: { site, at } }: { write: ConflictView['loser'] }): JSX.Element {
  return (
    <>
      {site}, <Moment at={at} />
    </>
  );
}

/** What every site says; one that does not answer says so, and the others are shown. */
interface Said<T> {
  readonly site: string;
  readonly view?: T;
  readonly problem?: string;
}

function useAtSites<T>(path: string, state: string): ReturnType<typeof useLoaded<readonly Said<T>[]>> {
  const sites = siteNames.value;
  return useLoaded(
    `${path} ${state} ${sites.join()}`,
    (signal) =>
      Promise.all(
        sites.map(async (site): Promise<Said<T>> => {
          try {
            return { site, view: await ofSite<T>(site, path, { signal }) };
          } catch (error) {
            return { site, problem: error instanceof Error ? error.message : String(error) };
          }
        }),
      ),
    AGAIN_MS,
  );
}

function Reactions({ recordKey, state }: { recordKey: string; state: string }): JSX.Element {
  const path = `replication/reactions/${encodeURIComponent(recordKey)}`;
  const loaded = useAtSites<RecordReactionsView>(path, state);
  return (
    <section>
      <h2>Reactions</h2>
      <Shown loaded={loaded}>
        {(said) => {
          const rows = said.flatMap(({ site, view }) =>
            (view?.entries ?? []).map((entry) => ({ site, entry })),
          );
          return (
            <>
              {said.map(({ site, view, problem }) => (
                <p key={site}>
                  <strong>{site}</strong>:{' '}
                  {problem === undefined ? (
                    (view?.conditions.length ?? 0) === 0 ? (
                      'nothing is to be done'
                    ) : (
                      `the condition holds of ${view?.conditions.map(({ reaction }) => reaction).join(', ')}`
                    )
                  ) : (
                    <span class="problem">{problem}</span>
                  )}
                </p>
              ))}
              <Table
                caption="Reactions"
                rows={rows.slice(0, 100)}
                keyOf={({ site, entry }) => `${site} ${entry.reaction} ${entry.effectId ?? ''}`}
                none="No run is written down."
                columns={[
                  { name: 'Site', cell: ({ site }) => site },
                  { name: 'Reaction', cell: ({ entry }) => entry.reaction },
                  { name: 'Attempts', cell: ({ entry }) => entry.attempts, isNumber: true },
                  {
                    name: 'How far',
                    cell: ({ entry: { done, parked, due, since } }) =>
                      done !== undefined ? (
                        'done'
                      ) : parked !== undefined ? (
                        <span class="problem">
                          parked: {parked}, <Moment at={since} />
                        </span>
                      ) : (
                        <>
                          due <Moment at={due} />
                        </>
                      ),
                  },
                  { name: 'What happened', cell: ({ entry }) => entry.detail ?? '—' },
                ]}
              />
            </>
          );
        }}
      </Shown>
      <AsCurl of="reactions" text={() => recordCurl(answering.value[0] ?? '', { path })} />
    </section>
  );
}

function Contents({ recordKey, state }: { recordKey: string; state: string }): JSX.Element {
  const path = `replication/contents/${encodeURIComponent(recordKey)}`;
  const loaded = useAtSites<RecordContentView>(path, state);
  return (
    <section>
      <h2>Content</h2>
      <Shown loaded={loaded}>
        {(said) => (
          <div class="beside">
            {said.map(({ site, view, problem }) => (
              <article key={site} class="card">
                <h3>As {site} knows it</h3>
                {problem !== undefined && <p class="problem">{problem}</p>}
                {view !== undefined && <ContentFacts view={view} />}
              </article>
            ))}
          </div>
        )}
      </Shown>
      <AsCurl of="content" text={() => recordCurl(answering.value[0] ?? '', { path })} />
    </section>
  );
}

function ContentFacts({ view: { content, fetching } }: { view: RecordContentView }): JSX.Element {
  if (content === undefined) return <p class="muted">It never got any.</p>;
  return (
    <dl>
      <dt>What</dt>
      <dd>
        {content.contentType}, {bytes(content.bytes)}
      </dd>
      <dt>Completed</dt>
      <dd>
        <Moment at={content.completedAt} />
      </dd>
      <dt>Held by</dt>
      <dd>{content.heldBy.join(', ') || 'nobody'}</dd>
      <dt>Not yet at</dt>
      <dd>{content.lackedBy.join(', ') || '—'}</dd>
      {fetching !== undefined && (
        <>
          <dt>Being fetched</dt>
          <dd>
            {fetching.attempts} attempts, next <Moment at={fetching.next} /> {fetching.detail}
          </dd>
        </>
      )}
    </dl>
  );
}
